"""Somebody else's words as rich text: changes struck out and bold, personal data marked.

What stands in a `text` element is neither formatted, linked nor read as a mention.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from slack_sdk.models.blocks import Block, RichTextBlock, RichTextSectionElement
from slack_sdk.models.blocks import RichTextElementParts as Parts

from bot import text as texts
from bot import wording
from bot.review.word_diff import Change, Piece, word_diff
from bot.views.content import small
from records.personal_data import PersonalData, find

LONGEST = 2900
_MOST_PARTS = 300


class _Part(NamedTuple):
    """A part of a text that looks the same from end to end."""

    text: str
    change: Change
    is_personal: bool


def marked(words: str, *, most: int = 2, longest: int = LONGEST) -> list[Block]:
    """A text of any length with its personal data marked, and a note where its end is left out."""
    text = texts.clean(words)
    parts, left = texts.pieces(text, limit=longest, most=most)
    blocks: list[Block] = []
    for part in parts:
        piece = Piece(Change.KEPT, part)
        blocks.append(_rich_text(_parts([piece], _is_personal(part), _is_personal(part))))
    if left:
        blocks.append(small(wording.review.LEFT_OUT.format(number=f"{left:,}")))
    return blocks


def changes(before: str, after: str) -> list[Block] | None:
    """Both texts in one, word by word; None where they are better shown one after the other."""
    old, new = texts.clean(before), texts.clean(after)
    pieces = word_diff(old, new)
    if pieces is None or texts.length("".join(piece.text for piece in pieces)) > LONGEST:
        return None
    parts = list(_apart(_parts(pieces, _is_personal(old), _is_personal(new))))
    return [_rich_text(parts)] if len(parts) <= _MOST_PARTS else None


def kinds_found(*words: str) -> list[PersonalData]:
    """The kinds of personal data in several texts, each once."""
    found = {one.kind for text in words for one in find(texts.clean(text))}
    return [kind for kind in PersonalData if kind in found]


def _is_personal(text: str) -> bytearray:
    """For each character whether it is part of personal data."""
    mask = bytearray(len(text))
    for one in find(text):
        mask[one.start : one.end] = b"\1" * (one.end - one.start)
    return mask


def _parts(pieces: Sequence[Piece], old: bytearray, new: bytearray) -> Iterator[_Part]:
    """The pieces, divided where personal data begins and ends."""
    in_old = in_new = 0
    for piece in pieces:
        size = len(piece.text)
        flags = bytearray(size)
        if piece.change is not Change.ADDED:
            flags = _either(flags, old[in_old : in_old + size])
            in_old += size
        if piece.change is not Change.REMOVED:
            flags = _either(flags, new[in_new : in_new + size])
            in_new += size
        for is_personal, run in groupby(zip(piece.text, flags, strict=True), key=_flag):
            yield _Part("".join(letter for letter, _ in run), piece.change, is_personal)


def _apart(parts: Iterable[_Part]) -> Iterator[_Part]:
    """The parts, with a gap where what was added would touch what it took the place of."""
    last = ""
    before = Change.KEPT
    for part in parts:
        swapped = before is Change.REMOVED and part.change is Change.ADDED
        if swapped and not (last.isspace() or part.text[0].isspace()):
            yield _Part(" ", Change.KEPT, is_personal=False)
        yield part
        last, before = part.text[-1], part.change


def _either(one: bytearray, other: bytearray) -> bytearray:
    return bytearray(a | b for a, b in zip(one, other, strict=True))


def _flag(pair: tuple[str, int]) -> bool:
    return bool(pair[1])


def _rich_text(parts: Iterable[_Part]) -> Block:
    return RichTextBlock(elements=[RichTextSectionElement(elements=[_text(p) for p in parts])])


def _text(part: _Part) -> Parts.Text:
    style = Parts.TextStyle(
        bold=part.change is Change.ADDED or None,
        strike=part.change is Change.REMOVED or None,
        code=part.is_personal or None,
    )
    is_plain = part.change is Change.KEPT and not part.is_personal
    return Parts.Text(text=part.text, style=None if is_plain else style)
