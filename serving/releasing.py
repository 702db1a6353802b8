"""Versions, releases and what runs beside them, as the admin API and the commands show them."""

from typing import Any

from sqlalchemy.orm import Session

from records import experiments, shadows, standings, versions
from records.tables import Experiment, Release, Shadow, Version


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


def experiment_report(session: Session, assistant: str) -> dict[str, Any]:
    """The running or last experiment, with whom its arms and the champion have answered."""
    experiment = experiments.newest(session, assistant)
    view = experiment_view(experiment)
    for arm, tally in zip(view["arms"], experiments.tally(session, experiment), strict=True):
        arm["customers"], arm["conversations"] = tally.customers, tally.conversations
    side = standings.champions(session, experiment)
    view["champion"] = {
        "version": side.version,
        "share": side.share,
        "customers": side.customers,
        "conversations": side.conversations,
    }
    return view


def shadow_view(shadow: Shadow) -> dict[str, Any]:
    """A shadow."""
    return {
        "id": shadow.id,
        "assistant": shadow.assistant,
        "state": shadow.state,
        "version": shadow.version,
        "share": shadow.share,
    }


def shadow_report(session: Session, assistant: str) -> dict[str, Any]:
    """The running or last shadow, and how often it agreed with what customers read."""
    shadow = shadows.newest(session, assistant)
    found = shadows.agreement(session, shadow)
    return {
        **shadow_view(shadow),
        "answers": found.answers,
        "errors": found.errors,
        "same_text": found.same_text,
        "same_handover": found.same_handover,
    }
