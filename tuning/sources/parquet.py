"""Parquet files of lessons: flat columns, or lists of messages. The door to pyarrow here."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from records.errors import InvalidInput

_BATCH_ROWS = 1024


class ParquetFile:
    """A file of rows; use as `with ParquetFile(path) as file`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_rows = 0

    def __enter__(self) -> Self:
        try:
            self._file = pq.ParquetFile(self.path, memory_map=True)
        except (pa.ArrowInvalid, OSError) as error:
            raise InvalidInput(f"{self.path} can't be read as Parquet: {error}") from error
        self.header: list[str] = self._file.schema_arrow.names
        self.total_rows: int = self._file.metadata.num_rows
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows with their numbers from 1, of these columns only, a batch in memory at a time.

        Raises:
            InvalidInput: the file is damaged from here on.
        """
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns)):
                for row in batch.to_pylist():
                    self.read_rows += 1
                    yield self.read_rows, row
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise InvalidInput(
                f"{self.path} is damaged after row {self.read_rows:,}: {error}"
            ) from error
