"""Doing what a person asked for in Slack: acknowledged in time, and answered in words.

The one place where errors become sentences. Slack wants an acknowledgement within 3 s; work that
takes longer goes on after it, and is told of when it is done.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from records.errors import UnderstudyError
from records.ids import new_id

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0


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
    reference = new_id("ref")
    log.error("unexpected error %s", reference, exc_info=error)
    return wording.machine.UNEXPECTED.format(reference=reference)


Work = Coroutine[Any, Any, str | None]
"""What was asked for; what it returns is told to the person who asked."""


class Attendance:
    """Attends to people."""

    def __init__(self, *, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._late: set[asyncio.Task[Any]] = set()

    async def attend(self, place: Place, work: Work) -> None:
        """Do `work` and tell what came of it; return when it is done or time is up."""

        async def through() -> None:
            sentence = await _outcome(work)
            if sentence:
                await self.tell(place, sentence)

        await self._in_time(asyncio.create_task(through()))

    async def answer(self, place: Place, work: Work) -> str | None:
        """What came of `work`, if that is known in time; otherwise it is told later."""
        task = asyncio.create_task(_outcome(work))
        if await self._in_time(task):
            return task.result()
        task.add_done_callback(lambda done: self._tell_later(place, done.result()))
        return None

    async def tell(self, place: Place, sentence: str) -> None:
        """Say something that only this person sees."""
        try:
            if place.channel == place.user:
                await place.client.chat_postMessage(channel=place.user, text=sentence)
                return
            await place.client.chat_postEphemeral(
                channel=place.channel,
                user=place.user,
                thread_ts=place.thread_ts,
                text=sentence,
            )
        except SlackClientError as error:
            log.warning("%s could not be told %r: %s", place.user, sentence, error)

    async def _in_time(self, task: asyncio.Task[Any]) -> bool:
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        return bool(done)

    def _tell_later(self, place: Place, sentence: str | None) -> None:
        if sentence:
            telling = asyncio.create_task(self.tell(place, sentence))
            self._late.add(telling)
            telling.add_done_callback(self._late.discard)


async def _outcome(work: Work) -> str | None:
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - the edge: every error becomes a sentence
        return explained(error)
