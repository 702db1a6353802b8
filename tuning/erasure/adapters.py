"""Which adapters were trained on a customer's words, and what is kept of those in their manifests.

Weights cannot forget: a proposal to retrain is all that can be made. A manifest is no part of what
gives an adapter its name.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import versions
from records.adapters import MANIFEST
from records.artifacts import Artifacts
from records.database import Database
from records.errors import NotFound
from records.states import ExperimentState
from records.tables import Arm, Experiment, Shadow, Version
from tuning.erasure.scrubbing import without

_PROBES = "probes"


@dataclass(frozen=True, slots=True)
class Trained:
    """A version whose weights come from a customer's words, among others."""

    version: str
    assistant: str
    state: str
    dataset_id: str | None
    serves: str | None
    """`champion`, `experiment` or `shadow`; None where it answers nobody now."""
    through: str | None = None
    """The version whose weights it went on from, where its own dataset has none of the words."""


def trained_on(
    session: Session, datasets: Collection[str], assistants: Collection[str]
) -> list[Trained]:
    """Versions trained on these datasets, and those that went on from one of them, oldest first."""
    rows = session.scalars(
        select(Version)
        .where(Version.assistant.in_(assistants), Version.adapter_path.is_not(None))
        .order_by(Version.created_at, Version.id)
    )
    found: dict[str, Trained] = {}
    for row in rows:
        parent = row.parent if _goes_on(row.manifest) else None
        if row.dataset_id in datasets:
            found[row.id] = _trained(session, row)
        elif parent in found:
            found[row.id] = _trained(session, row, through=parent)
    return list(found.values())


def _goes_on(manifest: dict[str, Any]) -> bool:
    """Whether it was trained from its parent's weights, not from the base's."""
    return bool((manifest.get("recipe") or {}).get("start_from") == "champion")


def _trained(session: Session, row: Version, *, through: str | None = None) -> Trained:
    return Trained(
        version=row.id,
        assistant=row.assistant,
        state=str(row.state),
        dataset_id=row.dataset_id,
        serves=_serves(session, row),
        through=through,
    )


def _serves(session: Session, row: Version) -> str | None:
    pointer = versions.pointer(session, row.assistant)
    if pointer is not None and pointer.version == row.id:
        return "champion"
    running = ExperimentState.RUNNING
    arm = (
        select(Arm.id)
        .join(Experiment, Arm.experiment_id == Experiment.id)
        .where(Arm.version == row.id, Experiment.state == running)
    )
    if session.scalar(arm.limit(1)) is not None:
        return "experiment"
    shadow = select(Shadow.id).where(Shadow.version == row.id, Shadow.state == running)
    return "shadow" if session.scalar(shadow.limit(1)) is not None else None


def paths_of(session: Session, found: Sequence[Trained]) -> list[str]:
    """Where the adapters of these versions lie in the store."""
    paths = (session.get_one(Version, one.version).adapter_path for one in found)
    return [path for path in paths if path]


def clean_manifests(
    database: Database, artifacts: Artifacts, found: Sequence[Trained], ids: Collection[str]
) -> tuple[int, list[str]]:
    """Take the words out of manifests; how many changed, and the versions whose probes had to stay.

    Probes prove that an adapter is on; a version that serves and has no others keeps them, or it
    could not be loaded again.
    """
    changed, kept = 0, []
    for one in found:
        in_store, is_kept = _clean_stored(database, artifacts, one, ids)
        in_records = _clean_record(database, one, ids)
        changed += in_store or in_records
        if is_kept:
            kept.append(one.version)
    return changed, kept


def _clean_stored(
    database: Database, artifacts: Artifacts, one: Trained, ids: Collection[str]
) -> tuple[bool, bool]:
    """Whether the manifest in the store changed, and whether its probes had to stay."""
    with database.read() as session:
        path = session.get_one(Version, one.version).adapter_path
    try:
        manifest = json.loads((artifacts.fetch(path or "") / MANIFEST).read_text())
    except (NotFound, OSError):
        return False, False
    cleaned, lost = without(manifest, ids)
    is_kept = bool(manifest.get(_PROBES)) and not cleaned.get(_PROBES) and bool(one.serves)
    if is_kept:
        cleaned[_PROBES] = manifest[_PROBES]
        lost -= len(manifest[_PROBES])
    if lost:
        content = json.dumps(cleaned, indent=1).encode()
        artifacts.amend(path or "", {MANIFEST: content})
    return bool(lost), is_kept


def _clean_record(database: Database, one: Trained, ids: Collection[str]) -> bool:
    with database.write() as session:
        row = session.get_one(Version, one.version)
        cleaned, lost = without(row.manifest, ids)
        if lost:
            row.manifest = cleaned
    return bool(lost)
