"""A small HTTP/1.1 client for one server: kept connections, whole bodies and bodies as they come.

The gateway asks an engine for every answer, so this is the hottest path there is; general clients
spend several times as long on what is not needed between two programs of ours (redirects, cookies,
compression, proxies). Parsing is httptools', which uvicorn uses too.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httptools

_CONNECT_SECONDS = 5
_IDLE_SECONDS = 3
"""Younger than servers' own limit (uvicorn: 5), so that a kept connection is rarely a dead one."""
_MOST_UNREAD_BYTES = 256 * 1024
_FIRST_FINAL_STATUS = 200


class HttpFailed(Exception):
    """No answer, or not a whole one: refused, cut off, too slow, or not HTTP."""


class Response:
    """A response whose headers have come; its body comes by `chunks` or `body`."""

    __slots__ = ("_connection", "_silence_seconds", "status")

    def __init__(self, connection: "_Connection", *, silence_seconds: float) -> None:
        self.status = connection.status
        self._connection = connection
        self._silence_seconds = silence_seconds

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            HttpFailed: it does not come to its end.
        """
        return b"".join([piece async for piece in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's pieces, each as much as has come since the one before.

        Raises:
            HttpFailed: it does not come to its end, or nothing comes for too long.
        """
        connection = self._connection
        while True:
            if connection.has_more:
                yield connection.take()
            elif connection.complete:
                return
            else:
                await connection.wait(self._silence_seconds)


class HttpClient:
    """Requests to the server at one URL. Connections belong to the event loop that opened them."""

    def __init__(self, url: str) -> None:
        """Talk to `url` (scheme, host, port and a path that is put before every other)."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if secure else 80)
        self._ssl = ssl.create_default_context() if secure else None
        self._path = parts.path.rstrip("/")
        self._host_header = parts.netloc.rpartition("@")[2]
        self._idle: list[_Connection] = []

    def close(self) -> None:
        """End connections that are not in use."""
        while self._idle:
            self._idle.pop().abort()

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, seconds: float, headers: str = ""
    ) -> tuple[int, bytes]:
        """Ask for a whole answer: its status and its body.

        `seconds` limits all of it; `headers` are whole lines.

        Raises:
            HttpFailed: no answer, or not a whole one.
        """
        request = self._written(method, path, body, headers)
        connection = await self._answered(request, seconds)
        limit = connection.loop.call_later(seconds, connection.fail, "it took too long")
        try:
            response = Response(connection, silence_seconds=seconds)
            return response.status, await response.body()
        finally:
            limit.cancel()
            self._give_back(connection)

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        seconds: float,
        silence_seconds: float | None = None,
        headers: str = "",
    ) -> AsyncIterator[Response]:
        """Ask, and leave the block once the answer is read; leaving it earlier hangs up.

        `seconds` limits all of it, `silence_seconds` each wait for more. `headers` are whole lines.

        Raises:
            HttpFailed: no answer.
        """
        silence = silence_seconds or seconds
        request = self._written(method, path, body, headers)
        connection = await self._answered(request, silence)
        limit = connection.loop.call_later(seconds, connection.fail, "it took too long")
        try:
            yield Response(connection, silence_seconds=silence)
        finally:
            limit.cancel()
            self._give_back(connection)

    def _written(self, method: str, path: str, body: bytes, headers: str) -> bytes:
        head = (
            f"{method} {self._path}{path} HTTP/1.1\r\nHost: {self._host_header}\r\n{headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("latin-1") + body

    def _give_back(self, connection: "_Connection") -> None:
        """Keep a connection for the next request, if it is fit for one."""
        if connection.may_be_kept:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.abort()

    async def _answered(self, request: bytes, silence_seconds: float) -> "_Connection":
        """A connection on which the response to `request` has begun.

        A kept connection that the server closes just now is replaced once, as long as no byte of
        an answer came.
        """
        while True:
            connection = self._kept()
            kept = connection is not None
            connection = connection or await self._connect()
            try:
                connection.send(request)
                while not connection.has_head:
                    await connection.wait(silence_seconds)
            except HttpFailed:
                connection.abort()
                if kept and connection.silent and connection.lost:
                    continue
                raise
            except BaseException:
                connection.abort()
                raise
            return connection

    def _kept(self) -> "_Connection | None":
        oldest = time.monotonic() - _IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.may_be_kept and connection.idle_since > oldest:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._ssl
                )
        except (OSError, TimeoutError) as error:
            raise HttpFailed(str(error) or "no connection in time") from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, and the response that is being read from it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.idle_since = 0.0
        self.lost = False
        self._error: str | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._transport: Any = None
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.silent, self.has_head, self.complete = True, False, False
        self._framed = self._paused = self._keep_alive = False
        self._chunks: list[bytes] = []
        self._unread = 0

    @property
    def has_more(self) -> bool:
        return bool(self._chunks)

    @property
    def may_be_kept(self) -> bool:
        whole = self.complete and not self._chunks and self._error is None
        return whole and self._keep_alive and not self.lost

    def send(self, request: bytes) -> None:
        self._reset()
        if self.lost:
            raise HttpFailed("the connection was closed")
        self._transport.write(request)

    async def wait(self, seconds: float) -> None:
        """Wait for anything new."""
        if self._error is not None:
            raise HttpFailed(self._error)
        self._waiter = self.loop.create_future()
        limit = self.loop.call_later(seconds, self.fail, f"nothing came for {seconds:g} s")
        try:
            await self._waiter
        finally:
            limit.cancel()
            self._waiter = None
        if self._error is not None and not self._chunks:
            raise HttpFailed(self._error)

    def take(self) -> bytes:
        """What has come and was not taken yet."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._unread = 0
        if self._paused and not self.lost:
            self._transport.resume_reading()
            self._paused = False
        return data

    def fail(self, reason: str) -> None:
        """Nothing more will come."""
        if not self.complete and self._error is None:
            self._error = reason
            self._wake()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.silent = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.fail(f"the answer is not HTTP ({error})")
            return
        if self._unread > _MOST_UNREAD_BYTES and not self._paused:
            self._transport.pause_reading()
            self._paused = True
        if self.has_head:
            self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if self.has_head and not self._framed:
            self.complete = True  # such a body ends with its connection
            self._wake()
        self.fail(str(error) if error else "the connection was closed")

    def on_header(self, name: bytes, _value: bytes) -> None:
        self._framed = self._framed or name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._keep_alive = self._parser.should_keep_alive()
        self.has_head = True

    def on_body(self, data: bytes) -> None:
        self._chunks.append(data)
        self._unread += len(data)

    def on_message_complete(self) -> None:
        if self.status < _FIRST_FINAL_STATUS:  # "wait", "early hints": the answer is still to come
            self.has_head = self._framed = False
        else:
            self.complete = True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
