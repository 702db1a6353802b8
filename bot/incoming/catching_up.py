"""What agents wrote while no bot was there, longer than Slack repeats what it could not deliver.

At its start the bot reads, once, the threads of conversations that agents have; it never does so
afterwards. What it finds goes the way of every message.
"""

import asyncio
import logging
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.incoming.deliveries import first_time
from bot.incoming.message import Message
from bot.incoming.relay import take
from bot.incoming.taking_in import change_of, find_escalation
from bot.incoming.thread_reading import Json, pages_since
from bot.outbox.failures import Meaning, understood
from bot.text import literal
from bot.workspaces.workspaces import Workspaces
from records import conversations, outbox
from records.errors import StorageError
from records.outbox import Kind
from records.ownership import owned_since
from records.states import EscalationState
from records.tables import Escalation

log = logging.getLogger(__name__)

_MOST_THREADS = 200
_MOST_PAGES = 5
_PAUSE_SECONDS = 1.3
"""Between two threads: Slack allows 50 such calls a minute, and others make some too."""
_MOST_TRIES = 5
_AGAIN_SECONDS = 5.0
_SHOWN = 150


@dataclass(frozen=True, slots=True)
class _Thread:
    assistant: str
    channel: str
    ts: str
    oldest: str


async def catch_up(
    desk: Desk,
    workspaces: Workspaces,
    attendance: Attendance,
    *,
    pause_seconds: float = _PAUSE_SECONDS,
) -> None:
    """Take in what was missed in the threads of all conversations that agents have."""
    threads = await _when_readable(desk)
    for number, thread in enumerate(threads):
        if number:
            await asyncio.sleep(pause_seconds)
        await _in_one(desk, workspaces, attendance, thread)


async def _when_readable(desk: Desk) -> list[_Thread]:
    while True:
        try:
            return await desk.read(_threads)
        except StorageError as error:
            log.warning("threads are caught up on later: %s", error)
            await asyncio.sleep(_AGAIN_SECONDS)


def _threads(session: Session) -> list[_Thread]:
    """The threads of conversations that agents have, those taken over last first."""
    taken = session.scalars(
        select(Escalation)
        .where(Escalation.state == EscalationState.TAKEN)
        .order_by(Escalation.taken_at.desc())
        .limit(_MOST_THREADS)
    )
    return [thread for escalation in taken if (thread := _thread(session, escalation))]


def _thread(session: Session, escalation: Escalation) -> _Thread | None:
    card = outbox.message_of(session, Kind.ESCALATION_OPENED, escalation.id)
    if card is None or not card.channel or not card.ts:
        return None
    assistant = conversations.get(session, escalation.conversation_id).assistant
    oldest = f"{owned_since(session, escalation).timestamp():.6f}"
    return _Thread(assistant, card.channel, card.ts, oldest)


async def _in_one(
    desk: Desk, workspaces: Workspaces, attendance: Attendance, thread: _Thread
) -> None:
    for _ in range(_MOST_TRIES):
        try:
            sender = await workspaces.sender(desk.assistant(thread.assistant))
            await _read(desk, sender.client, attendance, thread)
        except Exception as error:  # noqa: BLE001 - the edge: one thread must not keep the others
            failure = understood(error)
            if failure is None or failure.meaning is not Meaning.WAIT:
                log.warning("a thread is not caught up on: %s", failure or error)
                return
            await asyncio.sleep(failure.wait_seconds)
        else:
            return


async def _read(
    desk: Desk, client: AsyncWebClient, attendance: Attendance, thread: _Thread
) -> None:
    pages = pages_since(
        client, thread.channel, thread_ts=thread.ts, oldest=thread.oldest, most=_MOST_PAGES
    )
    async for page in pages:
        for found in page:
            message = Message.read(found, channel=thread.channel)
            hint = await _take(desk, client, message, found) if message else None
            if message and hint:
                place = Place(client, message.user, message.channel, message.thread_ts)
                await attendance.tell(place, hint)


async def _take(desk: Desk, client: AsyncWebClient, message: Message, found: Json) -> str | None:
    """Take a message in that may have been missed; returns what to hint to its author.

    One that was edited meanwhile may have been a note: it stays internal, and its author is asked.
    """
    if not found.get("edited"):
        return await take(desk, client, message)
    return await desk.write(lambda session: _ask(session, message))


def _ask(session: Session, message: Message) -> str | None:
    escalation = find_escalation(session, message.channel, message.thread_ts)
    if escalation is None or escalation.owner != message.user or not message.is_for_customers:
        return None
    if message.written_at < owned_since(session, escalation):
        return None
    if conversations.turn_from(session, message.source) is not None:
        return None
    if not first_time(session, change_of(message)):
        return None  # the edit was seen when it was made
    return wording.replies.HINT_EDITED_UNSEEN.format(words=literal(message.words, _SHOWN))
