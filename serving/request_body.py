"""Reading a request's body whole: no larger and no slower than the settings allow."""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from starlette.types import Message

from serving.patience import within
from serving.problems import BodyTooLarge, BodyTooSlow, ClientLeft

Receive = Callable[[], Coroutine[Any, Any, Message]]

_MOST_DIGITS = 18
_LINGER_SECONDS = 2
_LINGER_BYTES = 32_000_000


class Received:
    """An ASGI `receive` for a body that was read: gives it at once, then what the client does."""

    __slots__ = ("_body", "_receive")

    def __init__(self, body: bytes, receive: Receive) -> None:
        """Give `body`, then go on with `receive`."""
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        """The next message."""
        body = self._body
        if body is None:
            return await self._receive()
        self._body = None
        return {"type": "http.request", "body": body, "more_body": False}


def has_body(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request says that it brings a body."""
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, *, most_bytes: int, seconds: float
) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge: announced or sent more than `most_bytes`; the rest is not read.
        BodyTooSlow: it did not arrive within `seconds`.
        ClientLeft: the client is gone.
    """
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or len(announced) > _MOST_DIGITS or int(announced) > most_bytes:
        raise _too_large(most_bytes)
    try:
        return await within(seconds, _collected(receive, most_bytes))
    except TimeoutError as error:
        raise BodyTooSlow(
            f"The request's body did not arrive within {seconds:g} seconds."
        ) from error


async def discard_rest(receive: Receive) -> None:
    """Take what a refused client still sends, for a while.

    Closing while it sends would reset the connection, and it might never read its answer.
    """
    with suppress(TimeoutError):
        await within(_LINGER_SECONDS, _discarded(receive))


async def _collected(receive: Receive, most_bytes: int) -> bytes:
    message = await receive()
    first: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        if len(first) > most_bytes:
            raise _too_large(most_bytes)
        return first
    body = bytearray(first)
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
    if message["type"] != "http.request":
        raise ClientLeft
    return bytes(body)


async def _discarded(receive: Receive) -> None:
    discarded = 0
    more = True
    while more and discarded < _LINGER_BYTES:
        message = await receive()
        discarded += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)


def _too_large(most_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request's body is larger than {most_bytes:,} bytes.")
