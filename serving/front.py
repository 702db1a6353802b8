"""The outermost layer of the gateway: what every request and every answer must have.

A request gets an id, a whole body of bounded size and its route; an answer gets the id, security
headers and what CORS asks for. An error that comes this far becomes an answer, and a client that
doesn't read is cut off. Plain ASGI: the hottest route is reached without any framework's layers.
"""

import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, cast

import orjson
from starlette.types import ASGIApp, Message, Scope, Send

from records.errors import UnderstudyError
from serving import request_record
from serving.cors import Cors, Headers, is_preflight
from serving.patience import within
from serving.problems import (
    CLIENT_LEFT,
    TOLD,
    Answer,
    BodyTooLarge,
    BodyTooSlow,
    ClientLeft,
    OriginRefused,
    Problems,
)
from serving.request_body import Receive, Received, discard_rest, has_body, read_body
from serving.request_record import RequestRecord

OnFinished = Callable[[Scope, int, float], None]
"""Told of a request that is over: its scope, its answer's status, and how many seconds it took."""

_SECURITY: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""For answers of an API. A page brings its own policy, which stays as it is."""
_CLOSE = {"Connection": "close"}
_GONE_SECONDS = 1


class Front:
    """Wraps the application; to be given to the server."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        problems: Problems,
        most_body_bytes: int,
        body_seconds: float,
        send_seconds: float,
        cors: Cors | None = None,
        direct: Mapping[tuple[str, str], ASGIApp] = MappingProxyType({}),
        on_begun: Callable[[Scope], RequestRecord] = request_record.begin,
        on_finished: OnFinished | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Pass requests to `app`, but those in `direct` (by method and path) to theirs.

        Args:
            app: what answers everything else, and what runs with the server's lifespan.
            problems: words errors.
            most_body_bytes: largest body; more is refused unread.
            body_seconds: longest time for a body to arrive.
            send_seconds: longest wait until a client takes more of its answer.
            cors: which origins' pages may call; none by default.
            direct: routes without a framework; they raise errors of ours and get a whole body.
            on_begun: told of each request; makes its record, which holds its id.
            on_finished: told of each request that is over. Both must be quick and must not raise.
            clock: seconds for `on_finished`.
        """
        self.app = app
        self.direct = direct
        self._problems = problems
        self._most_body_bytes, self._body_seconds = most_body_bytes, body_seconds
        self._send_seconds = send_seconds
        self._cors = cors or Cors(())
        self._on_begun, self._on_finished = on_begun, on_finished
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = self._clock()
        record = self._on_begun(scope)
        asked: dict[bytes, bytes] = dict(scope["headers"])
        reply = _Reply(
            send,
            ((b"x-request-id", record.request.encode()), *self._cors.headers(asked.get(b"origin"))),
            self._send_seconds,
        )
        try:
            await self._serve(scope, asked, receive, reply)
        finally:
            if self._on_finished is not None:
                self._on_finished(scope, reply.status, self._clock() - began)

    async def _serve(
        self, scope: Scope, asked: Mapping[bytes, bytes], receive: Receive, reply: "_Reply"
    ) -> None:
        try:
            await self._pass_on(scope, asked, receive, reply)
        except ClientLeft:
            await reply.cut(receive)
        except (BodyTooLarge, BodyTooSlow) as error:
            await self._refuse_body(self._problems.answer(error), receive, reply)
        except UnderstudyError as error:
            await self._end(self._problems.answer(error), receive, reply)
        except Exception as error:  # noqa: BLE001 - the edge: nothing may leave as a traceback
            told = TOLD in scope  # the application has logged and answered it
            answer = None if told else self._problems.unforeseen(error, scope)
            await self._end(answer, receive, reply)

    async def _pass_on(
        self, scope: Scope, asked: Mapping[bytes, bytes], receive: Receive, reply: "_Reply"
    ) -> None:
        method: str = scope["method"]
        if self._cors.asked_for and is_preflight(method, asked):
            await self._preflight(asked, reply)
            return
        body = b""
        if has_body(asked):
            body = await read_body(
                asked, receive, most_bytes=self._most_body_bytes, seconds=self._body_seconds
            )
        app = self.direct.get((method, scope["path"]), self.app)
        await app(scope, Received(body, receive), reply.send)

    async def _preflight(self, asked: Mapping[bytes, bytes], reply: "_Reply") -> None:
        if not self._cors.allows(asked[b"origin"]):
            raise OriginRefused("Pages of this origin may not call; see UNDERSTUDY_CORS_ORIGINS.")
        await reply.begin(204, list(self._cors.preflight(asked)))
        await reply.send({"type": "http.response.body", "body": b""})

    async def _end(self, answer: Answer | None, receive: Receive, reply: "_Reply") -> None:
        """Send an error as the answer; one that has begun is cut off, so as not to look whole."""
        if answer is not None and reply.status == CLIENT_LEFT:
            with suppress(ClientLeft):
                await reply.say(answer)
        elif not reply.complete:
            await reply.cut(receive)

    async def _refuse_body(self, answer: Answer, receive: Receive, reply: "_Reply") -> None:
        closing = Answer(answer.status, answer.body, {**answer.headers, **_CLOSE})
        with suppress(ClientLeft):
            await reply.say(closing, more=True)
            await discard_rest(receive)
            await reply.send({"type": "http.response.body", "body": b""})


class _Reply:
    """An answer on its way: adds headers to its start and gives up on clients that don't read."""

    __slots__ = ("_headers", "_seconds", "_send", "complete", "status")

    def __init__(self, send: Send, headers: Headers, seconds: float) -> None:
        self._send = cast("Callable[[Message], Coroutine[Any, Any, None]]", send)
        self._headers = headers
        self._seconds = seconds
        self.status = CLIENT_LEFT
        self.complete = False

    async def send(self, message: Message) -> None:
        """Pass a message on.

        Raises:
            ClientLeft: the client takes nothing more.
        """
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", ())
            names = {name for name, _ in given}
            standard = [pair for pair in _SECURITY if pair[0] not in names]
            message["headers"] = [*given, *self._headers, *standard]
        elif not message.get("more_body"):
            self.complete = True
        try:
            await within(self._seconds, self._send(message))
        except TimeoutError as error:
            raise ClientLeft("The client does not read its answer.") from error

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def say(self, answer: Answer, *, more: bool = False) -> None:
        """Send a whole answer; with `more`, keep the connection until the body's end is sent."""
        body = orjson.dumps(answer.body)
        headers = [(n.lower().encode(), v.encode()) for n, v in answer.headers.items()]
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await self.begin(answer.status, headers)
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def cut(self, receive: Receive) -> None:
        """End the connection at once: what was not sent yet is dropped."""
        # uvicorn closes a connection only when its client has taken all that waits to be sent; its
        # transport, behind the bound method that it gives us, can end it now.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
            with suppress(TimeoutError):
                await within(_GONE_SECONDS, _gone(receive))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
