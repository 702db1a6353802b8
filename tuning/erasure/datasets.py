"""Datasets without a customer's lessons: written anew under another name, the old ones removed."""

import json
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from records.artifacts import Artifacts
from records.database import Database
from records.errors import NotFound
from records.settings import make_folder
from records.tables import Dataset, DatasetExample
from tuning.dataset.rows import (
    CARD,
    DOCUMENTS,
    HELD_OUT,
    KEPT_APART,
    TRAIN,
    Row,
    read_rows,
    write_rows,
)
from tuning.dataset.writing import content_hash
from tuning.erasure.scrubbing import without

FOLDER = "datasets"
_SIDES = {"train": TRAIN, "held_out": HELD_OUT}
_HASH_DIGITS = 12
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A dataset that lessons were taken out of."""

    old: str
    new: str | None
    """The one that holds what was left; None where nothing was."""
    lessons: int
    """How many were taken out."""


def holding(session: Session, examples: Sequence[str]) -> list[Dataset]:
    """Datasets that hold one of these examples, or did before an erasure; the oldest first."""
    ids: set[str] = set()
    for start in range(0, len(examples), _AT_ONCE):
        part = examples[start : start + _AT_ONCE]
        ids.update(
            session.scalars(
                select(DatasetExample.dataset_id).where(DatasetExample.example_id.in_(part))
            )
        )
    found = [session.get_one(Dataset, name) for name in ids]
    return sorted(found, key=lambda dataset: (dataset.created_at, dataset.id))


def lessons_from(
    artifacts: Artifacts, datasets: Sequence[Dataset], examples: Collection[str]
) -> set[str]:
    """Ids of lessons that were made from these examples in other words."""
    return {
        name
        for dataset in datasets
        if dataset.erased_at is None
        for name, origin in _names(artifacts.fetch(dataset.path))
        if origin in examples
    }


def count(artifacts: Artifacts, datasets: Sequence[Dataset], gone: Collection[str]) -> int:
    """How many lessons would be taken out."""
    return sum(
        name in gone or origin in gone
        for dataset in datasets
        if dataset.erased_at is None
        for name, origin in _names(artifacts.fetch(dataset.path))
    )


def rewrite(
    database: Database,
    artifacts: Artifacts,
    dataset: Dataset,
    *,
    gone: Collection[str],
    at: datetime,
    scratch: Path,
) -> Rewritten:
    """Publish a dataset without the lessons `gone`, mark the old one, and remove its files.

    Each part may be done again: a run that was cut off is completed by the next. `scratch` is a
    folder of its own, emptied first and removed at the end.

    Raises:
        StorageFull, StorageUnavailable: some of it is not done.
    """
    if dataset.erased_at is not None:
        artifacts.erase(dataset.path)
        return Rewritten(dataset.id, dataset.replaced_by, 0)
    with _emptied(scratch) as folder:
        card, lost = _write(artifacts.fetch(dataset.path), folder, dataset, gone=gone, at=at)
        left = sum(card["counts"].values())
        new = f"ds-{card['content_hash'][:_HASH_DIGITS]}" if left else None
        if new is not None:
            artifacts.publish(folder, f"{FOLDER}/{new}")
    with database.write() as session:
        _register(session, dataset.id, new, card=card, gone=gone, at=at)
    artifacts.erase(dataset.path)
    return Rewritten(dataset.id, new, lost)


def clean_cards(
    database: Database, artifacts: Artifacts, assistants: Collection[str], ids: Collection[str]
) -> int:
    """Take samples of these lessons out of all cards, here and in the store; how many cards.

    A card also shows what its dataset does not hold: what was dropped, and why.
    """
    changed = 0
    with database.read() as session:
        found = list(session.scalars(select(Dataset).where(Dataset.assistant.in_(assistants))))
    for dataset in found:
        card, lost = without(dataset.card, ids)
        try:
            stored = json.loads((artifacts.fetch(dataset.path) / CARD).read_text())
        except NotFound:  # erased
            stored = None
        clean, lost_there = without(stored, ids)
        if lost_there:
            artifacts.amend(dataset.path, {CARD: _dumped(clean).encode()})
        if lost:
            with database.write() as session:
                session.get_one(Dataset, dataset.id).card = card
        changed += bool(lost or lost_there)
    return changed


def drop_orphans(database: Database, artifacts: Artifacts, ids: Collection[str]) -> int:
    """Remove folders of killed runs that no record knows, where they hold one of these lessons."""
    with database.read() as session:
        known = set(session.scalars(select(Dataset.path)))
    folder = artifacts.cache / FOLDER
    removed = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        is_orphan = path.is_dir() and not path.name.startswith(".")
        if not is_orphan or f"{FOLDER}/{path.name}" in known:
            continue
        if any(name in ids or origin in ids for name, origin in _names(path)):
            artifacts.erase(f"{FOLDER}/{path.name}")
            removed += 1
    return removed


@contextmanager
def _emptied(scratch: Path) -> Iterator[Path]:
    shutil.rmtree(scratch, ignore_errors=True)
    make_folder(scratch)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(
    source: Path, folder: Path, dataset: Dataset, *, gone: Collection[str], at: datetime
) -> tuple[dict[str, Any], int]:
    identities, lost = {}, 0
    counts: dict[str, Counter[str]] = {}
    for side, name in _SIDES.items():
        kept = _Kept(source / name, gone)
        identities[name] = write_rows(folder / name, kept)
        counts[side], lost = kept.counts, lost + kept.lost
    if (source / KEPT_APART).exists():
        apart = _Kept(source / KEPT_APART, gone)
        identities[KEPT_APART] = write_rows(folder / KEPT_APART, apart)
        lost += apart.lost
    for path in source.iterdir():
        if path.name not in (*_SIDES.values(), KEPT_APART, CARD):
            shutil.copy(path, folder / path.name)
    card, _ = without(dataset.card, gone)
    if (source / DOCUMENTS).exists():
        identities[DOCUMENTS] = card["documents"]["identity"]
    card = _counted(card, counts)
    card["content_hash"] = content_hash(identities)
    card["erased"] = {"from": dataset.id, "lessons": lost, "at": at.isoformat()}
    (folder / CARD).write_text(_dumped(card))
    return card, lost


class _Kept:
    """The rows of a file that stay, counted on the way."""

    def __init__(self, path: Path, gone: Collection[str]) -> None:
        self._path, self._gone = path, gone
        self.counts: Counter[str] = Counter()
        self.lost = 0

    def __iter__(self) -> Iterator[Row]:
        for row in read_rows(self._path):
            if _is_gone(row, self._gone):
                self.lost += 1
                continue
            self.counts.update(["all", f"source {row.source}"])
            self.counts["escalating"] += row.should_escalate
            self.counts["synthetic"] += row.synthetic_of is not None
            yield row


def _counted(card: dict[str, Any], counts: dict[str, Counter[str]]) -> dict[str, Any]:
    """The card with its counts as they are now; lengths, topics and languages stay as they were."""
    by_source = {
        side: {k.removeprefix("source "): n for k, n in found.items() if k.startswith("source ")}
        for side, found in counts.items()
    }
    return {
        **card,
        "counts": {side: found["all"] for side, found in counts.items()},
        "by_source": by_source,
        "should_escalate": {side: found["escalating"] for side, found in counts.items()},
        "synthetic": sum(found["synthetic"] for found in counts.values()),
    }


def _register(
    session: Session,
    old_id: str,
    new_id: str | None,
    *,
    card: dict[str, Any],
    gone: Collection[str],
    at: datetime,
) -> None:
    old = session.get_one(Dataset, old_id, with_for_update=True)
    old.erased_at, old.replaced_by = at, new_id
    old.card = without(old.card, gone)[0]
    if new_id is None or session.get(Dataset, new_id) is not None:
        return
    row = Dataset(
        id=new_id,
        assistant=old.assistant,
        content_hash=card["content_hash"],
        path=f"{FOLDER}/{new_id}",
        card=card,
    )
    session.add(row)
    session.flush()
    links = session.execute(
        select(DatasetExample.example_id, DatasetExample.split).where(
            DatasetExample.dataset_id == old_id
        )
    )
    kept = [
        {"dataset_id": new_id, "example_id": name, "split": split}
        for name, split in links
        if name not in gone
    ]
    if kept:
        session.execute(insert(DatasetExample), kept)


def _is_gone(row: Row, gone: Collection[str]) -> bool:
    return row.id in gone or row.synthetic_of in gone


def _names(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Of each lesson its id, and that of the example that it was made from in other words."""
    for name in (*_SIDES.values(), KEPT_APART):
        if (folder / name).exists():
            table = pq.read_table(folder / name, columns=["id", "synthetic_of"])
            columns = (table.column(at).to_pylist() for at in ("id", "synthetic_of"))
            yield from zip(*columns, strict=True)


def _dumped(card: dict[str, Any]) -> str:
    return json.dumps(card, indent=2, ensure_ascii=False)
