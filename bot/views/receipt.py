"""What agents are told of their corrections: that one works now, that others wait."""

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import escaped, literal, who
from bot.views.content import Content, content, line, said, small
from bot.views.version_names import BY_ID, VersionNames
from records.tables import Fix, Flag


def fixed_message(flag: Flag, fix: Fix, *, answer: str, names: VersionNames = BY_ID) -> Content:
    """Before and after, for the thread of the flag; `answer` is what was flagged."""
    version = names.first(fix.version)
    thanks = wording.review.FIXED.format(version=literal(version), who=who(flag.agent))
    blocks: list[Block] = [
        line(thanks),
        small(wording.review.FIXED_BEFORE),
        *said(answer, most=1),
        *_wanted(flag),
        *_after(fix, literal(names.full(fix.version))),
    ]
    return content(escaped(wording.review.FIXED_FALLBACK.format(version=version)), blocks)


def _wanted(flag: Flag) -> list[Block]:
    words = wording.review
    title = words.FIXED_WANTED_HANDOVER if flag.should_escalate else words.FIXED_WANTED
    correction = said(flag.correction, most=1) if flag.correction else []
    return [small(title), *correction] if correction or flag.should_escalate else []


def _after(fix: Fix, version: str) -> list[Block]:
    words = wording.review
    title = words.FIXED_AFTER_HANDOVER if fix.handed_over else words.FIXED_AFTER
    shown = said(fix.answer, most=1) if fix.answer.strip() or not fix.handed_over else []
    return [small(title.format(version=version)), *shown]


def imported_message(number: int) -> Content:
    """How many examples an import left for review."""
    words = wording.review.IMPORTED_ONE if number == 1 else wording.review.IMPORTED
    sentence = words.format(number=f"{number:,}")
    return content(sentence, [line(sentence)])
