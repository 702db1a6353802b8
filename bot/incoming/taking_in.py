"""Whether a message in a thread is for the customer: from its owner since take-over, and no note.

The one way in, for events, for *Retry* and for what is caught up on. All is looked at under the
lock of its conversation, so that of a reply and a take-over at the same moment one comes first.
A message becomes at most one turn, in the order in which messages come here: one that Slack
delivers late stands behind what was said meanwhile.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import wording
from bot.incoming.deliveries import first_time, was_noted
from bot.incoming.hints import Hint, untold
from bot.incoming.message import Message, moment_of
from bot.text import who
from bot.views.reply import shown
from records import conversations, escalations, outbox
from records.errors import NotFound
from records.ownership import owned_since, owner_at
from records.states import EscalationState
from records.tables import Escalation, SlackEvent


class Stale(Exception):
    """The message was changed before it came: its words must be read anew from Slack."""


def take_in(
    session: Session, message: Message, *, delivery: str | None = None, is_present: bool = False
) -> Hint | None:
    """Record the message if it is for the customer; returns what to hint to its author.

    A `delivery` that came before does nothing; one that leads to a hint is done when that is told.
    `is_present` says that the message is as it stands in Slack now.

    Raises:
        Stale: it is not, as was noted; nothing may be kept of this transaction.
    """
    if delivery is not None and was_noted(session, delivery):
        return None
    found = _taken(session, message, is_present=is_present)
    hint = untold(session, found) if found else None
    if delivery is not None and hint is None:
        first_time(session, delivery)
    return hint


def _taken(session: Session, message: Message, *, is_present: bool) -> Hint | None:
    escalation = find_escalation(session, message.channel, message.thread_ts)
    if escalation is None or (message.is_internal and not message.is_note):
        return None
    escalation, _ = escalations.locked(session, escalation.id)
    if message.is_note:
        _mark_internal(session, escalation, message)
        return None
    if conversations.turn_from(session, message.source) is not None:
        return _of_files(message)
    if was_noted(session, removal_of(message)):
        return None
    if not is_present and was_noted(session, change_of(message)):
        raise Stale
    hint = _why_internal(session, escalation, message)
    if hint is None and message.words:
        _relay(session, escalation, message)
    elif _seems_to_go(session, escalation, message):
        _mark_internal(session, escalation, message)
    return hint or _of_files(message)


def find_escalation(session: Session, channel: str, thread_ts: str) -> Escalation | None:
    """The escalation whose thread it is, if it is one's."""
    try:
        return escalations.find_for_thread(session, channel=channel, thread_ts=thread_ts)
    except NotFound:
        return None


def change_of(message: Message) -> str:
    """Under which a change is noted that comes before its message."""
    return f"changed:{message.source}"


def removal_of(message: Message) -> str:
    """Under which a deletion is noted that comes before its message."""
    return f"removed:{message.source}"


def note_change(session: Session, message: Message, *, at: datetime) -> None:
    """Note that a message which may come yet was changed, and when."""
    for key in (change_of(message), f"{change_of(message)}:{at.timestamp():.6f}"):
        first_time(session, key)


def _last_change(session: Session, message: Message) -> datetime | None:
    """The time of the last change that came before its message; older ones must not count later."""
    if not was_noted(session, change_of(message)):
        return None
    prefix = f"{change_of(message)}:"
    noted = SlackEvent.id.startswith(prefix, autoescape=True)
    last = session.scalar(select(func.max(SlackEvent.id)).where(noted))
    return moment_of(last.removeprefix(prefix)) if last else None


def _why_internal(session: Session, escalation: Escalation, message: Message) -> Hint | None:
    """Why a message stays internal; None where it is for the customer.

    People talk in threads: they are told once per person and state, but each time where they may
    believe that the customer got it.
    """
    words, owner = wording.replies, escalation.owner
    usual = f"hint:{escalation.id}:{escalation.state}:{owner}:{message.user}"
    had_it = owner_at(session, escalation, message.written_at) == message.user
    if escalation.state is EscalationState.RESOLVED:
        ended_at = escalation.resolved_at
        if had_it and ended_at is not None and message.written_at < ended_at:
            return _of_this(message, words.HINT_TOO_LATE)
        return Hint(usual, words.HINT_RESOLVED)
    if owner is None or escalation.state is not EscalationState.TAKEN:
        return Hint(usual, words.HINT_NOBODY)
    if owner != message.user:
        if had_it:
            return _of_this(message, words.HINT_PASSED, owner=who(owner))
        return Hint(usual, words.HINT_OTHER.format(owner=who(owner)))
    if message.is_broadcast:
        return Hint(f"{usual}:broadcast", words.HINT_BROADCAST)
    if message.written_at < owned_since(session, escalation):
        return _of_this(message, words.HINT_EARLIER)
    return None if message.words or message.files else _of_this(message, words.HINT_NO_WORDS)


def _seems_to_go(session: Session, escalation: Escalation, message: Message) -> bool:
    """Whether colleagues may take an internal message for one to the customer: its owner's."""
    had_it = owner_at(session, escalation, message.written_at)
    return message.user in (escalation.owner, had_it)


def _mark_internal(session: Session, escalation: Escalation, message: Message) -> None:
    """Let all who read the thread see that the customer does not get this message."""
    if was_noted(session, removal_of(message)):
        return
    outbox.put(
        session,
        outbox.Kind.MESSAGE_INTERNAL,
        escalation.id,
        revision=message.source,
        channel=message.channel,
        ts=message.ts,
    )


def _of_this(message: Message, sentence: str, **given: str) -> Hint:
    """A hint for one message."""
    return Hint(f"hint:{message.source}", sentence.format(words=shown(message), **given))


def _of_files(message: Message) -> Hint | None:
    """That what is attached to the words of an owner does not go with them."""
    if not message.files:
        return None
    sentence = wording.replies.FILES_AND_TEXT if message.words else wording.replies.FILES_ONLY
    files = ", ".join(message.files)
    return Hint(f"hint:files:{message.source}", sentence.format(files=files))


def _relay(session: Session, escalation: Escalation, message: Message) -> None:
    turn = escalations.reply(
        session,
        escalation.id,
        agent=message.user,
        content=message.words,
        source_key=message.source,
    )
    turn.edited_at = _last_change(session, message)
