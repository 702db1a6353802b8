"""A client's end of the line: answers in bytes, and noticing that the client has left."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import orjson
from starlette.types import Receive, Send

Result = TypeVar("Result")

RawHeaders = list[tuple[bytes, bytes]]

_STREAM_HEADERS: RawHeaders = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_QUICK_SECONDS = 0.02
"""Answers that come sooner are not worth a task that watches for the client's leaving."""
_JSON_TYPE = (b"content-type", b"application/json")


class Outlet:
    """Where a streamed answer goes. Nothing is sent before `begin`."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        """Write to an ASGI `send`; `headers` go with the answer's own."""
        self._send = send
        self._headers = headers
        self.begun = False

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Send status and headers."""
        self.begun = True
        raw = [*_STREAM_HEADERS, *_raw(headers), *_raw(self._headers)]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def send(self, data: bytes) -> None:
        """Send a piece."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes) -> None:
        """Send the last piece."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})


async def respond(send: Send, content: Any, *, headers: Mapping[str, str]) -> None:
    """Send a whole answer as JSON."""
    body = orjson.dumps(content)
    raw = [_JSON_TYPE, (b"content-length", b"%d" % len(body)), *_raw(headers)]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def unless_left(work: Coroutine[Any, Any, Result], receive: Receive) -> Result | None:
    """Do some work, but cancel it when the client leaves; None where it has left."""
    leaving = _Leaving(receive)
    try:
        return await work
    except asyncio.CancelledError:
        if leaving.seen:
            leaving.task.uncancel()
            return None
        raise
    finally:
        leaving.stop()


class _Leaving:
    """Watches for the client's leaving, and cancels the task that answers it then."""

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.seen = False
        self._over = False
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self._begin = asyncio.get_running_loop().call_later(_QUICK_SECONDS, self._watch)

    def stop(self) -> None:
        self._over = True
        self._begin.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _watch(self) -> None:
        self._watching = asyncio.ensure_future(_until_left(self._receive))
        self._watching.add_done_callback(self._left)

    def _left(self, watching: "asyncio.Future[None]") -> None:
        if not self._over and not watching.cancelled():
            self.seen = True
            self.task.cancel()


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _raw(headers: Mapping[str, str]) -> Iterable[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
