"""A page as blocks in their order, whatever format it had; its text, sections and questions. Pure.

The text of a page is plain but for headings (`## Returns`) and list marks, so that it can be
trained on, shown to people, and divided into sections again.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_HEADING = re.compile(r"(#{1,6}) (\S.*)")
_DEEPEST = 6
_ASKS = ("?", "？", "؟")


class BlockKind(StrEnum):
    """What a block is to its reader."""

    HEADING = "heading"
    QUESTION = "question"
    """What the page itself marks as a question: a term, a summary, "Q: …"."""
    TEXT = "text"
    ITEM = "item"
    END = "end"
    """What was asked last is answered; what follows is about something else."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a page; `level` is a heading's, from 1, or how deep a list's item is."""

    kind: BlockKind
    text: str = ""
    level: int = 1
    is_bold: bool = False
    """All of it is emphasised, as questions without a heading of their own are."""


@dataclass(frozen=True, slots=True)
class Section:
    """The words under one heading; `path` holds the headings above them, the outermost first."""

    path: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """As an example's origin names it."""
        return " › ".join(self.path)


@dataclass(frozen=True, slots=True)
class Pair:
    """A question that a page asks and answers itself."""

    question: str
    answer: str
    section: str


def page_text(blocks: Sequence[Block]) -> str:
    """The blocks as one text: headings marked, blocks apart, list items together."""
    pieces: list[str] = []
    level, before = 0, None
    for block in blocks:
        if block.kind is BlockKind.END:
            continue
        if block.kind is BlockKind.HEADING:
            level = block.level
        mark = "\n" if block.kind is before is BlockKind.ITEM else "\n\n"
        pieces.append(f"{mark if pieces else ''}{_written(block, level)}")
        before = block.kind
    return "".join(pieces)


def sections(text: str) -> list[Section]:
    """The sections of a page's text, in order; those without words of their own are left out."""
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    found: list[Section] = []

    def close() -> None:
        if words := "\n".join(lines).strip():
            found.append(Section(tuple(title for _, title in path), words))
        lines.clear()

    for line in text.splitlines():
        heading = _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        close()
        level = len(heading[1])
        path = [*(one for one in path if one[0] < level), (level, heading[2].strip())]
    close()
    return found


def pairs(blocks: Sequence[Block]) -> list[Pair]:
    """The questions that a page asks, with the words that answer them, each question once."""
    found: dict[str, Pair] = {}
    for at, block in enumerate(blocks):
        if not _is_question(block):
            continue
        answer = page_text(list(_answering(blocks, at)))
        question = _without_number(block.text)
        if answer and question:
            found.setdefault(question, Pair(question, answer, _section_of(blocks, at)))
    return list(found.values())


def asks(text: str) -> bool:
    """Whether a line is written as a question."""
    return text.rstrip().endswith(_ASKS)


def _written(block: Block, level: int) -> str:
    match block.kind:
        case BlockKind.HEADING:
            return f"{'#' * block.level} {block.text}"
        case BlockKind.QUESTION:
            return f"{'#' * min(level + 1, _DEEPEST)} {block.text}"
        case BlockKind.ITEM:
            return f"{'  ' * (block.level - 1)}{block.text}"
        case _:
            # A line of text must not be taken for a heading when the text is read again.
            return "\n".join(f" {t}" if _HEADING.match(t) else t for t in block.text.splitlines())


def _is_question(block: Block) -> bool:
    if block.kind is BlockKind.QUESTION:
        return True
    return block.kind is BlockKind.HEADING and asks(block.text)


def _answering(blocks: Sequence[Block], at: int) -> Iterator[Block]:
    """The blocks that answer the question at a position: up to what opens something else."""
    asked = blocks[at]
    for block in blocks[at + 1 :]:
        if block.kind is BlockKind.END or _is_question(block):
            return
        if block.kind is BlockKind.HEADING:
            if asked.kind is not BlockKind.HEADING or block.level <= asked.level:
                return
            yield Block(BlockKind.TEXT, block.text)
        else:
            yield block


def _section_of(blocks: Sequence[Block], at: int) -> str:
    """The headings above a question, and the question itself."""
    path: list[tuple[int, str]] = []
    for block in blocks[:at]:
        if block.kind is BlockKind.HEADING:
            path = [*(one for one in path if one[0] < block.level), (block.level, block.text)]
    own = blocks[at]
    if own.kind is BlockKind.HEADING:
        path = [one for one in path if one[0] < own.level]
    return " › ".join([*(title for _, title in path), own.text])


def _without_number(text: str) -> str:
    return re.sub(r"^\s*(?:(?:Q|F|No\.?)?\s*\d{1,3}(?:\.\d{1,3})*\s*[.):]\s*)?", "", text).strip()
