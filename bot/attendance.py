"""Doing what a person asked for in Slack: acknowledged in time, and answered in words.

The one place where errors become sentences. Slack wants an acknowledgement within 3 s, and people
see nothing before it: work that takes longer goes on after it, and is told of when it is done.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.incoming import act
from bot.incoming.inbox import Inbox
from bot.outbox.failures import Meaning, code_of, understood
from bot.views.content import Content
from records.errors import Overloaded, StorageError, StorageUnavailable, UnderstudyError
from records.ids import new_id

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.25
"""How long an acknowledgement waits for the work: a fast answer comes with it, a slow one later."""

UNKEPT_SECONDS = 2.0
"""How much longer it waits where the disk does not take what would be lost with this process."""

_OF_SLACK = (SlackClientError, aiohttp.ClientError, TimeoutError)
_NOT_THERE = (
    "channel_not_found",
    "is_archived",
    "message_not_found",
    "not_in_channel",
    "thread_not_found",
    "user_not_in_channel",
)
"""Where nobody can be told something among others: they read it in their direct messages."""


@dataclass(frozen=True, slots=True)
class Place:
    """A person, and where in Slack they are."""

    client: AsyncWebClient
    """Who speaks to them: authorised for their workspace."""
    user: str
    channel: str
    """Where they read what only they see; their own id means their direct messages."""
    thread_ts: str | None = None

    @classmethod
    def of(cls, client: AsyncWebClient, body: dict[str, Any]) -> "Place":
        """Where a button (in a message, a form or App Home), shortcut or command was used."""
        if "command" in body:
            return cls(client, body["user_id"], body["channel_id"])
        user, message = body["user"]["id"], body.get("message") or {}
        channel = (body.get("channel") or {}).get("id") or user
        thread = message.get("thread_ts")
        heads_it = thread == message.get("ts")  # pressed in the channel: a thread may be closed
        return cls(client, user, channel, None if heads_it else thread)


def explained(error: Exception) -> str:
    """An error as a sentence for Slack; what nobody foresaw is logged under a reference."""
    if isinstance(error, UnderstudyError):
        return str(error)
    failure = understood(error) if isinstance(error, _OF_SLACK) else None
    if failure is not None and failure.meaning is not Meaning.GIVE_UP:
        log.warning("a call to Slack failed: %s", failure.sentence)
        return failure.sentence
    reference = new_id("ref")
    log.error("unexpected error %s", reference, exc_info=error)
    return wording.machine.UNEXPECTED.format(reference=reference)


Work = Coroutine[Any, Any, str | None]
"""What was asked for; what it returns is told to the person who asked."""
Showing = Coroutine[Any, Any, str | Content | None]
"""The same, where more than a sentence may be to be told."""


class Attendance:
    """Attends to people."""

    def __init__(
        self, *, patience: float = PATIENCE_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._inbox: Inbox | None = None
        self._late: set[asyncio.Task[Any]] = set()

    def keep_in(self, inbox: Inbox) -> None:
        """From here on, keep there what people do while the work for it lasts."""
        self._inbox = inbox

    async def attend(self, place: Place, work: Showing) -> None:
        """Do `work` and tell what came of it; return when it is done or time is up."""
        if self._is_again():
            await self._settle(place, work)
            return

        async def through() -> _Attempt:
            attempt = await _attempt(work)
            if attempt.said:
                await self.tell(place, attempt.said)
            return attempt

        task = asyncio.create_task(through())
        if not await self._in_time(task):
            await self._hold(task, lasts=False)

    async def answer(self, place: Place, work: Work, *, lasts: bool = True) -> str | None:
        """What came of `work`, if that is known in time; otherwise it is told later.

        A form closes with this answer. Where the work goes on, or the database is away, the form
        is kept first, and worked on again where this process or the database ends before it: a
        second time, the work must do nothing. `lasts` says that it is worth doing hours later.
        """
        if self._is_again():
            await self._settle(place, work)
            return None
        task = asyncio.create_task(_attempt(work))
        in_time = await self._in_time(task)
        if in_time and not (lasts and task.result().may_work_later):
            return task.result().sentence
        held = await self._hold(task, lasts=lasts)
        if in_time and held:
            return wording.machine.FORM_KEPT
        if task.done() and not held:
            return task.result().sentence
        task.add_done_callback(lambda done: self._tell_later(place, done.result(), lasts=lasts))
        return None

    def _is_again(self) -> bool:
        doing = act.current()
        return doing is not None and doing.is_again

    async def _settle(self, place: Place, work: Showing) -> None:
        """Do what was kept, and tell what came of it.

        Raises:
            StorageError: it is to be done later.
        """
        doing = act.current()
        if doing is not None and doing.is_stale(self._clock()):
            work.close()
            await self.tell(place, wording.machine.TOO_LATE)
            return
        attempt = await _attempt(work)
        if isinstance(attempt.error, StorageError):
            raise attempt.error
        if attempt.said:
            await self.tell(place, attempt.said)

    async def _hold(self, task: "asyncio.Task[_Attempt]", *, lasts: bool) -> bool:
        """Keep what is done until it is done; False where it need not or cannot be kept.

        Raises:
            StorageUnavailable: it is neither kept nor done; without an acknowledgement a form stays
                open, and whoever pressed sees that it failed.
        """
        doing, inbox = act.current(), self._inbox
        if doing is None or inbox is None:
            return False
        event = doing.event(now=self._clock(), lasts=lasts)
        try:
            await inbox.hold(event)
        except (StorageError, Overloaded) as error:
            log.warning("what somebody does is not kept: %s", error)
            done_now, _ = await asyncio.wait({task}, timeout=UNKEPT_SECONDS)
            if not done_now:
                raise StorageUnavailable(str(error)) from error
            return False

        def done(ended: "asyncio.Task[_Attempt]") -> None:
            again = not ended.cancelled() and lasts and ended.result().may_work_later
            inbox.resume(event) if again else inbox.settle(event)

        task.add_done_callback(done)
        return True

    async def tell(self, place: Place, said: str | Content) -> None:
        """Say something that only this person sees."""
        try:
            await whisper(place, said if isinstance(said, Content) else Content(said))
        except _OF_SLACK as error:
            failure = understood(error)
            why = failure.sentence if failure else type(error).__name__
            log.warning("%s could not be told something: %s", place.user, why)

    async def finish(self, *, seconds: float) -> None:
        """Wait, at most so long, for what was begun and not yet told of."""
        if self._late:
            await asyncio.wait(set(self._late), timeout=seconds)

    async def _in_time(self, task: asyncio.Task[Any]) -> bool:
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        return bool(done)

    def _tell_later(self, place: Place, attempt: "_Attempt", *, lasts: bool) -> None:
        """Tell what came of it; what is done later, as it lasts, is told of then again."""
        sentence = attempt.sentence
        if lasts and self._inbox is not None and attempt.may_work_later:
            sentence = wording.machine.FORM_KEPT
        if sentence:
            telling = asyncio.create_task(self.tell(place, sentence))
            self._late.add(telling)
            telling.add_done_callback(self._late.discard)


async def whisper(place: Place, said: Content) -> None:
    """Say something that only this person sees.

    Raises:
        SlackApiError: Slack does not take it.
    """
    blocks = said.blocks or None
    if place.channel.startswith("D"):  # nobody else reads it, and a whisper in a thread may hide
        await place.client.chat_postMessage(
            channel=place.channel, thread_ts=place.thread_ts, text=said.text, blocks=blocks
        )
        return
    if place.channel != place.user:
        try:
            await place.client.chat_postEphemeral(
                channel=place.channel,
                user=place.user,
                thread_ts=place.thread_ts,
                text=said.text,
                blocks=blocks,
            )
        except SlackApiError as error:
            if code_of(error) not in _NOT_THERE:
                raise
        else:
            return
    await place.client.chat_postMessage(channel=place.user, text=said.text, blocks=blocks)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came of some work: words for the person who asked, and what it failed with."""

    said: str | Content | None
    error: Exception | None = None

    @property
    def sentence(self) -> str | None:
        """The words alone."""
        return self.said.text if isinstance(self.said, Content) else self.said

    @property
    def may_work_later(self) -> bool:
        """Whether it failed only because the database is away."""
        return isinstance(self.error, StorageError)


async def _attempt(work: Showing) -> _Attempt:
    try:
        return _Attempt(await work)
    except Exception as error:  # noqa: BLE001 - the edge: every error becomes a sentence
        return _Attempt(explained(error), error)
