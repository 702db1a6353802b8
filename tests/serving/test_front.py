"""The outermost layer, under real uvicorn: what every answer has, and what clients can't do."""

import asyncio
import io
import json
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.types import Message, Receive, Scope, Send

from records.errors import RateLimited
from serving.cors import Cors
from serving.front import Front
from serving.problems import ClientLeft, Problems, json_response
from tests.serving.running_gateway import until

MOST_BYTES = 1_000_000
SHOP = "https://shop.example"


@dataclass
class Served:
    """A front with its inner applications, as a client talks to it."""

    url: str
    port: int
    http: aiohttp.ClientSession
    server: uvicorn.Server
    finished: list[tuple[str, int, float]]
    ended: dict[str, BaseException | None] = field(default_factory=dict)
    """How the applications that don't answer ended."""

    async def get(self, path: str, **options: Any) -> tuple[int, Any, dict[str, Any]]:
        method = options.pop("method", "GET")
        async with self.http.request(method, self.url + path, **options) as response:
            raw = await response.read()
            return response.status, response.headers, json.loads(raw) if raw else {}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Directly: the body that came, in one message."""
    message = await receive()
    body = json.dumps({"bytes": len(message["body"]), "more": message["more_body"]}).encode()
    await start(send)
    await send({"type": "http.response.body", "body": body})


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"x-ratelimit-limit-requests": "1"}
    raise RateLimited("Too many.", retry_after_seconds=2.1, headers=headers)


async def fail(scope: Scope, receive: Receive, send: Send) -> None:
    raise ZeroDivisionError("secret words")


async def fail_in_the_middle(scope: Scope, receive: Receive, send: Send) -> None:
    await start(send)
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ZeroDivisionError("secret words")


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await start(send, (b"content-security-policy", b"script-src 'self'"))
    await send({"type": "http.response.body", "body": b"{}"})


async def start(send: Send, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(headers)})


def framework() -> FastAPI:
    app = FastAPI()
    Problems(retry_after_seconds=2).install(app)

    @app.get("/v1/fail")
    async def fails() -> None:
        raise ZeroDivisionError("secret words")

    @app.post("/v1/echo")
    async def echoes(request: Request) -> Any:
        return json_response({"bytes": len(await request.body())})

    return app


@asynccontextmanager
async def served(http: str = "httptools", **options: Any) -> AsyncIterator[Served]:
    finished: list[tuple[str, int, float]] = []
    ended: dict[str, BaseException | None] = {}

    async def flood(scope: Scope, receive: Receive, send: Send) -> None:
        """An answer of twenty megabytes, as fast as the client reads."""
        try:
            await start(send)
            for left in range(399, -1, -1):
                piece: Message = {"type": "http.response.body", "body": b"x" * 50_000}
                await send({**piece, "more_body": left > 0})
                await asyncio.sleep(0)
        except BaseException as error:
            ended["flood"] = error
            raise

    front = Front(
        framework(),
        problems=Problems(retry_after_seconds=2),
        most_body_bytes=MOST_BYTES,
        body_seconds=0.3,
        send_seconds=0.3,
        direct={
            ("POST", "/echo"): echo,
            ("GET", "/echo"): echo,
            ("GET", "/refuse"): refuse,
            ("GET", "/fail"): fail,
            ("GET", "/half"): fail_in_the_middle,
            ("GET", "/page"): page,
            ("GET", "/flood"): flood,
        },
        on_finished=lambda scope, status, s: finished.append((scope["path"], status, s)),
        **options,
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(front, http=http, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    await until(lambda: server.started)
    port = listener.getsockname()[1]
    async with aiohttp.ClientSession() as client:
        try:
            yield Served(f"http://127.0.0.1:{port}", port, client, server, finished, ended)
        finally:
            server.should_exit = True
            await serving
            listener.close()


@pytest.fixture(params=["httptools", "h11"])
def http(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_every_answer_has_an_id_and_security_headers() -> None:
    async with served() as front:
        for path in ("/echo", "/refuse", "/fail", "/v1/nothing", "/v1/fail"):
            _, headers, _ = await front.get(path)
            assert headers["X-Request-ID"].startswith("req_")
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert headers["Cache-Control"] == "no-store"
        ids = [(await front.get("/echo"))[1]["X-Request-ID"] for _ in range(3)]
        assert len(set(ids)) == 3


async def test_a_page_keeps_its_own_policy() -> None:
    async with served() as front:
        _, headers, _ = await front.get("/page")
        assert headers.getall("Content-Security-Policy") == ["script-src 'self'"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("given", "taken"),
    [("abc-123", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("<x>", False)],
)
async def test_a_clients_id_is_taken_where_it_is_sane(given: str, *, taken: bool) -> None:
    async with served() as front:
        _, headers, _ = await front.get("/echo", headers={"X-Request-ID": given})
        assert (headers["X-Request-ID"] == given) is taken


@pytest.mark.parametrize("path", ["/fail", "/v1/fail"])
async def test_an_unforeseen_error_is_a_reference_here_and_a_place_in_the_log(
    caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async with served() as front:
        status, _, body = await front.get(path)
    assert (status, body["error"]["code"]) == (500, "internal_error")
    told = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    (line,) = told
    reference = body["error"]["message"].rstrip(".").rsplit(" ", 1)[-1]
    assert reference.startswith("err_")
    assert line.startswith(
        f"unforeseen error {reference}: ZeroDivisionError at tests/serving/test_"
    )
    assert "secret" not in caplog.text + json.dumps(body)
    assert "Traceback" not in caplog.text


async def test_an_error_of_ours_is_answered_as_openai_would() -> None:
    async with served() as front:
        status, headers, body = await front.get("/refuse")
        error = {"message": "Too many.", "type": "requests", "param": None,
                 "code": "rate_limit_exceeded"}  # fmt: skip
        assert (status, body) == (429, {"error": error})
        assert headers["Retry-After"] == "3"
        assert headers["x-ratelimit-limit-requests"] == "1"


async def test_an_answer_that_breaks_off_does_not_look_whole(
    http: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(http) as front:
        with pytest.raises(aiohttp.ClientError):
            await front.get("/half")
        await until(lambda: front.finished)
    assert [r.name for r in caplog.records if r.levelno >= logging.WARNING] == [
        "understudy.gateway"
    ]


@pytest.mark.parametrize("path", ["/echo", "/v1/echo"])
@pytest.mark.parametrize("size", [0, 1, 70_000, MOST_BYTES])
async def test_a_body_that_fits_comes_whole(path: str, size: int) -> None:
    async with served() as front:
        for data in (b"x" * size, pieces(size)):
            status, _, body = await front.get(path, method="POST", data=data)
            assert (status, body["bytes"]) == (200, size)


async def pieces(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 10_000):
        yield b"x" * min(10_000, size - start)


@pytest.mark.parametrize("path", ["/echo", "/v1/echo"])
async def test_ten_megabytes_are_refused_in_openais_shape(http: str, path: str) -> None:
    async with served(http) as front:
        for data in (io.BytesIO(b"x" * 10_000_000), pieces(10_000_000)):
            status, headers, body = await front.get(path, method="POST", data=data)
            assert (status, body["error"]["code"]) == (413, "request_too_large")
            assert body["error"]["message"].endswith("larger than 1,000,000 bytes.")
            assert headers["Connection"] == "close"


async def test_what_is_announced_too_large_is_refused_before_it_is_sent(http: str) -> None:
    async with served(http) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_sends_a_byte_at_a_time_is_cut(
    http: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.request_body._LINGER_SECONDS", 0.2)
    async with served(http) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        sending = asyncio.create_task(slowly(writer))
        answer = await reader.readuntil(b"}}")
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"request_timeout"' in answer
        await sending


async def slowly(writer: asyncio.StreamWriter) -> None:
    """Send until the connection is ended."""
    with suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)


async def test_a_client_that_leaves_in_mid_body_is_nobodys_error(
    http: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(http) as front:
        _, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx")
        await writer.drain()
        writer.close()
        await until(lambda: front.finished)
        assert front.finished[0][:2] == ("/echo", 499)
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


async def test_a_client_that_does_not_read_is_cut_off(
    http: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(http) as front:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(("127.0.0.1", front.port))
        client.sendall(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n")
        reading = asyncio.create_task(asyncio.to_thread(byte_by_byte, client))
        await until(lambda: front.finished)
        assert isinstance(front.ended["flood"], ClientLeft)
        # Its connection is gone too, though much was waiting to be sent.
        await until(lambda: not front.server.server_state.connections)
        client.close()
        await reading
        assert (await front.get("/echo"))[0] == 200
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def byte_by_byte(client: socket.socket) -> None:
    with suppress(OSError):
        while client.recv(1):
            time.sleep(0.05)


async def test_a_client_that_reads_slowly_but_steadily_is_served() -> None:
    async with served() as front, front.http.get(front.url + "/flood") as response:
        read = 0
        async for piece in response.content.iter_chunked(50_000):
            read += len(piece)
            await asyncio.sleep(0.001)
        assert read == 20_000_000


async def test_pages_of_named_origins_may_call_and_read_errors_too() -> None:
    async with served(cors=Cors({SHOP})) as front:
        asks = {"Origin": SHOP, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization"}  # fmt: skip
        status, headers, _ = await front.get("/echo", method="OPTIONS", headers=asks)
        assert (status, headers["Access-Control-Allow-Origin"]) == (204, SHOP)
        assert headers["Access-Control-Allow-Headers"] == "authorization"
        for path in ("/echo", "/refuse", "/v1/nothing"):
            _, headers, _ = await front.get(path, headers={"Origin": SHOP})
            assert headers["Access-Control-Allow-Origin"] == SHOP
            assert "Retry-After" in headers["Access-Control-Expose-Headers"]
        evil = {**asks, "Origin": "https://evil.example"}
        status, headers, body = await front.get("/echo", method="OPTIONS", headers=evil)
        assert (status, body["error"]["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in headers


async def test_without_the_setting_no_page_may_call() -> None:
    async with served() as front:
        asks = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
        status, headers, _ = await front.get("/v1/echo", method="OPTIONS", headers=asks)
        assert status == 405
        assert not [name for name in headers if name.startswith("Access-Control")]


async def test_the_end_of_each_request_is_told() -> None:
    async with served() as front:
        for path in ("/echo", "/fail", "/v1/nothing"):
            await front.get(path)
        assert [(path, status) for path, status, _ in front.finished] == [
            ("/echo", 200),
            ("/fail", 500),
            ("/v1/nothing", 404),
        ]
        assert all(0 < seconds < 5 for _, _, seconds in front.finished)
