"""CSV and TSV: dialect sniffed, rows by their first line, whatever is in the rows before them.

A quote that is never closed costs its own row: reading goes on with the line after.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from records.errors import InvalidInput
from tuning.sources.encoding import Encoding

_DELIMITERS = ",;\t|"
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE_CHARACTERS = 1 << 16
_SAMPLE_ROWS = 100
_LONGEST_CELL = 1 << 20
"""In characters. No message is longer; a quote that is never closed is."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file divides its cells."""

    delimiter: str
    escapes: bool = False
    """Quotes within cells are written as `\\"`, not doubled."""

    @property
    def words(self) -> str:
        """As a person is told."""
        return f"cells divided by {_NAMES.get(self.delimiter, repr(self.delimiter))}"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a row, or why it can't be read; `line` is where it begins."""

    line: int
    cells: Sequence[str]
    problem: str | None = None


class _Lines(Iterator[str]):
    """Lines that can be given back, with the number of each."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._number = 0
        self._again: list[tuple[int, str]] = []
        self.taken: list[tuple[int, str]] = []
        """Since the row at hand began."""

    def __next__(self) -> str:
        if self._again:
            numbered = self._again.pop()
        else:
            line = next(self._stream)
            self._number += 1
            numbered = (self._number, line)
        self.taken.append(numbered)
        return numbered[1]

    def retry(self) -> None:
        """Give back all lines of the row at hand but its first."""
        self._again.extend(reversed(self.taken[1:]))
        self.taken.clear()


class DelimitedFile:
    """A file of rows; use as `with DelimitedFile(...) as file`, then read `header` and `rows`."""

    def __init__(self, path: Path, *, encoding: Encoding, delimiter: str | None = None) -> None:
        self.path, self.encoding = path, encoding
        self._wanted = delimiter
        self.header: list[str] = []

    def __enter__(self) -> Self:
        csv.field_size_limit(_LONGEST_CELL)
        errors = "strict" if self.encoding.name.startswith("utf-8") else "replace"
        self._bytes = self.path.open("rb")
        self._stream = io.TextIOWrapper(
            self._bytes, encoding=self.encoding.name, errors=errors, newline=""
        )
        try:
            sample = self._stream.read(_SAMPLE_CHARACTERS)
            self._stream.seek(0)
            self.dialect = sniff(sample, _likely(self.path), only=self._wanted)
            self._rows = self._read()
            self.header = self._header()
        except UnicodeDecodeError as error:
            self._stream.close()
            raise InvalidInput(
                f"{self.path} is not {self.encoding.name}; leave --encoding out."
            ) from error
        except BaseException:
            self._stream.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    @property
    def read_bytes(self) -> int:
        """How far reading has come."""
        return self._bytes.tell()

    def rows(self) -> Iterator[Cells]:
        """The rows after the head; those that are blank are left out."""
        wanted = len(self.header)
        for row in self._rows:
            if row.problem is None and len(row.cells) != wanted:
                if not any(cell.strip() for cell in row.cells):
                    continue
                counted = f"it has {len(row.cells)} cells, the head has {wanted}"
                yield Cells(row.line, row.cells, counted)
            else:
                yield row

    def _header(self) -> list[str]:
        for row in self._rows:
            if row.problem:
                raise InvalidInput(f"{self.path}: the head can't be read: {row.problem}.")
            cells = [cell.strip().removeprefix("\ufeff") for cell in row.cells]
            if cells[0].lower().startswith("sep=") and not any(cells[1:]):
                continue  # a hint for a spreadsheet program
            if any(cells):
                return cells
        raise InvalidInput(f"{self.path} is empty: its first line must name the columns.")

    def _read(self) -> Iterator[Cells]:
        lines = _Lines(self._stream)
        reader = _reader(lines, self.dialect)
        while True:
            lines.taken.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                first = lines.taken[0][0] if lines.taken else 0
                lines.retry()
                yield Cells(first, (), _reason(error))
            else:
                if cells:
                    yield Cells(lines.taken[0][0], cells)


def sniff(sample: str, likely: str = "", *, only: str | None = None) -> Dialect:
    """The dialect by which the first rows have the same number of cells, and most of them.

    A file of one column has none; commas are assumed. Of two that fit alike, quotes are doubled.
    `only` is the delimiter where it is known.
    """
    lines = sample.splitlines(keepends=True)
    if len(sample) >= _SAMPLE_CHARACTERS:
        lines = lines[:-1]  # it is cut
    first = lines[0].strip() if lines else ""
    delimiters = dict.fromkeys(only or likely + _DELIMITERS)
    if not only and first.lower().startswith("sep=") and len(first) == len("sep=;"):
        delimiters, lines = {first[-1]: None}, lines[1:]
    escaping = (False, True) if '\\"' in sample else (False,)
    candidates = [Dialect(one, escapes) for one in delimiters for escapes in escaping]
    scores = [_evenness(lines, dialect) for dialect in candidates]
    best = max(range(len(candidates)), key=lambda at: scores[at])
    return candidates[best] if scores[best] > (0.0, 0) or len(delimiters) == 1 else Dialect(",")


def _likely(path: Path) -> str:
    return "\t" if path.suffix.lower() in (".tsv", ".tab") else ""


def _evenness(lines: Sequence[str], dialect: Dialect) -> tuple[float, int]:
    """The share of rows with as many cells as the first, and how many that are."""
    widths: list[int] = []
    for row in _rows_of(iter(lines), dialect):
        widths += [len(row)] if row != [] else []
        if len(widths) >= _SAMPLE_ROWS:
            break
    if not widths or widths[0] < 2:
        return 0.0, 0
    return widths.count(widths[0]) / len(widths), widths[0]


def _rows_of(lines: Iterator[str], dialect: Dialect) -> Iterator[Sequence[str]]:
    """The rows of lines; one that can't be read has one cell."""
    reader = _reader(lines, dialect)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield ("",)


def _reader(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        doublequote=not dialect.escapes,
        escapechar="\\" if dialect.escapes else None,
        strict=True,
    )


def _reason(error: csv.Error) -> str:
    said = str(error)
    if "field larger" in said:
        return f"a quote is opened and not closed within {_LONGEST_CELL:,} characters"
    if "unexpected end" in said:
        return "a quote is opened and never closed"
    if "expected after" in said:
        return "a quote is closed in the middle of a cell"
    return said
