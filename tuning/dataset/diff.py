"""How two datasets differ, example by example; both are read side by side in the order of ids."""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tuning.dataset.rows import HELD_OUT, TRAIN, Row, read_rows

_SAMPLES = 5
_CHARACTERS = 160


class ChangeKind(StrEnum):
    """What became of an example from one dataset to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    """Other words, labels or origin; weights alone are no change."""
    MOVED = "moved"
    """From training to held-out or back, its words as they were."""


class Change(NamedTuple):
    """An example that isn't in both datasets as it is."""

    kind: ChangeKind
    before: Row | None
    after: Row | None

    @property
    def row(self) -> Row:
        """The newer form there is."""
        row = self.after or self.before
        assert row is not None
        return row


@dataclass(slots=True)
class Difference:
    """All changes counted, and the first few of each kind."""

    same: int = 0
    counts: Counter[ChangeKind] = field(default_factory=Counter)
    by_source: dict[ChangeKind, Counter[str]] = field(default_factory=dict)
    samples: dict[ChangeKind, list[dict[str, Any]]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "same": self.same,
            "counts": {str(kind): self.counts[kind] for kind in ChangeKind},
            "by_source": {
                str(kind): dict(sorted(self.by_source.get(kind, Counter()).items()))
                for kind in ChangeKind
            },
            "samples": {str(kind): self.samples.get(kind, []) for kind in ChangeKind},
        }


def changes(old: Path, new: Path) -> Iterator[Change | None]:
    """Every change between two datasets' folders, by id; None for each example that is the same."""
    ours, theirs = _rows(old), _rows(new)
    before, after = next(ours, None), next(theirs, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before.id < after.id):
            assert before is not None
            yield Change(ChangeKind.REMOVED, before.row, None)
            before = next(ours, None)
        elif before is None or after.id < before.id:
            yield Change(ChangeKind.ADDED, None, after.row)
            after = next(theirs, None)
        else:
            yield _compared(before, after)
            before, after = next(ours, None), next(theirs, None)


def count(found: Iterable[Change | None]) -> Difference:
    """Count changes; only the counts and a few samples are kept."""
    result = Difference()
    for change in found:
        if change is None:
            result.same += 1
            continue
        result.counts[change.kind] += 1
        result.by_source.setdefault(change.kind, Counter())[change.row.source] += 1
        samples = result.samples.setdefault(change.kind, [])
        if len(samples) < _SAMPLES:
            samples.append(_sample(change))
    return result


def steps(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each step changed and dropped in the one and the other dataset, by their cards."""
    sides = [{step["name"]: step for step in card.get("steps", [])} for card in (old, new)]
    names = list(dict.fromkeys(name for side in sides for name in side))
    return [
        {
            "name": name,
            **{
                key: [side.get(name, {}).get(key, 0) for side in sides]
                for key in ("kept", "changed", "dropped")
            },
        }
        for name in names
    ]


class _Placed(NamedTuple):
    id: str
    side: str
    row: Row


def _rows(folder: Path) -> Iterator[_Placed]:
    """A dataset's rows on both sides, by id: each file is sorted by it."""
    sides = (_side(folder, name) for name in (TRAIN, HELD_OUT))
    yield from heapq.merge(*sides, key=lambda placed: placed.id)


def _side(folder: Path, name: str) -> Iterator[_Placed]:
    for row in read_rows(folder / name):
        yield _Placed(row.id, name, row)


def _compared(before: _Placed, after: _Placed) -> Change | None:
    if _content(before.row) != _content(after.row):
        return Change(ChangeKind.CHANGED, before.row, after.row)
    if before.side != after.side:
        return Change(ChangeKind.MOVED, before.row, after.row)
    return None


def _content(row: Row) -> str:
    said = [row.prompt, row.learn, row.answer, row.rejected, row.should_escalate, row.topic]
    about = [row.source, row.synthetic_of, row.slice, row.origin]
    return json.dumps([*said, *about], sort_keys=True, default=str)


def _sample(change: Change) -> dict[str, Any]:
    row = change.row
    shown = {
        "id": row.id,
        "source": row.source,
        "asked": _cut(row.prompt[-1]["content"] if row.prompt else ""),
        "answer": _cut(row.answer or row.rejected or ""),
    }
    if change.kind is ChangeKind.CHANGED and change.before is not None:
        shown["answer_before"] = _cut(change.before.answer or change.before.rejected or "")
    return shown


def _cut(text: str) -> str:
    return "".join(islice(text, _CHARACTERS))
