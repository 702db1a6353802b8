"""The sheet on which the steps for the whole set work: keys of all examples, in DuckDB.

Texts stay on disk. Each step names the numbers of the examples that it drops; `live` are those that
no step has dropped. Which of several is kept never depends on the order of rows.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuning.dataset.scratch import keys_file, lessons_file, read_records
from tuning.dataset.tally import CHARACTERS, SAMPLES, Tally

BEST_FIRST = "rank DESC, created DESC, id DESC"
"""What counts more comes first: the source's weight, then the newest."""
_MEMORY_MB = 256
_MEMORY_PER_THREAD_MB = 128
_MOST_MEMORY_MB = 1024
"""DuckDB's; what does not fit is spilled to the scratch folder."""


class Sheet:
    """Keys by number, which of them are dropped, and what each step did."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Open a new sheet on the keys of a scratch folder."""
        import duckdb

        self.folder = folder
        self.tallies: list[Tally] = []
        memory = min(_MOST_MEMORY_MB, _MEMORY_MB + threads * _MEMORY_PER_THREAD_MB)
        self.connection = duckdb.connect(
            ":memory:",  # tables, too, are spilled to the folder where memory is short
            config={
                "threads": threads,
                "memory_limit": f"{memory}MB",
                "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self.run("SET preserve_insertion_order = false")
        keys = _quoted(keys_file(folder))
        self.run(f"CREATE VIEW keys AS SELECT * FROM read_parquet({keys})")  # noqa: S608
        self.run(
            "CREATE VIEW lessons AS SELECT file_row_number::INTEGER AS n, * "  # noqa: S608
            f"FROM read_parquet({_quoted(lessons_file(folder))}, file_row_number = true)"
        )
        self.run("CREATE TABLE dropped (n INTEGER, step UTINYINT, because INTEGER, why VARCHAR)")
        self.run("CREATE VIEW live AS SELECT keys.* FROM keys ANTI JOIN dropped USING (n)")
        (self.size,) = self.one("SELECT count(*) FROM keys")
        self._left = self.size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def run(self, query: str, values: Sequence[object] = ()) -> None:
        """Run a statement of which nothing is wanted."""
        self.connection.execute(query, values).complete()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query that finds few."""
        return [tuple(row) for row in self.connection.execute(query, values).fetchall()]

    def one(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
        """The only row of a query."""
        (row,) = self.rows(query, values)
        return row

    def count(self, condition: str = "true") -> int:
        """How many live examples meet a condition."""
        return int(self.one(f"SELECT count(*) FROM live WHERE {condition}")[0])  # noqa: S608

    def numbers(self, query: str) -> list[NDArray[np.int32]]:
        """The columns of a query, four bytes a row each."""
        found = self.connection.execute(query).fetchnumpy()
        return [column.astype(np.int32) for column in found.values()]

    def batches(self, query: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """What a query finds, a batch in memory at a time; ask nothing else meanwhile."""
        with self.connection.sql(query).to_arrow_reader(rows) as reader:
            yield from reader

    def keep(self, name: str, table: pa.Table) -> None:
        """Make a table of what was found out elsewhere."""
        self.connection.register("found", table)
        self.run(f"CREATE TABLE {name} AS SELECT * FROM found")  # noqa: S608 - names of ours
        self.connection.unregister("found")

    @contextmanager
    def step(self, name: str) -> Iterator[Tally]:
        """Do a step: what the block drops is counted as its, with samples."""
        tally = Tally(name)
        self.tallies.append(tally)
        step, started = len(self.tallies), time.process_time()
        yield tally
        tally.seconds += time.process_time() - started
        (tally.dropped,) = self.one("SELECT count(*) FROM dropped WHERE step = ?", [step])
        self._left -= tally.dropped
        tally.kept = self._left
        if tally.dropped:
            tally.samples = self._samples(step)

    def drop(self, query: str, values: Sequence[object] = ()) -> None:
        """Drop the live examples that a query names: their `n`, `because` of which, and `why`."""
        step = len(self.tallies)
        self.run(
            f"INSERT INTO dropped SELECT n, {step}, because, why FROM ({query})",  # noqa: S608
            values,
        )

    def _samples(self, step: int) -> list[dict[str, str]]:
        rows = self.rows(
            "SELECT d.n, d.why, other.id FROM dropped d "
            "LEFT JOIN keys other ON other.n = d.because "
            "WHERE d.step = ? ORDER BY d.n LIMIT ?",
            [step, SAMPLES],
        )
        records = read_records(self.folder, [n for n, _, _ in rows])
        return [
            {
                "id": record["id"],
                "asked": record["prompt"][-1]["content"][:CHARACTERS],
                "answer": (record["answer"] or record["rejected"] or "")[:CHARACTERS],
                "why": why.replace("{other}", str(other)),
            }
            for record, (_, why, other) in zip(records, rows, strict=True)
        ]


def _quoted(path: Path) -> str:
    """A path as an SQL text."""
    escaped = str(path).replace("'", "''")
    return f"'{escaped}'"
