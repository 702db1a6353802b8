"""What agents wrote while no bot was there, longer than Slack repeats what it could not deliver.

At its start the bot reads, once, the threads of conversations that agents have; it never does so
afterwards. What it finds goes the way of every message. A thread that cannot be read now is read
after the others.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, replace

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Place
from bot.desk import Desk
from bot.incoming.deliveries import was_noted
from bot.incoming.hints import Hint, Hints
from bot.incoming.message import Message
from bot.incoming.relay import take
from bot.incoming.taking_in import change_of, find_escalation
from bot.incoming.thread_reading import Json, page_since
from bot.outbox.failures import Meaning, understood
from bot.views.reply import shown
from bot.workspaces.strangers import Strangers
from bot.workspaces.workspaces import Sender, Workspaces
from records import conversations, outbox
from records.errors import StorageError, UnderstudyError
from records.outbox import Kind
from records.ownership import owned_since
from records.states import EscalationState
from records.tables import Escalation

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.3
"""Between two calls: Slack allows 50 such calls a minute, and others make some too."""
_MOST_DOUBLED = 6
_AGAIN_SECONDS = 5.0
_FINAL = (Meaning.MEND, Meaning.GIVE_UP)


@dataclass(frozen=True, slots=True)
class _Thread:
    """A thread, and how much of it was read."""

    assistant: str
    channel: str
    ts: str
    oldest: str
    cursor: str = ""
    failures: int = 0


class CatchingUp:
    """Reads what was missed; `run` ends when everything was read."""

    def __init__(
        self,
        desk: Desk,
        workspaces: Workspaces,
        hints: Hints,
        *,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self._desk = desk
        self._workspaces = workspaces
        self._hints = hints
        self._pause_seconds = pause_seconds
        self._waiting: deque[_Thread] = deque()
        self._strangers = Strangers()

    async def run(self) -> None:
        """Take in what was missed in the threads of all conversations that agents have."""
        self._waiting = deque(await self._when_readable())
        while self._waiting:
            wait_seconds = await self._next()
            if self._waiting:
                await asyncio.sleep(wait_seconds)

    async def _when_readable(self) -> list[_Thread]:
        while True:
            try:
                return await self._desk.read(_threads)
            except StorageError as error:
                log.warning("threads are caught up on later: %s", error)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _next(self) -> float:
        """Read a page; returns how long to wait before the next one."""
        thread = self._waiting.popleft()
        try:
            cursor = await self._read(thread)
        except Exception as error:  # noqa: BLE001 - the edge: one thread must not keep the others
            failure = understood(error)
            if failure is None or failure.meaning in _FINAL or _is_settled(error):
                log.warning("a thread is not caught up on: %s", failure or error)
                return self._pause_seconds
            log.warning("a thread is caught up on later: %s", failure.sentence)
            times = min(thread.failures + 1, _MOST_DOUBLED)
            self._waiting.append(replace(thread, cursor="", failures=times))
            return max(failure.wait_seconds, self._pause_seconds * 2.0**times)
        if cursor:
            self._waiting.appendleft(replace(thread, cursor=cursor))
        return self._pause_seconds

    async def _read(self, thread: _Thread) -> str:
        """Take a page of a thread in; returns the cursor of the next, if any."""
        sender = await self._workspaces.sender(self._desk.assistant(thread.assistant))
        identity = await self._workspaces.authorized(sender.team)
        bot = identity.bot_user_id if identity else None
        page, cursor = await page_since(
            sender.client,
            thread.channel,
            thread_ts=thread.ts,
            oldest=thread.oldest,
            cursor=thread.cursor,
        )
        for found in page:
            message = Message.read(found, channel=thread.channel, bot=bot)
            if message is not None and not await self._is_strangers(sender, found):
                await self._take(sender, message, found, bot=bot)
        return cursor

    async def _is_strangers(self, sender: Sender, found: Json) -> bool:
        """Whether another organisation's person wrote it, as far as the message says."""
        return await self._strangers.is_one(
            {"event": found},
            team=sender.team,
            client=sender.client,
            assistants=self._desk.all_assistants.values(),
        )

    async def _take(
        self, sender: Sender, message: Message, found: Json, *, bot: str | None
    ) -> None:
        hint = await _taken(self._desk, sender.client, message, found, bot=bot)
        if hint:
            place = Place(sender.client, message.user, message.channel, message.thread_ts)
            await self._hints.tell(place, hint, team=sender.team)


def _is_settled(error: Exception) -> bool:
    """Whether the records refuse it: the assistant's file is gone, say."""
    return isinstance(error, UnderstudyError) and not isinstance(error, StorageError)


def _threads(session: Session) -> list[_Thread]:
    """The threads of conversations that agents have, those taken over last first."""
    taken = session.scalars(
        select(Escalation)
        .where(Escalation.state == EscalationState.TAKEN)
        .order_by(Escalation.taken_at.desc())
    )
    return [thread for escalation in taken if (thread := _thread(session, escalation))]


def _thread(session: Session, escalation: Escalation) -> _Thread | None:
    card = outbox.message_of(session, Kind.ESCALATION_OPENED, escalation.id)
    if card is None or not card.channel or not card.ts:
        return None
    assistant = conversations.get(session, escalation.conversation_id).assistant
    oldest = f"{owned_since(session, escalation).timestamp():.6f}"
    return _Thread(assistant, card.channel, card.ts, oldest)


async def _taken(
    desk: Desk, client: AsyncWebClient, message: Message, found: Json, *, bot: str | None
) -> Hint | None:
    """Take a message in that may have been missed; returns what to hint to its author.

    One that was edited meanwhile may have been a note: it stays internal, and its author is asked.
    """
    if not found.get("edited"):
        return await take(desk, client, message, bot=bot)
    return await desk.read(lambda session: _ask(session, message))


def _ask(session: Session, message: Message) -> Hint | None:
    escalation = find_escalation(session, message.channel, message.thread_ts)
    if escalation is None or escalation.owner != message.user or not message.is_for_customers:
        return None
    if message.written_at < owned_since(session, escalation):
        return None
    if conversations.turn_from(session, message.source) is not None:
        return None
    if was_noted(session, change_of(message)):
        return None  # the edit was seen when it was made
    sentence = wording.replies.HINT_EDITED_UNSEEN.format(words=shown(message))
    return Hint(change_of(message), sentence)
