"""A file of past conversations, of any format, as the objects that lines of JSONL would hold."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from records.errors import InvalidInput
from tuning.sources.columns import ColumnMap, resolve_columns
from tuning.sources.conversations import Speaker
from tuning.sources.delimited import Cells, DelimitedFile
from tuning.sources.encoding import named, of_file
from tuning.sources.imported_line import read_object
from tuning.sources.rows import Record, lessons_of_rows

_MARK = b"\xef\xbb\xbf"
_DOCUMENTS = (".md", ".markdown", ".html", ".htm", ".pdf", ".txt")


class Format(StrEnum):
    """What a file is written in."""

    JSONL = "JSONL"
    DELIMITED = "CSV"
    PARQUET = "Parquet"


@dataclass(frozen=True, slots=True)
class Options:
    """How files are to be read, as far as a person says."""

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    speakers: Mapping[str, Speaker] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """A file being read: what a person is told of it, its records, and how far it has come."""

    told: str
    records: Iterator[Record]
    share: Callable[[], float]
    """Of the file that has been read, 0..1."""
    what: str = "lines"


@contextmanager
def read_file(path: Path, options: Options) -> Iterator[Reading]:
    """Open a file for one pass.

    Raises:
        InvalidInput: it isn't one that can be read, or its columns make no lessons.
    """
    opened = {
        Format.PARQUET: _parquet,
        Format.DELIMITED: _delimited,
        Format.JSONL: _jsonl,
    }[format_of(path)]
    with opened(path, options) as reading:
        yield reading


def format_of(path: Path) -> Format:
    """What a file is written in, by its first bytes and its name.

    Raises:
        InvalidInput: none that can be imported; what to do.
    """
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            first = stream.read(4096)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    if first.startswith(b"PAR1"):
        return Format.PARQUET
    if suffix in _DOCUMENTS:
        raise InvalidInput(f"{path} is a document: understudy documents add {path}")
    if first.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidInput(f"{path} is a spreadsheet or an archive; save it as CSV (UTF-8).")
    if first.startswith(b"\x1f\x8b"):
        raise InvalidInput(f"{path} is compressed: gunzip --keep {path}")
    begin = first.removeprefix(_MARK).lstrip()
    if begin.startswith(b"[") and suffix in (".json", ".jsonl"):
        raise InvalidInput(
            f"{path} is one JSON array; write one object a line: jq -c '.[]' {path} > new.jsonl"
        )
    if suffix in (".csv", ".tsv", ".tab"):
        return Format.DELIMITED
    return (
        Format.JSONL
        if suffix in (".jsonl", ".json") or begin.startswith(b"{")
        else (Format.DELIMITED)
    )


@contextmanager
def _jsonl(path: Path, options: Options) -> Iterator[Reading]:
    size = max(1, path.stat().st_size)
    with path.open("rb") as stream:
        records, told = from_lines(stream), "JSONL, one lesson a line"
        if options.columns:
            columns = resolve_columns(options.columns, _keys(path), file=str(path))
            records, told = _mapped(records, columns, options), f"JSONL; {columns.words}"
        yield Reading(told, records, lambda: stream.tell() / size)


def from_lines(lines: Iterable[bytes]) -> Iterator[Record]:
    """The objects of lines of JSONL; blank lines are left out."""
    for number, line in enumerate(lines, start=1):
        written = line.removeprefix(_MARK)
        if not written.strip():
            continue
        try:
            yield Record(number, read_object(written))
        except InvalidInput as error:
            yield Record(number, problem=str(error))


def _keys(path: Path) -> list[str]:
    """The keys of the first lines of JSONL."""
    with path.open("rb") as stream:
        for count, record in enumerate(from_lines(stream)):
            if record.content:
                return list(record.content)
            if count > 100:
                break
    raise InvalidInput(f"{path} holds no objects.")


@contextmanager
def _delimited(path: Path, options: Options) -> Iterator[Reading]:
    encoding = named(options.encoding) if options.encoding else of_file(path)
    size = max(1, path.stat().st_size)
    with DelimitedFile(path, encoding=encoding, delimiter=options.delimiter) as file:
        columns = resolve_columns(options.columns, file.header, file=str(path))
        rows = (_cells_record(row, file) for row in file.rows())
        yield Reading(
            f"{encoding.words}, {file.dialect.words}; {columns.words}{_unused(columns)}",
            _mapped(rows, columns, options),
            lambda: file.read_bytes / size,
            "rows",
        )


@contextmanager
def _parquet(path: Path, options: Options) -> Iterator[Reading]:
    from tuning.sources.parquet import ParquetFile

    with ParquetFile(path) as file:
        columns = resolve_columns(options.columns, file.header, file=str(path))
        rows = (Record(number, row) for number, row in file.rows(columns.names))
        yield Reading(
            f"Parquet, {file.total_rows:,} rows; {columns.words}{_unused(columns)}",
            _mapped(rows, columns, options),
            lambda: file.read_rows / max(1, file.total_rows),
            "rows",
        )


def _mapped(rows: Iterator[Record], columns: ColumnMap, options: Options) -> Iterator[Record]:
    return lessons_of_rows(rows, columns, options.speakers)


def _unused(columns: ColumnMap) -> str:
    return f" (not used: {', '.join(columns.unused[:12])})" if columns.unused else ""


def _cells_record(row: Cells, file: DelimitedFile) -> Record:
    if row.problem is not None:
        return Record(row.line, problem=row.problem)
    if file.encoding.guessed and any("\ufffd" in cell for cell in row.cells):
        return Record(row.line, problem=f"it holds bytes that are no {file.encoding.name}")
    return Record(row.line, dict(zip(file.header, row.cells, strict=True)))
