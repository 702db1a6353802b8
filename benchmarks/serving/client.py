"""The client of the load generator: keep-alive connections that time and check every answer."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import orjson

_TEXT = re.compile(rb'"content":\s?"[^"]')
_OK = 200


@dataclass(slots=True)
class Answer:
    """One answer as it came; times in seconds since its request was written."""

    began: float
    """On the clock of `time.perf_counter`."""
    seconds: float = 0.0
    first_text_seconds: float | None = None
    chunks: int = 0
    """Events with text in a stream."""
    tokens: int = 0
    """As the usage in the answer says."""
    failure: str = ""
    """What was wrong with it; empty where nothing was."""


def request_bytes(url: str, body: Mapping[str, Any], *, key: str) -> bytes:
    """A chat request, ready to be written."""
    data = orjson.dumps(body)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


class Connection(asyncio.Protocol):
    """One keep-alive connection: one request at a time."""

    def __init__(self, url: str) -> None:
        """To the server at `url`; it connects when it asks."""
        address = urlsplit(url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    async def ask(self, request: bytes, *, text: str | None) -> Answer:
        """Send a request and wait for its whole answer; never raises for a bad one.

        `text` is what it must say, where that is known.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None:
            try:
                await loop.create_connection(lambda: self, self._host, self._port)
            except OSError as error:
                return Answer(time.perf_counter(), failure=f"not connected: {error.strerror}")
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._waiting = loop.create_future()
        self._answer = Answer(time.perf_counter())
        self._transport.write(request)
        answer = await self._waiting
        if not answer.failure:
            check(answer, b"".join(self._body), text=text)
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the parser calls the methods below."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """A part of the answer."""
        self._body.append(data)
        if self._answer.first_text_seconds is None and _TEXT.search(data):
            self._answer.first_text_seconds = time.perf_counter() - self._answer.began

    def on_message_complete(self) -> None:
        """The answer is there."""
        status = self._parser.get_status_code()
        self._settle("" if status == _OK else f"status {status}")

    def connection_lost(self, error: Exception | None) -> None:
        """The server has hung up; the next request connects anew."""
        self._transport = None
        self._settle("connection lost")

    def _settle(self, failure: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._answer.seconds = time.perf_counter() - self._answer.began
            self._answer.failure = failure
            self._waiting.set_result(self._answer)


def check(answer: Answer, body: bytes, *, text: str | None) -> None:
    """Fill in what the body says, and its failure where it isn't whole and right."""
    try:
        read = _read_stream if body.startswith(b"data: ") else _read_whole
        said, finished = read(answer, body)
    except (ValueError, LookupError, TypeError) as error:
        answer.failure = f"not readable: {error!r}"
        return
    if not finished:
        answer.failure = "not complete"
    elif not said or text not in (None, said):
        answer.failure = "another text"


def _read_whole(answer: Answer, body: bytes) -> tuple[str, bool]:
    content = orjson.loads(body)
    choice = content["choices"][0]
    answer.tokens = content["usage"]["completion_tokens"]
    return choice["message"]["content"], bool(choice["finish_reason"])


def _read_stream(answer: Answer, body: bytes) -> tuple[str, bool]:
    *events, last, nothing = body.split(b"\n\n")
    said: list[str] = []
    finished = False
    for event in events:
        if event.startswith(b":"):
            continue  # a comment, which keeps the connection alive
        content = orjson.loads(event.removeprefix(b"data: "))
        if usage := content.get("usage"):
            answer.tokens = usage["completion_tokens"]
        for choice in content["choices"]:
            finished = finished or bool(choice.get("finish_reason"))
            if piece := choice["delta"].get("content"):
                said.append(piece)
    answer.chunks = len(said)
    return "".join(said), finished and last == b"data: [DONE]" and not nothing


def failures_of(answers: list[Answer]) -> dict[str, int]:
    """How many failed, by what was wrong."""
    return dict(Counter(answer.failure for answer in answers if answer.failure))
