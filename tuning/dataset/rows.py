"""What a dataset's files hold: one row a lesson, in Parquet.

Written by snapshots, read by trainers.

train.parquet, held_out.parquet   lessons, sorted by id
kept_apart.parquet                lessons that are asked and never trained on, if any
                                  (`forgetting.py`)
documents.parquet                 pages for continued pre-training; only where the method wants them
                                  (their schema and reader: `documents.py`)
card.json                         counts, steps, warnings, the content's hash
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from records.messages import ChatMessage

TRAIN, HELD_OUT, KEPT_APART, DOCUMENTS, CARD = (
    "train.parquet",
    "held_out.parquet",
    "kept_apart.parquet",
    "documents.parquet",
    "card.json",
)
_BATCH_ROWS = 4096

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field(
            "prompt",
            pa.list_(
                pa.struct(
                    [
                        pa.field("role", pa.string(), nullable=False),
                        pa.field("content", pa.string(), nullable=False),
                        pa.field("learn", pa.bool_(), nullable=False),
                    ]
                )
            ),
            nullable=False,
        ),
        pa.field("answer", pa.string()),
        pa.field("rejected", pa.string()),
        pa.field("should_escalate", pa.bool_(), nullable=False),
        pa.field("weight", pa.float32(), nullable=False),
        pa.field("topic", pa.string()),
        pa.field("synthetic_of", pa.string()),
        pa.field("slice", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Row:
    """One lesson: a chat that waits for an answer, and what is right or wrong to say then."""

    id: str
    source: str
    prompt: tuple[ChatMessage, ...]
    """In OpenAI's form, the system prompt first, the customer's words last."""
    learn: tuple[bool, ...]
    """For each message of the prompt whether it, too, is an answer to be learned."""
    answer: str | None
    """The right answer, the handoff marker included; None where only a wrong one is known."""
    rejected: str | None = None
    """The answer that was wrong, the handoff marker included."""
    should_escalate: bool = False
    weight: float = 1.0
    """How much its loss counts beside others'."""
    topic: str | None = None
    synthetic_of: str | None = None
    """The id of the example whose question was put in other words here."""
    slice: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    def chat(self, answer: str | None = None) -> list[ChatMessage]:
        """The whole chat, ending with the right answer or the one given.

        Raises:
            ValueError: there is no right answer, and none is given.
        """
        said = self.answer if answer is None else answer
        if said is None:
            raise ValueError(f"{self.id} has no right answer")
        return [*self.prompt, {"role": "assistant", "content": said}]


def to_record(row: Row) -> dict[str, Any]:
    """A row as Parquet keeps it (see `SCHEMA`)."""
    return {
        "id": row.id,
        "source": row.source,
        "prompt": [
            {"role": m["role"], "content": m["content"], "learn": learn}
            for m, learn in zip(row.prompt, row.learn, strict=True)
        ],
        "answer": row.answer,
        "rejected": row.rejected,
        "should_escalate": row.should_escalate,
        "weight": row.weight,
        "topic": row.topic,
        "synthetic_of": row.synthetic_of,
        "slice": json.dumps(row.slice, ensure_ascii=False, sort_keys=True),
        "origin": json.dumps(row.origin, ensure_ascii=False, sort_keys=True),
    }


def from_record(record: Mapping[str, Any]) -> Row:
    """The row of a record."""
    prompt = record["prompt"]
    return Row(
        id=record["id"],
        source=record["source"],
        prompt=tuple({"role": m["role"], "content": m["content"]} for m in prompt),
        learn=tuple(m["learn"] for m in prompt),
        answer=record["answer"],
        rejected=record["rejected"],
        should_escalate=record["should_escalate"],
        weight=record["weight"],
        topic=record["topic"],
        synthetic_of=record["synthetic_of"],
        slice=json.loads(record["slice"]),
        origin=json.loads(record["origin"]),
    )


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a dataset's file, a batch in memory at a time; none where there is no file."""
    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            for record in batch.to_pylist():
                yield from_record(record)


def write_rows(path: Path, rows: Iterable[Row]) -> str:
    """Write rows in the order given, a batch in memory at a time; returns what identifies them.

    See `RowsFile`.
    """
    waiting = iter(rows)
    with RowsFile(path) as file:
        while batch := [to_record(row) for row in islice(waiting, _BATCH_ROWS)]:
            file.write(
                pa.RecordBatch.from_pylist(batch, schema=SCHEMA),
                digests=b"".join(map(record_digest, batch)),
            )
    return file.identity


def record_digest(record: Mapping[str, Any]) -> bytes:
    """SHA-256 over a record's canonical JSON without its weight, which is given it last."""
    said = {name: value for name, value in record.items() if name != "weight"}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


class RowsFile:
    """A dataset's file being written.

    What identifies it is SHA-256 (64 hexadecimal digits) over the digests of its rows and over
    their weights, so that another release of the Parquet library gives the same content the same
    name, and other processes can take most of the work.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digests, self._weights = hashlib.sha256(), hashlib.sha256()
        self.rows = 0

    def __enter__(self) -> Self:
        self._writer = pq.ParquetWriter(self._path, SCHEMA, compression="zstd")
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, batch: pa.RecordBatch, *, digests: bytes) -> None:
        """Add rows; `digests` holds the 32 bytes of each row's `record_digest`, in order."""
        self._digests.update(digests)
        weights = batch.column(SCHEMA.get_field_index("weight")).to_numpy(zero_copy_only=False)
        self._weights.update(weights.astype("<f4").tobytes())
        self.rows += batch.num_rows
        if batch.num_rows:
            self._writer.write_batch(batch)

    @property
    def identity(self) -> str:
        """What identifies the rows written so far."""
        both = self._digests.digest() + self._weights.digest()
        return hashlib.sha256(both).hexdigest()
