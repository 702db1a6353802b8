"""Telling the app what happened: signed HTTP requests or envelopes on its socket, with retries."""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bot.standin.workspace import APP, TEAM, Json

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
class Acknowledgement:
    """What the app answered; `reason` says why it did not, in Slack's words."""

    ok: bool
    body: Any = None
    reason: str = ""


def signed(secret: str, body: str, *, timestamp: int) -> dict[str, str]:
    """The headers that prove a request to be Slack's (v0: HMAC-SHA256 of version, time, body)."""
    base = f"v0:{timestamp}:{body}".encode()
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


class Delivery:
    """Delivers to the open socket if there is one, and to the app's URL otherwise."""

    def __init__(self, url: str, secret: str, *, retry_seconds: Sequence[float]) -> None:
        self._url = url
        self._secret = secret
        self._retry_seconds = retry_seconds
        self._session: aiohttp.ClientSession | None = None
        self._sockets: list[web.WebSocketResponse] = []
        self._awaited: dict[str, asyncio.Future[Any]] = {}
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
        for socket in list(self._sockets):
            await socket.close()
        if self._session is not None:
            await self._session.close()

    def event(self, event: Json) -> str:
        """Deliver an event, again and again until it is acknowledged; returns its id."""
        event_id = f"Ev{secrets.token_hex(5).upper()}"
        body = {
            "token": "standin",
            "team_id": TEAM,
            "api_app_id": APP,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": None, "is_bot": True}],
            "event": {"channel_type": "channel", "event_ts": event.get("ts"), **event},
        }
        self._sent[event_id] = body
        if len(self._sent) > _REPEATABLE:
            del self._sent[next(iter(self._sent))]
        self._start(self._until_acknowledged(body))
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

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Use an app's socket until it closes."""
        await socket.send_json({"type": "hello", "num_connections": len(self._sockets) + 1})
        self._sockets.append(socket)
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                answer = json.loads(message.data)
                awaited = self._awaited.get(answer.get("envelope_id"))
                if awaited is not None and not awaited.done():
                    awaited.set_result(answer.get("payload"))
        finally:
            self._sockets.remove(socket)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _once_more(self, body: Json) -> None:
        await self._deliver(Channel.EVENT, body, retry=(1, "http_timeout"))

    async def _until_acknowledged(self, body: Json) -> None:
        answer = await self._deliver(Channel.EVENT, body)
        for number, wait in enumerate(self._retry_seconds, start=1):
            if answer.ok:
                return
            await asyncio.sleep(wait)
            answer = await self._deliver(Channel.EVENT, body, retry=(number, answer.reason))
        if not answer.ok:
            log.warning("event %s was not acknowledged: %s", body["event_id"], answer.reason)

    async def _deliver(
        self,
        channel: Channel,
        payload: Json,
        *,
        form: dict[str, str] | None = None,
        retry: tuple[int, str] | None = None,
    ) -> Acknowledgement:
        if self._sockets:
            return await self._by_socket(channel, payload, retry=retry)
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
                text = await response.text()
                if response.status != _OK:
                    return Acknowledgement(ok=False, body=text, reason="http_error")
                is_json = response.content_type == "application/json" and text
                return Acknowledgement(ok=True, body=json.loads(text) if is_json else text)
        except TimeoutError:
            return Acknowledgement(ok=False, reason="http_timeout")
        except aiohttp.ClientError:
            return Acknowledgement(ok=False, reason="connection_failed")

    async def _by_socket(
        self, channel: Channel, payload: Json, *, retry: tuple[int, str] | None
    ) -> Acknowledgement:
        envelope = secrets.token_hex(16)
        awaited: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._awaited[envelope] = awaited
        sent = {
            "envelope_id": envelope,
            "type": channel,
            "payload": payload,
            "accepts_response_payload": channel is not Channel.EVENT,
        }
        if retry is not None:
            sent |= {"retry_attempt": retry[0], "retry_reason": retry[1]}
        try:
            await self._sockets[-1].send_json(sent)
            body = await asyncio.wait_for(awaited, ACKNOWLEDGE_SECONDS)
        except TimeoutError:
            return Acknowledgement(ok=False, reason="timeout")
        except ConnectionError:
            return Acknowledgement(ok=False, reason="connection_failed")
        finally:
            del self._awaited[envelope]
        return Acknowledgement(ok=True, body=body)
