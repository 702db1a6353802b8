"""Tells an author what became of a message, where they may believe that the customer got it.

That it was told is noted afterwards. What Slack does not take now is kept on disk and told later,
in its own time: nothing that people write waits for it.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.attendance import Place, whisper
from bot.desk import Desk
from bot.incoming.deliveries import first_time, was_noted
from bot.incoming.inbox import Inbox
from bot.incoming.journal import Event
from bot.outbox.failures import Meaning, understood
from bot.views.content import Content
from records.errors import Overloaded, StorageError, StorageUnavailable

log = logging.getLogger(__name__)

KIND = "understudy_hint"
"""The type of events of our own, which bring what is told later."""

_OF_SLACK = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)


class Postponed(Exception):
    """Slack does not do now what is to be done: it is tried again."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Words to somebody, and the key under which it is noted that they were told."""

    key: str
    words: str


def untold(session: Session, hint: Hint) -> Hint | None:
    """The hint, where it was not told yet."""
    return None if was_noted(session, hint.key) else hint


def note_told(session: Session, keys: tuple[str, ...]) -> None:
    """Note that something was told, and of which delivery."""
    for key in keys:
        first_time(session, key)


class Hints:
    """Tells hints; `keep_in` says where those are kept that Slack does not take."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._inbox: Inbox | None = None

    def keep_in(self, inbox: Inbox) -> None:
        """From here on, keep there what is to be told later."""
        self._inbox = inbox

    async def tell(
        self, place: Place, hint: Hint, *, team: str | None, delivery: str | None = None
    ) -> None:
        """Tell a hint now or later, once; `delivery` is done with it.

        Raises:
            StorageError: it is not sure to be told, or that it was is not noted.
        """
        if not await _is_told(place, hint.words):
            await self._keep(place, hint, team=team)
        keys = (hint.key, *([delivery] if delivery else []))
        await self._desk.write(partial(note_told, keys=keys))

    async def _keep(self, place: Place, hint: Hint, *, team: str | None) -> None:
        if self._inbox is None:
            raise StorageUnavailable(hint.key)
        try:
            await self._inbox.receive(_event(place, hint, team=team))
        except Overloaded as error:
            raise StorageUnavailable(str(error)) from error


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to hints that were kept."""

    @app.event(KIND)
    async def tell_later(event: dict[str, Any], client: AsyncWebClient) -> None:
        key = f"hint:kept:{event['ts']}"
        if await desk.read(lambda session: was_noted(session, key)):
            return
        place = Place(client, event["user"], event["channel"], event["answers_in"])
        if not await _is_told(place, event["text"]):
            raise Postponed
        with suppress(StorageError):  # told it is: better twice, after a crash, than without end
            await desk.write(partial(note_told, keys=(key,)))


async def _is_told(place: Place, words: str) -> bool:
    """Tell something; False where that may work later."""
    try:
        await whisper(place, Content(words))
    except _OF_SLACK as error:
        failure = understood(error)
        sentence = failure.sentence if failure else type(error).__name__
        log.warning("%s could not be told something: %s", place.user, sentence)
        return failure is not None and failure.meaning is Meaning.GIVE_UP
    return True


def _event(place: Place, hint: Hint, *, team: str | None) -> Event:
    """A hint as the inbox keeps it; its `ts` makes it wait for nothing but itself."""
    event = {
        "type": KIND,
        "user": place.user,
        "channel": place.channel,
        "answers_in": place.thread_ts,
        "ts": hint.key,
        "text": hint.words,
    }
    about = {"type": "event_callback", "event_id": f"told:{hint.key}", "event": event}
    return about | ({"team_id": team} if team else {})
