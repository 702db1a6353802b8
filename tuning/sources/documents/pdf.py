"""The text of PDF files as blocks. The one door to pypdf.

A PDF says where letters stand, not what they are: larger type is taken for a heading, a wider gap
for a new paragraph, and a line that stands at the edge of most pages for a running head.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from records.errors import InvalidInput
from tuning.sources.documents.blocks import Block, BlockKind

_HEADING_SIZE = 1.15
"""Times the size of running text."""
_PARAGRAPH_GAP = 1.45
"""Times the usual distance of two lines."""
_LONGEST_HEADING = 160
_HEADING_LEVELS = 3
_FEWEST_PAGES = 3
_ITEM = re.compile(r"([•·▪◦–*-]|\d{1,2}[.)])\s+(\S.*)", re.DOTALL)
_MALFORMED = (
    PyPdfError, AssertionError, AttributeError, IndexError, KeyError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip
"""What pypdf raises on files that break the format's rules."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: its words, the size of its type in points, and how high it stands."""

    text: str
    size: float
    height: float
    is_bold: bool = False


def read_pdf(path: Path) -> tuple[str, list[Block]]:
    """The title of a PDF (its own word, or its largest heading) and its blocks.

    Raises:
        InvalidInput: locked, damaged, or pictures of pages without any text.
    """
    try:
        with PdfReader(path) as reader:
            if reader.is_encrypted and not reader.decrypt(""):
                raise InvalidInput("it is locked with a password; save a copy without one")
            pages = [_lines(page) for page in reader.pages]
            title = str((reader.metadata or {}).get("/Title") or "").strip()
    except DependencyError as error:
        raise InvalidInput("it is encrypted; save a copy that isn't") from error
    except _MALFORMED as error:
        raise InvalidInput(f"it can't be read as PDF ({type(error).__name__}: {error})") from error
    if not any(pages):
        raise InvalidInput(
            f"there is no text on its pages ({len(pages)}), so it was scanned, probably; have the "
            "words recognised first, for example: ocrmypdf FILE WITH_TEXT"
        )
    blocks = to_blocks(pages)
    headings = [block for block in blocks if block.kind is BlockKind.HEADING]
    return title or next((b.text for b in sorted(headings, key=lambda b: b.level)), ""), blocks


def to_blocks(pages: Sequence[Sequence[Line]]) -> list[Block]:
    """The lines of pages as headings, paragraphs and items. Pure; no lines give no blocks."""
    body = _usual_size(pages)
    kept = _without_running_heads(pages, body)
    gap = _usual_gap(kept, body)
    sizes = sorted({line.size for page in kept for line in page if _is_large(line, body)})
    levels = {size: min(at, _HEADING_LEVELS) for at, size in enumerate(reversed(sizes), start=1)}
    blocks: list[Block] = []
    before: Line | None = None
    for page in kept:
        for at, line in enumerate(page):
            level = levels.get(line.size, 0)
            apart = before is None or _stands_apart(before, line, gap=gap if at else None)
            if before is None or apart or not _goes_on(blocks, before, line, level):
                blocks.append(_block(line, level))
            else:
                last = blocks[-1]
                joined = _joined(last.text, line.text)
                blocks[-1] = Block(last.kind, joined, last.level, last.is_bold and line.is_bold)
            before = line
    return blocks


def _lines(page: Any) -> list[Line]:
    """The lines of a page in the order in which they are written."""
    pieces: list[tuple[str, float, bool]] = []
    heights: list[float] = []
    found: list[Line] = []

    def close() -> None:
        text = " ".join("".join(piece for piece, _, _ in pieces).split())
        if text:
            weights: Counter[float] = Counter()
            for piece, size, _ in pieces:
                weights[size] += len(piece.strip())
            bold = all(is_bold for piece, _, is_bold in pieces if piece.strip())
            found.append(Line(text, weights.most_common(1)[0][0], heights[0], bold))
        pieces.clear()
        heights.clear()

    def visit(text: str, user: Any, matrix: Any, font: Any, size: float) -> None:
        scale = abs(matrix[3] or matrix[1]) * abs(user[3] or user[1])
        bold = re.search(r"bold|black|heavy|medi", str((font or {}).get("/BaseFont", "")), re.I)
        height = matrix[5] * user[3] + user[5]
        for at, part in enumerate(text.split("\n")):
            if at:
                close()
            if part:
                pieces.append((part, round(size * scale, 1), bool(bold)))
                heights.append(height)

    page.extract_text(visitor_text=visit)
    close()
    return found


def _without_running_heads(pages: Sequence[Sequence[Line]], body: float) -> list[list[Line]]:
    """The pages without page numbers, and without the lines that most of them begin or end with."""
    edges = Counter(
        _shape(line) for page in pages for line in {*page[:2], *page[-2:]} if _shape(line)
    )
    often = max(_FEWEST_PAGES, len(pages) / 2)

    def is_running(line: Line, at: int, count: int) -> bool:
        at_edge = (at < 2 or at >= count - 2) and not _is_large(line, body)
        return at_edge and (not _shape(line) or edges[_shape(line)] >= often)

    return [
        [line for at, line in enumerate(page) if not is_running(line, at, len(page))]
        for page in pages
    ]


def _shape(line: Line) -> str:
    """A line without its digits: what pages have in common; empty for a page's number."""
    return re.sub(r"[\d\W]+|\b(?:page|seite|of|von)\b", " ", line.text.lower()).strip()


def _usual_size(pages: Sequence[Sequence[Line]]) -> float:
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _usual_gap(pages: Sequence[Sequence[Line]], body: float) -> float:
    """The distance that most lines of running text have from the one before."""
    gaps = Counter(
        round(gap)
        for page in pages
        for one, other in pairwise(page)
        if one.size == other.size == body and (gap := _gap(one, other)) > 0
    )
    return float(gaps.most_common(1)[0][0]) if gaps else 0.0


def _gap(one: Line, other: Line) -> float:
    return abs(one.height - other.height)


def _is_large(line: Line, body: float) -> bool:
    return line.size > body * _HEADING_SIZE and len(line.text) <= _LONGEST_HEADING


def _stands_apart(before: Line, line: Line, *, gap: float | None) -> bool:
    """Whether a line begins a paragraph; `gap` is the usual distance, None on a new page."""
    if gap is None:
        return before.text[-1:] in ".!?:" or bool(_ITEM.fullmatch(before.text))
    return _gap(before, line) > gap * _PARAGRAPH_GAP


def _block(line: Line, level: int) -> Block:
    if level:
        return Block(BlockKind.HEADING, line.text, level)
    if _ITEM.fullmatch(line.text):
        return Block(BlockKind.ITEM, line.text)
    return Block(BlockKind.TEXT, line.text, is_bold=line.is_bold)


def _goes_on(blocks: Sequence[Block], before: Line, line: Line, level: int) -> bool:
    """Whether a line belongs to the block before it, standing close below."""
    last = blocks[-1]
    if level or last.kind is BlockKind.HEADING:
        return bool(level) and last.kind is BlockKind.HEADING and last.level == level
    return not _ITEM.fullmatch(line.text) and before.is_bold == line.is_bold


def _joined(one: str, other: str) -> str:
    """Two lines as one, a word that was divided between them made whole."""
    if re.search(r"\w-$", one) and other[:1].islower():
        return one[:-1] + other
    return f"{one} {other}"
