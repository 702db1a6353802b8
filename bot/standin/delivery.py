"""Telling the app what happened: signed HTTP requests or envelopes on its socket, with retries."""

import asyncio
import hashlib
import hmac
import json
import logging
import random
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.standin.health import Health
from bot.standin.sockets import Acknowledgement, Sockets
from bot.standin.workspace import APP, Json, Workspace

log = logging.getLogger(__name__)

ACKNOWLEDGE_SECONDS = 3.0
_OK = 200
_REPEATABLE = 1000


class Channel(StrEnum):
    """What is delivered: the names are Socket Mode's."""

    EVENT = "events_api"
    INTERACTION = "interactive"
    COMMAND = "slash_commands"


@dataclass(frozen=True, slots=True)
class Pace:
    """When a failed event is delivered again, and which share of events twice without need."""

    retry_seconds: Sequence[float] = (0.0, 60.0, 300.0)
    repeated_share: float = 0.0


def signed(secret: str, body: str, *, timestamp: int) -> dict[str, str]:
    """The headers that prove a request to be Slack's (v0: HMAC-SHA256 of version, time, body)."""
    base = f"v0:{timestamp}:{body}".encode()
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


class Delivery:
    """Delivers to an open socket if there is one, and to the app's URL otherwise."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        pace: Pace,
        health: Health,
        is_wanted: Callable[[Workspace, Json], bool] = lambda _, __: True,
    ) -> None:
        self._url = url
        self._secret = secret
        self._pace = pace
        self._health = health
        self._is_wanted = is_wanted
        self._session: aiohttp.ClientSession | None = None
        self.sockets = Sockets(ACKNOWLEDGE_SECONDS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: dict[str, Json] = {}

    async def open(self) -> None:
        """Be ready to deliver."""
        timeout = aiohttp.ClientTimeout(total=ACKNOWLEDGE_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)

    async def close(self) -> None:
        """Stop all retries."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        if self._session is not None:
            await self._session.close()

    def event(self, workspace: Workspace, event: Json) -> str:
        """Deliver an event, again and again until it is acknowledged; returns its id.

        What the app has not subscribed to is not delivered, nor anything after its subscriptions
        were switched off.
        """
        event_id = f"Ev{secrets.token_hex(5).upper()}"
        if self._health.is_off or not self._is_wanted(workspace, event):
            return event_id
        body = _enveloped(workspace, event, event_id)
        self._sent[event_id] = body
        if len(self._sent) > _REPEATABLE:
            del self._sent[next(iter(self._sent))]
        self._start(self._until_acknowledged(body))
        if random.random() < self._pace.repeated_share:
            self.repeat(event_id)
        return event_id

    def repeat(self, event_id: str) -> bool:
        """Deliver an event once more, as Slack does when an acknowledgement got lost."""
        body = self._sent.get(event_id)
        if body is not None:
            self._start(self._once_more(body))
        return body is not None

    async def interaction(self, payload: Json) -> Acknowledgement:
        """Deliver what a person did; it is not repeated."""
        form = {"payload": json.dumps(payload)}
        return await self._deliver(Channel.INTERACTION, payload, form=form)

    async def command(self, form: dict[str, str]) -> Acknowledgement:
        """Deliver a slash command; it is not repeated."""
        return await self._deliver(Channel.COMMAND, form, form=form)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _once_more(self, body: Json) -> None:
        await self._deliver(Channel.EVENT, body, retry=(1, "http_timeout"))

    async def _until_acknowledged(self, body: Json) -> None:
        answer = await self._attempt(body, retry=None)
        for number, wait in enumerate(self._pace.retry_seconds, start=1):
            if answer.ok or answer.is_final:
                break
            await asyncio.sleep(wait)
            answer = await self._attempt(body, retry=(number, answer.reason))
        if not answer.ok:
            log.warning("event %s was not acknowledged: %s", body["event_id"], answer.reason)

    async def _attempt(self, body: Json, *, retry: tuple[int, str] | None) -> Acknowledgement:
        answer = await self._deliver(Channel.EVENT, body, retry=retry)
        self._health.count(is_acknowledged=answer.ok)
        return answer

    async def _deliver(
        self,
        channel: Channel,
        payload: Json,
        *,
        form: dict[str, str] | None = None,
        retry: tuple[int, str] | None = None,
    ) -> Acknowledgement:
        if self.sockets.are_open:
            wants_answer = channel is not Channel.EVENT
            return await self.sockets.deliver(
                channel, payload, wants_answer=wants_answer, retry=retry
            )
        body = urlencode(form) if form is not None else json.dumps(payload)
        kind = "application/x-www-form-urlencoded" if form is not None else "application/json"
        headers = {"Content-Type": kind}
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        return await self._by_http(body, headers)

    async def _by_http(self, body: str, headers: dict[str, str]) -> Acknowledgement:
        assert self._session is not None
        proof = signed(self._secret, body, timestamp=int(time.time()))
        try:
            async with self._session.post(
                self._url, data=body.encode(), headers={**headers, **proof}
            ) as response:
                return await _understood(response)
        except TimeoutError:
            return Acknowledgement(ok=False, reason="http_timeout")
        except aiohttp.ClientError:
            return Acknowledgement(ok=False, reason="connection_failed")


def _enveloped(workspace: Workspace, event: Json, event_id: str) -> Json:
    ts = event.get("event_ts") or event.get("ts") or f"{time.time():.6f}"
    known = workspace.channels.get(str(event.get("channel") or ""))
    inside = {"event_ts": ts, **event}
    if event["type"] == "message" and known is not None:
        kinds = {"is_im": "im", "is_private": "group"}
        kind = next((word for name, word in kinds.items() if known[name]), "channel")
        inside["channel_type"] = kind
    return {
        "token": "standin",
        "team_id": workspace.team,
        "api_app_id": APP,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "event_context": f"4-{event_id}",
        "is_ext_shared_channel": False,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team,
                "user_id": workspace.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "event": inside,
    }


async def _understood(response: aiohttp.ClientResponse) -> Acknowledgement:
    text = await response.text()
    if response.status != _OK:
        final = response.headers.get("X-Slack-No-Retry") == "1"
        return Acknowledgement(ok=False, body=text, reason="http_error", is_final=final)
    is_json = response.content_type == "application/json" and text
    return Acknowledgement(ok=True, body=json.loads(text) if is_json else text)
