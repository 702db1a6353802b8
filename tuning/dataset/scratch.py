"""The scratch folder of a dataset being made: every example that is left, on disk.

lessons.parquet   rows as the dataset will hold them (`cleaning.LESSONS`), by the examples' ids
keys.parquet      a row for each of them (`cleaning.keys_schema`), and its number `n` from 0
spill/            what DuckDB has no memory for, see `sheet.py`
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from records.errors import StorageFull, StorageUnavailable, UnderstudyError
from tuning.dataset.cleaning import DIGEST, LESSONS, Cleaned, keys_schema
from tuning.dataset.nearness import Bands
from tuning.dataset.rows import SCHEMA

GROUP_ROWS = 8192
"""Rows written, and read again, at once."""
NUMBER = "n"
_FULL_ERRNOS = {27, 28, 122}  # file too large, no space, quota
_FULL_WORDS = "No space left"


def lessons_file(folder: Path) -> Path:
    """Where the rows are."""
    return folder / "lessons.parquet"


def keys_file(folder: Path) -> Path:
    """Where the keys are."""
    return folder / "keys.parquet"


class ScratchWriter:
    """Writes batches as they come, a row group at a time."""

    def __init__(self, folder: Path, bands: Bands | None) -> None:
        self._folder = folder
        self._keys = keys_schema(bands).append(pa.field(NUMBER, pa.int32()))
        self._lesson_batches: list[pa.RecordBatch] = []
        self._key_batches: list[pa.RecordBatch] = []
        self._held = 0
        self.rows = 0

    def __enter__(self) -> Self:
        self._lessons_writer = pq.ParquetWriter(lessons_file(self._folder), LESSONS)
        self._keys_writer = pq.ParquetWriter(keys_file(self._folder), self._keys)
        return self

    def __exit__(self, *_: object) -> None:
        self._flush(all_of_it=True)
        self._lessons_writer.close()
        self._keys_writer.close()

    def write(self, cleaned: Cleaned) -> None:
        """Add what is left of a batch."""
        count = cleaned.keys.num_rows
        numbers = pa.array(np.arange(self.rows, self.rows + count, dtype=np.int32))
        columns = [*cleaned.keys.columns, numbers]
        self._key_batches.append(pa.RecordBatch.from_arrays(columns, schema=self._keys))
        self._lesson_batches.append(cleaned.lessons)
        self.rows += count
        self._held += count
        if self._held >= GROUP_ROWS:
            self._flush(all_of_it=False)

    def _flush(self, *, all_of_it: bool) -> None:
        """Write whole row groups, so that a row's number says in which group it is."""
        lessons = pa.Table.from_batches(self._lesson_batches, schema=LESSONS)
        keys = pa.Table.from_batches(self._key_batches, schema=self._keys)
        whole = self._held if all_of_it else self._held - self._held % GROUP_ROWS
        if whole:
            self._lessons_writer.write_table(lessons.slice(0, whole), row_group_size=GROUP_ROWS)
            self._keys_writer.write_table(keys.slice(0, whole), row_group_size=GROUP_ROWS)
        self._lesson_batches = lessons.slice(whole).to_batches()
        self._key_batches = keys.slice(whole).to_batches()
        self._held -= whole


def read_lessons(folder: Path) -> Iterator[pa.Table]:
    """The rows, a group of `GROUP_ROWS` at a time (the last is shorter)."""
    with pq.ParquetFile(lessons_file(folder)) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def read_records(folder: Path, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """A few rows by their numbers, as records of `rows.SCHEMA`."""
    found = []
    with pq.ParquetFile(lessons_file(folder)) as file:
        for number in numbers:
            group = file.read_row_group(number // GROUP_ROWS, columns=SCHEMA.names)
            found += group.slice(number % GROUP_ROWS, 1).to_pylist()
    return found


def without_digests(table: pa.Table) -> tuple[pa.RecordBatch, bytes]:
    """Rows as a dataset holds them, and the bytes of their digests."""
    batch = table.combine_chunks().to_batches()
    if not batch:
        return pa.RecordBatch.from_pylist([], schema=SCHEMA), b""
    (whole,) = batch
    digests = b"".join(whole.column(DIGEST).to_pylist())
    return whole.select(SCHEMA.names).cast(SCHEMA), digests


def storage_error(error: BaseException) -> UnderstudyError | None:
    """Our error where the scratch folder's disk, or memory, is at the bottom of `error`."""
    said = str(error)
    if (isinstance(error, OSError) and error.errno in _FULL_ERRNOS) or _FULL_WORDS in said:
        return StorageFull(
            f"No space is left for making the dataset ({said}). Free some or move UNDERSTUDY_HOME, "
            "then retrain."
        )
    if type(error).__name__ == "OutOfMemoryException":  # DuckDB's, which is imported lazily
        return StorageUnavailable(
            f"Memory is too short for making the dataset ({said}). Free some, then retrain."
        )
    return None
