"""Escalations in App Home: which wait for a person, and which the reader has.

Home is open to everybody in the workspace, the channel of the cards perhaps is not: what customers
say is shown to those only who have the conversation, or can read its card.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import literal
from bot.views.content import duration, line, moment
from bot.workspaces.addresses import link_to
from records.open_escalations import OpenOne, OpenOnes

MOST = 5
_QUESTION = 80


@dataclass(frozen=True, slots=True)
class EscalationsShown:
    """What goes on at a time; `address` is the workspace's."""

    now: datetime
    agent: str = ""
    waiting: OpenOnes = field(default_factory=OpenOnes)
    mine: OpenOnes = field(default_factory=OpenOnes)
    address: str = ""
    readable: Collection[str] = ()
    """Channels that the agent can read."""


def escalation_blocks(shown: EscalationsShown) -> list[Block]:
    """Two short lists; without anything in them, no more than a sentence."""
    words, waiting, mine = wording.home, shown.waiting, shown.mine
    blocks: list[Block] = [line(words.NOBODY_WAITS)]
    if waiting.number:
        title = words.PEOPLE_WAIT.format(number=f"{waiting.number:,}")
        blocks = [_list(title, waiting, [_of_waiting(one, shown) for one in waiting.oldest])]
    if mine.number:
        title = words.YOURS.format(number=f"{mine.number:,}")
        blocks.append(_list(title, mine, [_of_mine(one, shown) for one in mine.oldest]))
    return blocks


def _list(title: str, ones: OpenOnes, lines: list[str]) -> Block:
    left = ones.number - len(lines)
    more = [wording.home.MORE_OPEN.format(number=f"{left:,}")] if left else []
    return line("\n".join([title, *lines, *more]))


def _of_waiting(one: OpenOne, shown: EscalationsShown) -> str:
    may_read = one.channel in shown.readable and one.question
    words = wording.home.OPEN_WAITING if may_read else wording.home.OPEN_WAITING_UNREAD
    sentence = words.format(
        question=literal(one.question, _QUESTION),
        waited=duration((shown.now - one.escalation.opened_at).total_seconds()),
        assistant=literal(one.assistant, 64),
        reason=wording.conversations.REASONS[one.escalation.reason],
    )
    return _linked(sentence, one, shown)


def _of_mine(one: OpenOne, shown: EscalationsShown) -> str:
    escalation, words = one.escalation, wording.home
    question = literal(one.question, _QUESTION) if one.question else literal(one.assistant, 64)
    if escalation.owner != shown.agent:
        how = words.OPEN_ASKED
    elif escalation.paused_at is not None:
        how = words.OPEN_PAUSED.format(since=moment(escalation.paused_at))
    else:
        how = words.OPEN_YOURS.format(since=moment(escalation.taken_at or escalation.opened_at))
    return _linked(words.OPEN_MINE.format(question=question, how=how), one, shown)


def _linked(words: str, one: OpenOne, shown: EscalationsShown) -> str:
    link = link_to(shown.address, one.channel, one.ts, label=wording.home.SHOW_CARD)
    return f"{words} · {link}" if link else words
