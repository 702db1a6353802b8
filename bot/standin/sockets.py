"""Socket Mode: the app's own connections, and envelopes that it acknowledges."""

import asyncio
import contextlib
import json
import random
import secrets
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from bot.standin.workspace import APP, Json

_MOST_SOCKETS = 10


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the app answered; `reason` says why it did not, in Slack's words.

    `is_final` where the app said that it wants no other try.
    """

    ok: bool
    body: Any = None
    reason: str = ""
    is_final: bool = False


class Sockets:
    """The open connections; each envelope goes to one of them."""

    def __init__(self, acknowledge_seconds: float) -> None:
        self._acknowledge_seconds = acknowledge_seconds
        self._open: list[web.WebSocketResponse] = []
        self._awaited: dict[str, asyncio.Future[Any]] = {}

    @property
    def are_open(self) -> bool:
        """Whether there is any."""
        return bool(self._open)

    async def serve(self, socket: web.WebSocketResponse, *, life_seconds: float) -> None:
        """Use a socket until it closes; after its life the app is asked to open another."""
        if len(self._open) >= _MOST_SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            return
        self._open.append(socket)
        ending = asyncio.create_task(self._end_after(socket, life_seconds))
        try:
            await socket.send_json(
                {
                    "type": "hello",
                    "num_connections": len(self._open),
                    "connection_info": {"app_id": APP},
                    "debug_info": {
                        "host": "standin",
                        "approximate_connection_time": int(life_seconds),
                    },
                }
            )
            await self._listen(socket)
        finally:
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ending
            self._forget(socket)

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            answer = json.loads(message.data)
            awaited = self._awaited.get(answer.get("envelope_id"))
            if awaited is not None and not awaited.done():
                awaited.set_result(answer.get("payload"))

    async def _end_after(self, socket: web.WebSocketResponse, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._end(socket, reason="refresh_requested")

    async def _end(self, socket: web.WebSocketResponse, *, reason: str) -> None:
        self._forget(socket)
        with contextlib.suppress(ConnectionError):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})
            if reason != "warning":  # which comes some seconds before the end
                await socket.close()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)

    async def refresh(self, *, reason: str = "refresh_requested") -> int:
        """Ask for new connections, as Slack does every few hours; returns of how many."""
        open_now = list(self._open)
        for socket in open_now:
            await self._end(socket, reason=reason)
        return len(open_now)

    async def close(self) -> None:
        """Close all."""
        for socket in list(self._open):
            await socket.close()

    async def deliver(
        self, kind: str, payload: Json, *, wants_answer: bool, retry: tuple[int, str] | None
    ) -> Acknowledgement:
        """Send an envelope on one of the connections, and wait for its acknowledgement."""
        envelope = secrets.token_hex(16)
        awaited: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._awaited[envelope] = awaited
        sent = {
            "envelope_id": envelope,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": wants_answer,
        }
        if retry is not None:
            sent |= {"retry_attempt": retry[0], "retry_reason": retry[1]}
        try:
            await random.choice(self._open).send_json(sent)
            body = await asyncio.wait_for(awaited, self._acknowledge_seconds)
        except TimeoutError:
            return Acknowledgement(ok=False, reason="timeout")
        except ConnectionError:
            return Acknowledgement(ok=False, reason="connection_failed")
        finally:
            del self._awaited[envelope]
        return Acknowledgement(ok=True, body=body)
