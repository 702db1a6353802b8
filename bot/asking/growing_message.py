"""A message in Slack that grows while an answer is being made.

A stream cannot go through the outbox: it is many calls about words that nobody has yet. So it
promises nothing. Its last call carries the key of the answer's outbox row, and where a stream
breaks, ends before its time or never began, the outbox posts the whole answer in its place.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.outbox.failures import Meaning, code_of, understood
from bot.text import clean, cut, escaped, length

log = logging.getLogger(__name__)

MOST = 11_000
"""Slack takes 12,000 characters of Markdown."""
_MARKS = re.compile(r"([*_~`:@#|\[\]\\!])")
_WORD_JOINER = "\u2060"
_FAILURES = (SlackClientError, OSError, TimeoutError)


def harmless(words: str) -> str:
    """Somebody else's words for a stream's Markdown: no pings, links or formatting.

    What each character becomes does not depend on its neighbours, so words may come in pieces.
    """
    visible = clean(f".{words}")[1:]  # a piece of nothing but spaces stays what it is
    return _MARKS.sub(rf"\1{_WORD_JOINER}", escaped(visible))


class Ended(Enum):
    """What became of a message's last call."""

    SHOWN = "shown"
    UNSURE = "unsure"
    """It may have arrived: ask Slack before showing the answer again."""
    LOST = "lost"


class GrowingMessage:
    """One message in a thread, for the one who asked. Errors of Slack's are kept inside."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        channel: str,
        thread_ts: str,
        user: str,
        team: str | None,
        every_seconds: float,
    ) -> None:
        """Show what was said about every `every_seconds`."""
        self._client = client
        self._channel = channel
        self._to = {
            "thread_ts": thread_ts,
            "recipient_user_id": user,
            "recipient_team_id": team,
        }
        self._every = every_seconds
        self._waiting = ""
        self._length = 0
        self._broken = False
        self._ending = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None
        self.ts: str | None = None
        """Where it stands, once it has begun."""

    async def begin(self, heading: str = "") -> None:
        """Let it appear, with a heading of our own words."""
        try:
            answer = await self._client.chat_startStream(
                channel=self._channel,
                markdown_text=f"**{heading}**\n\n" if heading else None,
                **self._to,  # type: ignore[arg-type]
            )
            self.ts = str(answer["ts"])
        except _FAILURES as error:
            self._breaks(error)
        else:
            self._showing = asyncio.create_task(self._keep_showing())

    def say(self, words: str) -> None:
        """Add words of somebody else's; they are shown when it is time."""
        room = MOST - self._length
        if room > 0:
            fitting = cut(harmless(words), room)
            self._waiting += fitting
            self._length += length(fitting)

    async def _keep_showing(self) -> None:
        while not self._ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._every)
                return  # the rest goes with the last call
            if self._waiting and self.ts and not self._broken:
                await self._show(self.ts)

    async def _show(self, ts: str) -> None:
        text, self._waiting = self._waiting, ""
        try:
            await self._client.chat_appendStream(channel=self._channel, ts=ts, markdown_text=text)
        except _FAILURES as error:
            self._breaks(error)

    async def end(
        self, blocks: Sequence[dict[str, Any]], *, metadata: dict[str, Any] | None = None
    ) -> Ended:
        """Show the rest, and `blocks` below it."""
        await self._stop_showing()
        if self.ts is None or self._broken:
            return Ended.LOST
        try:
            await self._client.chat_stopStream(
                channel=self._channel,
                ts=self.ts,
                markdown_text=self._waiting or None,
                blocks=list(blocks),
                metadata=metadata,
            )
        except _FAILURES as error:
            self._breaks(error)
            failure = understood(error)
            unsure = failure is not None and failure.meaning is Meaning.UNSURE
            return Ended.UNSURE if unsure else Ended.LOST
        return Ended.SHOWN

    async def take_away(self) -> None:
        """Delete what stands there: something else says it better."""
        await self._stop_showing()
        if self.ts is not None:
            with suppress(*_FAILURES):
                await self._client.chat_delete(channel=self._channel, ts=self.ts)

    async def _stop_showing(self) -> None:
        """Let the call that is being made come to its end, so that words keep their order."""
        self._ending.set()
        if self._showing is not None:
            await self._showing

    def _breaks(self, error: Exception) -> None:
        failure = understood(error)
        code = code_of(error) if isinstance(error, SlackApiError) else None
        log.warning("a stream broke: %s", failure.sentence if failure else code or error)
        self._broken = True
