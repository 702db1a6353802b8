"""Doing what a person asked for in Slack: acknowledged in time, and answered in words.

The one place where errors become sentences. Slack wants an acknowledgement within 3 s, and people
see nothing before it: work that takes longer goes on after it, and is told of when it is done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.incoming import sent_form
from bot.incoming.journal import Event
from bot.incoming.sent_form import SentForm
from bot.outbox.failures import Meaning, understood
from bot.views.content import Content
from records.errors import Overloaded, StorageError, UnderstudyError
from records.ids import new_id

log = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")

PATIENCE_SECONDS = 0.25
"""How long an acknowledgement waits for the work: a fast answer comes with it, a slow one later."""


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
        """Where a button was pressed (in a message, a form or App Home) or a shortcut chosen."""
        user = body["user"]["id"]
        channel = (body.get("channel") or {}).get("id") or user
        return cls(client, user, channel, (body.get("message") or {}).get("thread_ts"))


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


Keep = Callable[[Event], Awaitable[None]]
"""Keeps a form on disk, and sees to it that it is worked on.

Raises:
    StorageError, Overloaded: it cannot be kept.
"""


class Attendance:
    """Attends to people. `keep` takes forms whose work lasts, so that none is lost; see there."""

    def __init__(self, *, patience: float = PATIENCE_SECONDS, keep: Keep | None = None) -> None:
        self._patience = patience
        self._keep = keep
        self._late: set[asyncio.Task[Any]] = set()

    async def attend(self, place: Place, work: Showing) -> None:
        """Do `work` and tell what came of it; return when it is done or time is up."""

        async def through() -> None:
            said = await _outcome(work)
            if said:
                await self.tell(place, said)

        await self._in_time(asyncio.create_task(through()))

    async def answer(self, place: Place, work: Work, *, keep: bool = True) -> str | None:
        """What came of `work`, if that is known in time; otherwise it is told later.

        A form closes with this answer. Where the work lasts or the database is away, the form is
        kept first, unless `keep` says that it is worth nothing later; whoever takes it up from
        there does the same work again, which must do nothing the second time.
        """
        sent = sent_form.current()
        if sent is not None and sent.is_again:
            await self._settle(place, work)
            return None
        task = asyncio.create_task(_attempt(work))
        in_time = await self._in_time(task)
        if in_time and not task.result().may_work_later:
            return task.result().sentence
        kept = keep and sent is not None and await self._is_kept(sent)
        if in_time:
            return wording.machine.FORM_KEPT if kept else task.result().sentence
        task.add_done_callback(lambda done: self._tell_later(place, done.result(), kept=kept))
        return None

    async def _settle(self, place: Place, work: Work) -> None:
        """Do what a form asks for that was kept, and tell what came of it.

        Raises:
            StorageError: it is to be done later.
        """
        attempt = await _attempt(work)
        if isinstance(attempt.error, StorageError):
            raise attempt.error
        if attempt.sentence:
            await self.tell(place, attempt.sentence)

    async def _is_kept(self, sent: SentForm) -> bool:
        if self._keep is None:
            return False
        try:
            await self._keep(sent.event)
        except (StorageError, Overloaded) as error:
            log.warning("a form is not kept: %s", error)
            return False
        return True

    async def tell(self, place: Place, said: str | Content) -> None:
        """Say something that only this person sees."""
        try:
            await _tell(place, said if isinstance(said, Content) else Content(said))
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

    def _tell_later(self, place: Place, attempt: "_Attempt", *, kept: bool) -> None:
        """Tell what came of it; what failed of a form that is kept is told by who tries again."""
        if attempt.sentence and not (kept and attempt.error):
            telling = asyncio.create_task(self.tell(place, attempt.sentence))
            self._late.add(telling)
            telling.add_done_callback(self._late.discard)


async def _tell(place: Place, said: Content) -> None:
    blocks = said.blocks or None
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
            if error.response.get("error") not in _NOT_THERE:
                raise
        else:
            return
    await place.client.chat_postMessage(channel=place.user, text=said.text, blocks=blocks)


async def _outcome(work: Coroutine[Any, Any, Outcome]) -> Outcome | str:
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - the edge: every error becomes a sentence
        return explained(error)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came of some work: words for the person who asked, and what it failed with."""

    sentence: str | None
    error: Exception | None = None

    @property
    def may_work_later(self) -> bool:
        """Whether it failed only because the database is away."""
        return isinstance(self.error, StorageError)


async def _attempt(work: Work) -> _Attempt:
    try:
        return _Attempt(await work)
    except Exception as error:  # noqa: BLE001 - the edge: every error becomes a sentence
        return _Attempt(explained(error), error)
