"""A dataset's documents.parquet: the team's pages, for continued pre-training.

One row a page (`SCHEMA`), sorted by name: its text is plain with headings (`## Returns`), as
`records.documents` keeps it. Sections whose question is a frozen test case are left out: their
words are its answer.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from records import documents
from records.assistant import Assistant
from records.database import Database
from records.messages import Message, Role
from records.tables import Document
from tuning.dataset.cases import Cases
from tuning.dataset.rows import DOCUMENTS
from tuning.sources.documents.blocks import Section, sections

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("licence", pa.string()),
    ]
)
_BATCH_PAGES = 64


@dataclass(frozen=True, slots=True)
class WrittenDocuments:
    """What was written, for the dataset's card."""

    identity: str
    """SHA-256 over the pages' canonical JSON, 64 hexadecimal digits."""
    pages: int
    characters: int
    sections_left_out: int
    """Those whose question is a test case, or nearly is."""
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page as a trainer reads it."""

    id: str
    name: str
    title: str
    text: str
    licence: str | None


def write_documents(
    database: Database, assistant: Assistant, folder: Path, *, cases: Cases
) -> WrittenDocuments | None:
    """Write an assistant's pages into a folder, a few in memory; None, and no file, without any."""
    digest, pages, characters, left_out = hashlib.sha256(), 0, 0, 0
    licences: set[str] = set()
    writer: pq.ParquetWriter | None = None
    with database.read() as session, ExitStack() as opened:
        found = documents.texts(session, assistant.name)
        while batch := list(islice(found, _BATCH_PAGES)):
            rows = [_row(page, cases) for page in batch]
            left_out += sum(count for _, count in rows)
            records = [row for row, _ in rows if row["text"]]
            if writer is None:
                file = pq.ParquetWriter(folder / DOCUMENTS, SCHEMA, compression="zstd")
                writer = opened.enter_context(file)
            writer.write_table(pa.Table.from_pylist(records, schema=SCHEMA))
            for row in records:
                digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
                characters += len(row["text"])
                licences |= {row["licence"]} - {None}
            pages += len(records)
    if writer is None:
        return None
    return WrittenDocuments(
        digest.hexdigest(), pages, characters, left_out, tuple(sorted(licences))
    )


def read_documents(path: Path) -> Iterator[PageRow]:
    """The pages of a dataset's file, a few in memory at a time; none where there is no file."""
    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH_PAGES):
            for record in batch.to_pylist():
                yield PageRow(**record)


def _row(page: Document, cases: Cases) -> tuple[dict[str, Any], int]:
    """A page as Parquet keeps it, and how many of its sections are left out."""
    text, left_out = _without_cases(page.text, cases)
    row = {
        "id": page.id,
        "name": page.name,
        "title": page.title,
        "text": text,
        "licence": page.licence,
    }
    return row, left_out


def _without_cases(text: str, cases: Cases) -> tuple[str, int]:
    found = sections(text)
    asked = [[Message(Role.CUSTOMER, s.path[-1] if s.path else "")] for s in found]
    cut = [s for s, line in zip(found, cases.contact(asked), strict=True) if line is not None]
    if not cut:
        return text, 0
    kept = [section for section in found if section not in cut]
    return "\n\n".join(map(_written, kept)), len(cut)


def _written(section: Section) -> str:
    if not section.path:
        return section.text
    return f"{'#' * min(len(section.path), 6)} {section.path[-1]}\n\n{section.text}"
