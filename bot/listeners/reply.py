"""A message in an escalation's thread: to the customer from its owner, internal from all others.

An event is acknowledged after its work is on disk; where that fails Slack delivers it again.
"""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.deliveries import first_time
from bot.desk import Desk
from bot.text import is_note, spoken, who
from records import escalations
from records.errors import NotFound
from records.states import EscalationState
from records.tables import Escalation

_WRITTEN_BY_PEOPLE = (None, "file_share", "thread_broadcast")


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to messages in channels that the bot is in."""

    @app.event("message")
    async def reply(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        message = _Message.read(event)
        if message is None:
            return
        delivery = str(body["event_id"])
        hint = await desk.write(lambda session: _take_in(session, message, delivery=delivery))
        if hint:
            place = Place(client, message.user, message.channel, message.thread_ts)
            await attendance.tell(place, hint)


@dataclass(frozen=True, slots=True)
class _Message:
    """What a person wrote in a thread."""

    user: str
    channel: str
    ts: str
    thread_ts: str
    text: str
    has_files: bool

    @classmethod
    def read(cls, event: dict[str, Any]) -> "_Message | None":
        """The message of an event; None where no person wrote it, or not in a thread."""
        by_a_person = event.get("user") and not event.get("bot_id")
        if not by_a_person or event.get("subtype") not in _WRITTEN_BY_PEOPLE:
            return None
        thread = event.get("thread_ts")
        if not thread or thread == event["ts"]:
            return None
        return cls(
            user=event["user"],
            channel=event["channel"],
            ts=event["ts"],
            thread_ts=thread,
            text=event.get("text") or "",
            has_files=bool(event.get("files")),
        )


def _take_in(session: Session, message: _Message, *, delivery: str) -> str | None:
    """Relay the message if it is for the customer; returns what to hint to its author."""
    if not first_time(session, delivery):
        return None
    try:
        escalation = escalations.find_for_thread(
            session, channel=message.channel, thread_ts=message.thread_ts
        )
    except NotFound:
        return None
    if is_note(message.text):
        return None
    if escalation.state is not EscalationState.TAKEN or escalation.owner != message.user:
        return _hint_once(session, escalation, message.user)
    return _relay(session, escalation, message)


def _relay(session: Session, escalation: Escalation, message: _Message) -> str | None:
    words = spoken(message.text)
    if words:
        escalations.reply(
            session,
            escalation.id,
            agent=message.user,
            content=words,
            source_key=f"slack:{message.channel}:{message.ts}",
        )
    if not message.has_files:
        return None
    rest = wording.conversations.HINT_FILES_TEXT if words else wording.conversations.HINT_FILES_ONLY
    return wording.conversations.HINT_FILES.format(rest=rest)


def _hint_once(session: Session, escalation: Escalation, user: str) -> str | None:
    """Why a message stays internal, told once per person and state: people talk in threads."""
    if not first_time(session, f"hint:{escalation.id}:{escalation.state}:{user}"):
        return None
    if escalation.state is EscalationState.RESOLVED:
        return wording.conversations.HINT_RESOLVED
    if escalation.owner is None:
        return wording.conversations.HINT_NOBODY
    return wording.conversations.HINT_OTHER.format(owner=who(escalation.owner))
