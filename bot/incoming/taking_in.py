"""Whether a message in a thread is for the customer: from its owner since take-over, and no note.

The one way in, for events, for *Retry* and for what is caught up on. All is looked at under the
lock of its conversation, so that of a reply and a take-over at the same moment one comes first.
A message becomes at most one turn, in the order in which messages come here: one that Slack
delivers late stands behind what was said meanwhile.
"""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from bot import wording
from bot.incoming.deliveries import first_time
from bot.incoming.message import Message, moment_of
from bot.text import literal, who
from records import conversations, escalations
from records.errors import NotFound
from records.ownership import owned_since
from records.states import EscalationState
from records.tables import Escalation, SlackEvent

_SHOWN = 150


class Stale(Exception):
    """The message was changed before it came: its words must be read anew from Slack."""


def take_in(
    session: Session, message: Message, *, delivery: str | None = None, is_present: bool = False
) -> str | None:
    """Record the message if it is for the customer; returns what to hint to its author.

    A `delivery` that came before does nothing. `is_present` says that the message is as it stands
    in Slack now.

    Raises:
        Stale: it is not, as was noted; nothing may be kept of this transaction.
    """
    if delivery is not None and not first_time(session, delivery):
        return None
    escalation = find_escalation(session, message.channel, message.thread_ts)
    if escalation is None or message.is_note:
        return None
    escalation, _ = escalations.locked(session, escalation.id)
    if conversations.turn_from(session, message.source) is not None:
        return None
    if _was_noted(session, removal_of(message)):
        return None
    if not is_present and _was_noted(session, change_of(message)):
        raise Stale
    key, hint = _why_internal(session, escalation, message)
    if hint:
        return hint if first_time(session, key) else None
    return _relay(session, escalation, message)


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
    if not _was_noted(session, change_of(message)):
        return None
    prefix = f"{change_of(message)}:"
    noted = SlackEvent.id.startswith(prefix, autoescape=True)
    last = session.scalar(select(func.max(SlackEvent.id)).where(noted))
    return moment_of(last.removeprefix(prefix)) if last else None


def _was_noted(session: Session, key: str) -> bool:
    return session.scalar(select(exists().where(SlackEvent.id == key))) is True


def _why_internal(session: Session, escalation: Escalation, message: Message) -> tuple[str, str]:
    """Why a message stays internal, and the key under which that is hinted once; else nothing.

    People talk in threads: they are told once per person and state, but each time where they may
    believe that the customer got it.
    """
    words = wording.replies
    usual = f"hint:{escalation.id}:{escalation.state}:{escalation.owner}:{message.user}"
    one = f"hint:{message.source}"
    said = literal(message.words, _SHOWN)
    is_owner = escalation.owner == message.user
    if escalation.state is EscalationState.RESOLVED:
        ended_at = escalation.resolved_at
        if is_owner and ended_at is not None and message.written_at < ended_at:
            return one, words.HINT_TOO_LATE.format(words=said)
        return usual, words.HINT_RESOLVED
    if escalation.owner is None or escalation.state is not EscalationState.TAKEN:
        return usual, words.HINT_NOBODY
    if not is_owner:
        return usual, words.HINT_OTHER.format(owner=who(escalation.owner))
    if message.is_broadcast:
        return f"{usual}:broadcast", words.HINT_BROADCAST
    if message.written_at < owned_since(session, escalation):
        return one, words.HINT_EARLIER.format(words=said)
    return "", ""


def _relay(session: Session, escalation: Escalation, message: Message) -> str | None:
    if message.words:
        turn = escalations.reply(
            session,
            escalation.id,
            agent=message.user,
            content=message.words,
            source_key=message.source,
        )
        turn.edited_at = _last_change(session, message)
    if not message.files:
        return None
    sentence = wording.replies.FILES_AND_TEXT if message.words else wording.replies.FILES_ONLY
    return sentence.format(files=", ".join(message.files))
