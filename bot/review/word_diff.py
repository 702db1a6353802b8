"""What changed between two texts, word by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby


class Change(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text before (kept or removed) or after (kept or added)."""

    change: Change
    text: str


MOST_WORDS = 400
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LEAST_LETTERS = 4
_LEAST_KEPT = 0.3
"""Less than this share of kept letters is another text, not a changed one."""


def word_diff(before: str, after: str) -> list[Piece] | None:
    """The pieces of both texts in order; None where comparing word by word says nothing.

    Kept and removed pieces together are the text before, kept and added ones the text after. A
    removed piece stands before the added one that took its place. Long texts and texts that have
    little in common are better shown one after the other.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > MOST_WORDS:
        return None
    pieces = list(_joined(_without_islands(list(_compared(old, new)))))
    kept = sum(len(piece.text) for piece in pieces if piece.change is Change.KEPT)
    return pieces if kept >= _LEAST_KEPT * max(len(before), len(after)) else None


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        gone, come = "".join(old[old_start:old_end]), "".join(new[new_start:new_end])
        if tag == "equal":
            yield Piece(Change.KEPT, gone)
        else:
            yield Piece(Change.REMOVED, gone)
            yield Piece(Change.ADDED, come)


def _without_islands(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Take what was kept between two changes for changed too, where it is hardly a word.

    “In the app” in place of “at the branch” is read more easily than two changes around “the”.
    """
    last = len(pieces) - 1
    for index, piece in enumerate(pieces):
        inside = 0 < index < last
        letters = len(re.findall(r"\w", piece.text))
        if inside and piece.change is Change.KEPT and letters < _LEAST_LETTERS:
            yield Piece(Change.REMOVED, piece.text)
            yield Piece(Change.ADDED, piece.text)
        else:
            yield piece


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Join neighbours: in a run of changes all that was removed comes before what was added."""
    for is_kept, run in groupby(pieces, key=lambda piece: piece.change is Change.KEPT):
        group = list(run)
        for change in (Change.KEPT,) if is_kept else (Change.REMOVED, Change.ADDED):
            text = "".join(piece.text for piece in group if piece.change is change)
            if text:
                yield Piece(change, text)
