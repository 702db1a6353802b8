"""Whatever line somebody writes, reading it ends soon: one bot reads for everybody."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.asking.question_grammar import Known, understand
from bot.incoming.rich_text import words_of
from bot.review.word_diff import word_diff
from bot.text import clean, is_note, literal, pieces, spoken
from records import personal_data

LONGEST = 40_000
"""Slack cuts a message there."""
KNOWN = Known(["support"], {"support-base": "support"}, {"support": "support-base"})


def typed(line: str) -> str:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": line}]}
    return words_of({"blocks": [{"type": "rich_text", "elements": [section]}]})


READERS: dict[str, Callable[[str], object]] = {
    "is_note": is_note,
    "spoken": spoken,
    "typed": typed,
    "clean": clean,
    "literal": literal,
    "pieces": lambda line: pieces(line, limit=2900, most=20),
    "understand": lambda line: understand(line, KNOWN),
    "asked": lambda line: understand(f"ask version {line}", KNOWN),
    "compared": lambda line: understand(f"compare support-base{line}", KNOWN),
    "word_diff": lambda line: word_diff(line, f"{line}x"),
    "personal_data": personal_data.find,
}


class TooLong(Exception):
    """It was still being read."""


@contextmanager
def soon(seconds: float = 10.0) -> Iterator[None]:
    """Break off what would take minutes, or for ever: what takes its time is milliseconds here."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def long(unit: str) -> str:
    return (unit * LONGEST)[:LONGEST]


ORNAMENTS = [
    ":_:", ":--:|", "-:-:", ":-", "_", "<", "<@", "<:", ":", "1", "1.", "note", "note ", " ", "\t,",
    "&lt;", "&#1", "a)", "@a", "*_~`>", "\u0301\u0316", "\u200b", "\ufdfa", "4-", "a.", "a@", "0x",
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_lines_of_ornaments_are_read_soon(reader: Callable[[str], object]) -> None:
    with soon(60.0):
        for unit in ORNAMENTS:
            for line in (long(unit), f"{long(unit)}x", f"note{long(unit)}"):
                reader(line)


@settings(max_examples=30, deadline=None)
@given(unit=st.text(alphabet=":_-|<>@#&;.,*~` note1aF4\u0301\u200b", min_size=1, max_size=5))
def test_no_line_keeps_the_bot_from_telling_notes(unit: str) -> None:
    with soon():
        is_note(long(unit))
        is_note(spoken(f"{long(unit)}x"))


def test_reading_that_would_not_end_is_seen() -> None:
    with pytest.raises(TooLong), soon(0.2):
        re.match(r"(?:a|a)*b", "a" * LONGEST)
