"""A client's end of the line: server-sent events, and noticing that the client has left."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from records.errors import UnderstudyError
from serving.problems import body_of

Result = TypeVar("Result")

_STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


class Outlet:
    """Where a streamed answer goes. Nothing is sent before `begin`."""

    def __init__(self, send: Send) -> None:
        """Write to an ASGI `send`."""
        self._send = send
        self.begun = False

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Send status and headers."""
        self.begun = True
        raw = [
            (name.lower().encode(), value.encode())
            for name, value in {**_STREAM_HEADERS, **headers}.items()
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def send(self, data: bytes) -> None:
        """Send a piece."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes) -> None:
        """Send the last piece."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def fail(self, error: UnderstudyError) -> None:
        """End a begun stream with an error event and without its end mark."""
        await self.end(b"data: " + orjson.dumps(body_of(error)[1]) + b"\n\n")


class EventStream(Response):
    """A response that is produced while it is sent, and stopped when the client leaves."""

    def __init__(self, produce: Callable[[Outlet], Awaitable[None]]) -> None:
        """`produce` writes to the outlet; an error before its first byte becomes a response."""
        super().__init__()
        self._produce = produce

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Produce until done or until the client has left."""
        await _unless_left(self._produce(Outlet(send)), receive)


async def whole_unless_left(work: Awaitable[Result], request: Request) -> Result | None:
    """Do some work, but stop it when the client leaves; None where it has left."""
    return await _unless_left(work, request.receive)


async def _unless_left(work: Awaitable[Result], receive: Receive) -> Result | None:
    working = asyncio.ensure_future(work)
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        return None
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
