"""The building stones of all views, made with slack_sdk's classes so that limits are enforced."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot import text as texts
from bot import wording

MOST_BLOCKS = 50
_SECTION = 2900
_FALLBACK = 300
_VALUE = 2000
_NEARLY_CERTAIN = 0.99
_NO_CAPITAL = "\u200b"
"""Slack begins a date with a capital ("Today"), unless a space of no width stands before it."""


@dataclass(frozen=True, slots=True)
class Content:
    """A message: the line that notifications show, and its blocks."""

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)


def content(line: str, blocks: Sequence[Block]) -> Content:
    """A message of at most 50 blocks; more than that is a mistake of the view.

    Raises:
        SlackObjectFormationError: a block is past one of Slack's limits.
    """
    assert len(blocks) <= MOST_BLOCKS, f"{len(blocks)} blocks"
    return Content(texts.cut(line, _FALLBACK), [block.to_dict() for block in blocks])


def plain(text: str) -> PlainTextObject:
    """Somebody else's words: neither formatted nor linked, and no ping."""
    return PlainTextObject(text=text, emoji=False)


def ours(text: str) -> MarkdownTextObject:
    """Our own words, formatted; what stands in it of others went through `literal`."""
    return MarkdownTextObject(text=text, verbatim=True)


def said(words: str, *, most: int = 4, note: bool = True) -> list[Block]:
    """A text of any length as sections, with a note where the end had to be left out."""
    parts, left = texts.pieces(texts.clean(words), limit=_SECTION, most=most)
    blocks: list[Block] = [SectionBlock(text=plain(part)) for part in parts]
    if left and note:
        blocks.append(small(wording.machine.LEFT_OUT.format(number=f"{left:,}")))
    return blocks


def line(text: str) -> Block:
    """A paragraph of our own words."""
    return SectionBlock(text=ours(texts.cut(text, _SECTION)))


def small(*parts: str) -> Block:
    """A line in small print, of our own words."""
    return ContextBlock(elements=[ours(texts.cut(part, _SECTION)) for part in parts[:10] if part])


@dataclass(frozen=True, slots=True)
class Button:
    """A button and what it carries; `question` is asked before it counts.

    The question is answered with `yes` (the button's own label, unless it says more) or `no`.
    """

    label: str
    action: str
    value: str
    style: str | None = None
    question: str | None = None
    yes: str | None = None
    no: str = wording.machine.CANCEL

    def __post_init__(self) -> None:
        """Refuse a question whose two answers are named alike: nobody could tell which is which."""
        assert self.question is None or self._agreed.casefold() != self.no.casefold(), self.no

    @property
    def _agreed(self) -> str:
        return self.yes or self.label

    @property
    def element(self) -> ButtonElement:
        """The button in Block Kit."""
        return ButtonElement(
            text=PlainTextObject(text=texts.cut(self.label, 75)),
            action_id=self.action,
            value=self.value[:_VALUE],
            style=self.style,
            confirm=self._confirm,
        )

    @property
    def _confirm(self) -> ConfirmObject | None:
        if self.question is None:
            return None
        return ConfirmObject(
            title=PlainTextObject(text=texts.cut(self._agreed, 100)),
            text=PlainTextObject(text=texts.cut(self.question, 300)),
            confirm=PlainTextObject(text=texts.cut(self._agreed, 30)),
            deny=PlainTextObject(text=self.no),
        )


def buttons(block_id: str, *items: Button) -> Block:
    """A row of buttons."""
    return ActionsBlock(block_id=block_id, elements=[item.element for item in items])


def moment(at: datetime) -> str:
    """A time as each reader's own clock shows it."""
    fallback = at.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{_NO_CAPITAL}{{date_short_pretty}} {{time}}|{fallback}>"


def took(milliseconds: float | None) -> str:
    """How long an answer took: short times are told more exactly."""
    passed = milliseconds or 0.0
    if passed < 1000:
        return f"{passed:.0f} ms"
    return f"{passed / 1000:.1f} s" if passed < 10_000 else duration(passed / 1000)


def probability(share: float) -> str:
    """A probability in two digits; only what is certain is 1.00."""
    return f"{share if share >= 1 else min(share, _NEARLY_CERTAIN):.2f}"


def duration(seconds: float) -> str:
    """A length of time in words, as exact as people say it."""
    words = wording.machine
    if seconds < 90:
        return words.SECONDS.format(number=max(0, round(seconds)))
    if seconds < 90 * 60:
        return words.MINUTES.format(number=round(seconds / 60))
    hours = seconds / 3600
    if hours < 10:
        return words.HOURS.format(number=f"{hours:.1f}".removesuffix(".0"))
    if hours < 48:
        return words.HOURS.format(number=round(hours))
    return words.DAYS.format(number=f"{round(hours / 24):,}")
