"""An agent edits or deletes a message in a thread: whether that follows to the customer.

It follows for a while, for what its author's customer got. A note never becomes a reply by it; a
reply that becomes a note, or words to the bot, is taken back. Of several changes the one that was
made last counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot import wording
from bot.incoming.deliveries import first_time, was_noted
from bot.incoming.hints import Hint, untold
from bot.incoming.message import Message, moment_of
from bot.incoming.taking_in import find_escalation, note_change, removal_of
from bot.views.content import duration
from records import conversations, revisions
from records.tables import Turn

CHANGED, DELETED = "message_changed", "message_deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a message."""

    before: Message
    after: Message | None
    """As it stands there now; None where it was deleted, or is none of a person's any more."""
    at: datetime
    """When it was made, by Slack's clock."""
    by: str
    """Who made it, as far as Slack says."""

    @classmethod
    def read(cls, event: Mapping[str, Any], *, bot: str | None = None) -> "Change | None":
        """The change of an event; None where it is about another message, or about its looks.

        `bot` is the bot's user id.
        """
        channel = event["channel"]
        before = Message.read(event.get("previous_message") or {}, channel=channel, bot=bot)
        if before is None:
            return None
        now = event.get("message") or {}
        after = Message.read(now, channel=channel, bot=bot)
        if after is not None and _looks(after) == _looks(before):
            return None  # a link was unfolded, a reply was counted
        at = moment_of(str(event.get("event_ts") or event["ts"]))
        editor = (now.get("edited") or {}).get("user") or before.user
        return cls(before, after, at, before.user if after is None else editor)

    @property
    def takes_back(self) -> bool:
        """Whether nothing is left for the customer."""
        return self.after is None or self.after.is_internal or not self.after.words


def _looks(message: Message) -> tuple[object, ...]:
    return message.words, message.files, message.is_internal


def follow(session: Session, change: Change, *, delivery: str, minutes: float) -> Hint | None:
    """Let the customer's side follow a change; returns what to tell its author.

    `minutes`: for how long after a message changes of it follow. A `delivery` that came before
    does nothing; one that leads to a hint is done when that is told.
    """
    if was_noted(session, delivery):
        return None
    sentence = _followed(session, change, minutes=minutes)
    hint = untold(session, hint_on(change, sentence)) if sentence else None
    if hint is None:
        first_time(session, delivery)
    return hint


def hint_on(change: Change, sentence: str) -> Hint:
    """What to tell of a change, once for each message."""
    return Hint(f"hint:changed:{change.before.source}", sentence)


def _followed(session: Session, change: Change, *, minutes: float) -> str | None:
    turn = conversations.turn_from(session, change.before.source)
    if turn is None:
        return _of_what_stayed_internal(session, change)
    if change.by != turn.author:
        return None
    if change.at - change.before.written_at > timedelta(minutes=minutes):
        return _too_late(minutes) if _would_matter(turn, change) else None
    if turn.removed_at is not None:
        return None if change.takes_back else wording.replies.EDIT_REMOVED
    if change.takes_back or change.after is None:
        revisions.remove(session, turn.id, at=change.at, actor=change.by)
    else:
        words = change.after.words
        revisions.edit(session, turn.id, content=words, at=change.at, actor=change.by)
    return None


def assistant_of(session: Session, change: Change) -> str | None:
    """The name of the assistant whose customer a thread is about."""
    message = change.before
    escalation = find_escalation(session, message.channel, message.thread_ts)
    return escalation.conversation.assistant if escalation else None


def _of_what_stayed_internal(session: Session, change: Change) -> str | None:
    """Note the change: its message may come late. A message that was internal stays so."""
    if change.after is None:
        first_time(session, removal_of(change.before))
    else:
        note_change(session, change.before, at=change.at)
    if change.takes_back or not change.before.is_internal:
        return None
    is_note = change.before.is_note
    return wording.replies.EDIT_NOTE if is_note else wording.replies.EDIT_QUESTION


def _would_matter(turn: Turn, change: Change) -> bool:
    if turn.removed_at is not None:
        return False
    return change.takes_back or (change.after is not None and change.after.words != turn.content)


def _too_late(minutes: float) -> str:
    if not minutes:
        return wording.replies.EDIT_NEVER
    return wording.replies.EDIT_LATE.format(duration=duration(minutes * 60))
