"""An escalation's card: whose question it is, how it stands, and what may be done with it."""

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject

from bot import wording
from bot.text import clean, cut, escaped, literal, who
from bot.views.content import Button, Content, buttons, content, duration, line, moment, said, small
from bot.views.transcript import speaker
from records.handle_time import handled_seconds
from records.states import EscalationState, Resolution
from records.tables import Conversation, Escalation, Turn

_SHOWN_TURNS = 3
_SHOWN_CHARACTERS = 500
"""Of a turn; the whole stands in the thread."""
_LONGEST_ID = 64
"""As long as records keep an agent's."""


def escalation_card(
    escalation: Escalation,
    conversation: Conversation,
    *,
    led_here: Sequence[Turn],
    version: str | None,
) -> Content:
    """The card in the channel; of what `led_here` the last turns are shown, in short."""
    words = wording.conversations
    customer = literal(conversation.customer, 80) if conversation.customer else ""
    reason = words.REASONS[escalation.reason]
    facts = [
        words.CUSTOMER.format(customer=customer or words.CUSTOMER_UNKNOWN),
        words.REASON.format(reason=reason, cause=literal(escalation.cause, 300)),
        words.VERSION.format(version=literal(version) if version else words.NO_VERSION),
    ]
    title = words.CARD_TITLE.format(assistant=conversation.assistant)
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=cut(title, 150))),
        line("\n".join(facts)),
        *_last_words(led_here),
        line(_state(escalation)),
        small(*_small_print(escalation)),
        *_choices(escalation),
    ]
    return content(escaped(f"{title}: {reason}"), blocks)


def _last_words(led_here: Sequence[Turn]) -> list[Block]:
    blocks: list[Block] = []
    for turn in led_here[-_SHOWN_TURNS:]:
        short = cut(clean(turn.content), _SHOWN_CHARACTERS)
        blocks += [small(speaker(turn)), *said(short, most=1)]
    return blocks


def _state(escalation: Escalation) -> str:
    words = wording.conversations
    if escalation.state is EscalationState.RESOLVED:
        by = escalation.resolved_by or escalation.owner or ""
        return words.ENDED[escalation.resolution or Resolution.SOLVED].format(by=who(by))
    if escalation.state is EscalationState.WAITING:
        how = words.STATE_WAITING.format(since=moment(escalation.opened_at))
    elif escalation.paused_at is not None:
        how = words.STATE_PAUSED.format(
            owner=who(escalation.owner or ""), since=moment(escalation.paused_at)
        )
    else:
        since = moment(escalation.taken_at or escalation.opened_at)
        how = words.STATE_TAKEN.format(owner=who(escalation.owner or ""), since=since)
    if escalation.assignee is None:
        return how
    return f"{how}\n{words.STATE_ASKED.format(assignee=who(escalation.assignee))}"


def _small_print(escalation: Escalation) -> list[str]:
    words = wording.conversations
    until = escalation.taken_at or escalation.resolved_at
    since = moment(escalation.opened_at)
    parts = [words.OPENED.format(since=since)]
    if until is not None:
        waited = _length(escalation.opened_at, until)
        parts = [words.WAITED.format(duration=waited, since=since)]
    spent = handled_seconds(escalation)
    if spent is not None and escalation.paused_seconds:
        paused = duration(escalation.paused_seconds)
        parts.append(words.HANDLED_PAUSED.format(duration=duration(spent), paused=paused))
    elif spent is not None:
        parts.append(words.HANDLED.format(duration=duration(spent)))
    if escalation.note:
        parts.append(words.NOTE.format(note=literal(escalation.note, 1000)))
    return [*parts, escalation.id]


def _length(start: datetime, end: datetime) -> str:
    return duration((end - start).total_seconds())


def _choices(escalation: Escalation) -> list[Block]:
    match escalation.state:
        case EscalationState.WAITING:
            return [buttons("escalation", *_of_a_waiting_one(escalation.id))]
        case EscalationState.TAKEN:
            return [buttons("escalation", *_of_a_taken_one(escalation))]
        case EscalationState.RESOLVED:
            return []


def _of_a_waiting_one(name: str) -> list[Button]:
    words = wording.conversations
    return [
        Button(words.TAKE_OVER, "take_over", name, style="primary"),
        Button(words.ASSIGN, "assign", name),
        Button(words.DISMISS, "dismiss", name, question=words.DISMISS_QUESTION),
    ]


def _of_a_taken_one(escalation: Escalation) -> list[Button]:
    words, name = wording.conversations, escalation.id
    pause = Button(words.PAUSE, "pause", name)
    if escalation.paused_at is not None:
        pause = Button(words.RESUME, "resume", name)
    return [
        Button(words.RESOLVE, "resolve", name, style="primary"),
        pause,
        Button(words.HAND_BACK, "hand_back", name, question=words.HAND_BACK_QUESTION),
        Button(words.ASSIGN, "assign", name),
        Button(
            words.TAKE_OVER_FROM,
            "take_over_from",
            f"{name} {(escalation.owner or '')[:_LONGEST_ID]}",
            question=words.TAKE_OVER_FROM_QUESTION,
        ),
    ]
