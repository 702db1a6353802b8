"""A dataset's files, written from the scratch folder a group of rows at a time."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuning.dataset.cleaning import LESSONS
from tuning.dataset.pipeline import HELD_OUT_SIDE, KEPT_APART_SIDE, TRAIN_SIDE, Prepared
from tuning.dataset.rows import HELD_OUT, KEPT_APART, SCHEMA, TRAIN, RowsFile
from tuning.dataset.scratch import read_lessons, without_digests

_WEIGHT = LESSONS.get_field_index("weight")
FILES = {TRAIN_SIDE: TRAIN, HELD_OUT_SIDE: HELD_OUT}


@dataclass(frozen=True, slots=True)
class Written:
    """What identifies the files, and the first lessons as samples."""

    identities: dict[str, str]
    first: list[dict[str, Any]]
    """Records of the first lessons that are trained on."""


def content_hash(identities: Mapping[str, str]) -> str:
    """SHA-256 over the names of a dataset's files and what identifies each, 64 digits."""
    digest = hashlib.sha256()
    for name, identity in identities.items():
        digest.update(f"{name} {identity}\n".encode())
    return digest.hexdigest()


def write_files(
    folder: Path, prepared: Prepared, *, added: pa.Table | None = None, samples: int
) -> Written:
    """Write train and held-out rows, sorted by id; `added` (see `cleaning.LESSONS`) are trained on.

    Raises:
        OSError: there is no space, or no right to write.
    """
    files = {side: RowsFile(folder / name) for side, name in FILES.items()}
    more = _Sorted(added)
    first: list[dict[str, Any]] = []
    apart: list[pa.Table] = []  # few, see `forgetting.MOST`
    with files[TRAIN_SIDE] as train, files[HELD_OUT_SIDE] as held_out:
        for table, sides in _groups(prepared):
            last = table.column("id")[-1].as_py()
            kept = _with(table.filter(pa.array(sides == TRAIN_SIDE)), more.up_to(last))
            _write(train, kept)
            _write(held_out, table.filter(pa.array(sides == HELD_OUT_SIDE)))
            apart.append(table.filter(pa.array(sides == KEPT_APART_SIDE)))
            if len(first) < samples:
                first += kept.slice(0, samples - len(first)).select(SCHEMA.names).to_pylist()
        _write(train, more.rest())
    identities = {name: files[side].identity for side, name in FILES.items()}
    return Written(identities | _write_apart(folder / KEPT_APART, apart), first)


def _write_apart(path: Path, tables: Sequence[pa.Table]) -> dict[str, str]:
    """Write what is kept apart, and what identifies it; without any, no file."""
    if not any(table.num_rows for table in tables):
        return {}
    with RowsFile(path) as file:
        for table in tables:
            _write(file, table)
    return {path.name: file.identity}


def _groups(prepared: Prepared) -> Iterator[tuple[pa.Table, NDArray[np.int8]]]:
    """The rows with their weights, and the side of each."""
    start = 0
    for table in read_lessons(prepared.folder):
        numbers = slice(start, start + table.num_rows)
        start += table.num_rows
        weights = pa.array(prepared.weights[numbers], pa.float32())
        yield (
            table.set_column(_WEIGHT, LESSONS.field(_WEIGHT), weights),
            prepared.sides[numbers],
        )


def _with(table: pa.Table, added: pa.Table) -> pa.Table:
    return pa.concat_tables([table, added]).sort_by("id") if added.num_rows else table


def _write(file: RowsFile, table: pa.Table) -> None:
    if table.num_rows:
        batch, digests = without_digests(table)
        file.write(batch, digests=digests)


class _Sorted:
    """Added rows, handed out in the order of their ids."""

    def __init__(self, added: pa.Table | None) -> None:
        found = LESSONS.empty_table() if added is None else added
        self._left = found.sort_by("id")

    def up_to(self, last: str) -> pa.Table:
        count = pc.sum(pc.less_equal(self._left.column("id"), last)).as_py() or 0
        taken, self._left = self._left.slice(0, count), self._left.slice(count)
        return taken

    def rest(self) -> pa.Table:
        return self._left
