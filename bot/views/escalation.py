"""An escalation's card: whose question it is, how it stands, and what may be done with it.

One that goes on has the customer's question as its headline; one that has ended is a line.
"""

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block, HeaderBlock

from bot import wording
from bot.text import clean, cut, escaped, literal, who
from bot.views.content import (
    Button,
    Content,
    buttons,
    content,
    duration,
    line,
    moment,
    plain,
    small,
)
from bot.views.transcript import speaker
from bot.views.version_names import BY_ID, VersionNames
from bot.views.why_escalated import why
from records import transcripts
from records.handle_time import handled_seconds
from records.messages import Role
from records.states import EscalationState, Resolution
from records.tables import Conversation, Escalation, Turn

_HEADLINE = 120
_SHOWN_TURNS = 3
_SHOWN_CHARACTERS = 300
"""Of a turn; the whole stands in the thread."""
_QUESTION = 80
"""Of a question in small print."""
_LONGEST_NOTE = 1000
_LEAST_PAUSE_SECONDS = 60.0
"""Shorter pauses change no handling time that is said in minutes."""
_LONGEST_ID = 64
"""As long as records keep an agent's."""


def escalation_card(
    escalation: Escalation,
    conversation: Conversation,
    *,
    led_here: Sequence[Turn],
    version: str | None,
    wrote_again: Turn | None = None,
    names: VersionNames = BY_ID,
) -> Content:
    """The card in the channel.

    Args:
        escalation: As it stands now.
        conversation: Of which it is.
        led_here: What had been said; the last turns are shown, in short.
        version: The one that answered.
        wrote_again: The customer's newest turn since the escalation was opened.
        names: How the assistant's versions are named.
    """
    question = transcripts.asked(led_here)
    if escalation.state is EscalationState.RESOLVED:
        blocks = _ended(escalation, conversation, question)
    else:
        blocks = [
            *_headline(question, conversation),
            line(_facts(escalation, conversation)),
            *_last_words(led_here),
            *_newest(wrote_again),
            line(_state(escalation)),
            small(*_small_print(escalation, conversation, version and names.first(version))),
            buttons("escalation", *_choices(escalation)),
        ]
    return content(_fallback(conversation, question), blocks)


def _fallback(conversation: Conversation, question: str) -> str:
    words, name = wording.conversations, conversation.assistant
    if not question:
        return escaped(words.CARD_WITHOUT_WORDS.format(assistant=name))
    return escaped(words.CARD_TITLE.format(assistant=name, question=_short(question, 200)))


def _short(text: str, limit: int) -> str:
    return cut(" ".join(clean(text).split()), limit)


def _headline(question: str, conversation: Conversation) -> list[Block]:
    words = wording.conversations.CARD_WITHOUT_WORDS.format(assistant=conversation.assistant)
    return [HeaderBlock(text=plain(_short(question or words, _HEADLINE)))]


def _facts(escalation: Escalation, conversation: Conversation) -> str:
    return " · ".join([_customer(conversation), why(escalation)])


def _customer(conversation: Conversation) -> str:
    words = wording.conversations
    customer = literal(conversation.customer, 80) if conversation.customer else ""
    return words.CUSTOMER.format(customer=customer or words.CUSTOMER_UNKNOWN)


def _last_words(led_here: Sequence[Turn]) -> list[Block]:
    """The last turns, but for a question of which the headline says all."""
    asked = [turn for turn in led_here if turn.role is Role.CUSTOMER][-1:]
    told = [turn for turn in asked if len(turn.content) <= _HEADLINE]
    return [_words(turn) for turn in led_here[-_SHOWN_TURNS:] if turn not in told]


def _words(turn: Turn) -> Block:
    words = literal(turn.content, _SHOWN_CHARACTERS)
    return line(wording.conversations.LAST_WORDS.format(speaker=speaker(turn), words=words))


def _newest(wrote_again: Turn | None) -> list[Block]:
    if wrote_again is None:
        return []
    words, at = literal(wrote_again.content, _SHOWN_CHARACTERS), moment(wrote_again.created_at)
    return [line(wording.conversations.WROTE_AGAIN.format(at=at, words=words))]


def _state(escalation: Escalation) -> str:
    words = wording.conversations
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


def _small_print(
    escalation: Escalation, conversation: Conversation, version: str | None
) -> list[str]:
    words = wording.conversations
    return [
        words.ASSISTANT.format(assistant=literal(conversation.assistant)),
        literal(version) if version else "",
        *_waited(escalation),
    ]


def _ended(escalation: Escalation, conversation: Conversation, question: str) -> list[Block]:
    """What became of it, and whose it was."""
    words = wording.conversations
    by = escalation.resolved_by or escalation.owner or ""
    outcome = words.ENDED[escalation.resolution or Resolution.SOLVED].format(by=who(by))
    told = [outcome, _customer(conversation), *_handled(escalation)]
    print_ = [
        words.QUESTION.format(question=literal(question, _QUESTION)) if question else "",
        words.NOTE.format(note=literal(escalation.note, _LONGEST_NOTE)) if escalation.note else "",
        *_waited(escalation),
    ]
    return [line(" · ".join(told)), small(*print_)]


def _waited(escalation: Escalation) -> list[str]:
    until = escalation.taken_at or escalation.resolved_at
    if until is None:
        return []
    waited = _length(escalation.opened_at, until)
    return [wording.conversations.WAITED.format(duration=waited)]


def _handled(escalation: Escalation) -> list[str]:
    words, spent = wording.conversations, handled_seconds(escalation)
    if spent is None:
        return []
    if escalation.paused_seconds < _LEAST_PAUSE_SECONDS:
        return [words.HANDLED.format(duration=duration(spent))]
    paused = duration(escalation.paused_seconds)
    return [words.HANDLED_PAUSED.format(duration=duration(spent), paused=paused)]


def _length(start: datetime, end: datetime) -> str:
    return duration((end - start).total_seconds())


def _choices(escalation: Escalation) -> list[Button]:
    if escalation.state is EscalationState.WAITING:
        return _of_a_waiting_one(escalation.id)
    return _of_a_taken_one(escalation)


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
