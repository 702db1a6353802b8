"""Promote, roll back and list versions: what the admin API and the commands share."""

from typing import Any

from sqlalchemy.orm import Session

from records import versions
from records.tables import Experiment, Release, Version


def version_view(session: Session, version: Version) -> dict[str, Any]:
    """A version in a list."""
    return {
        "version": version.id,
        "assistant": version.assistant,
        "state": version.state,
        "verdict": versions.verdict_of(session, version.id),
        "parent": version.parent,
        "dataset": version.dataset_id,
        "created_at": version.created_at.isoformat(),
    }


def listing(session: Session, assistant: str | None = None) -> list[dict[str, Any]]:
    """All versions, oldest first."""
    return [version_view(session, version) for version in versions.listed(session, assistant)]


def release_view(release: Release) -> dict[str, Any]:
    """A change of the release pointer."""
    return {
        "assistant": release.assistant,
        "action": release.action,
        "version": release.version,
        "replaces": release.replaces,
        "actor": release.actor,
    }


def experiment_view(experiment: Experiment) -> dict[str, Any]:
    """An experiment with its arms."""
    return {
        "id": experiment.id,
        "assistant": experiment.assistant,
        "state": experiment.state,
        "arms": [
            {"name": arm.name, "version": arm.version, "share": arm.share}
            for arm in experiment.arms
        ],
    }
