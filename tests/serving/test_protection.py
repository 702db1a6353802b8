"""A gateway that is misused: wrong keys, floods, slow clients, jumping clocks; and its secrets."""

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest
from openai import RateLimitError

from records import keys
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.messages import Role
from records.states import KeyScope, TurnStatus
from serving.logs import AccessLog, LineHandler, as_json
from tests import stub_engine
from tests.conftest import free_port
from tests.serving.running_gateway import Stack, running, until
from tests.stub_engine import Fault, StubEngine

ADMIN_KEY = "us-the-admin-key-of-this-test"


Parts = dict[str, Any]


@pytest.fixture
def parts(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> Parts:
    return {
        "home": tmp_path, "database": sqlite, "artifacts": artifacts, "assistant": assistant,
        "engine": engine,
    }  # fmt: skip


def make_key(stack: Stack, **limits: int) -> dict[str, str]:
    """A key of a customer's backend, as a header."""
    with stack.database.write() as session:
        key = keys.create(session, name="shop", scope=KeyScope.CUSTOMER, actor="ops", **limits)
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.alone
async def test_a_thousand_wrong_keys_do_not_hurt_a_good_one(stack: Stack) -> None:
    good = make_key(stack)
    await stack.chat(headers=good)
    looked_up: list[str] = []
    read = stack.gateway.access._read
    stack.gateway.access._read = lambda digest: looked_up.append(digest) or read(digest)  # type: ignore[func-returns-value, method-assign]
    numbers = iter(range(1_000))
    seen: Counter[int] = Counter()

    async def guess() -> None:
        for number in numbers:
            header = {"Authorization": f"Bearer us-guess-{number}"}
            answer = await stack.call("GET", "/v1/models", headers=header)
            seen[answer["status"]] += 1
            if answer["status"] == 429:
                assert int(answer["headers"]["Retry-After"]) >= 1

    async def serve() -> list[float]:
        times = []
        while not all(guesser.done() for guesser in guessers):
            began = time.perf_counter()
            assert (await stack.chat(headers=good))["status"] == 200
            times.append(time.perf_counter() - began)
        return times

    guessers = [asyncio.create_task(guess()) for _ in range(16)]
    times = await serve()
    await asyncio.gather(*guessers)
    print(
        f"1,000 wrong keys: {dict(seen)}, {len(looked_up)} asked of the database; "
        f"{len(times)} good requests meanwhile, slowest {max(times) * 1000:.0f} ms"
    )
    assert seen.total() == 1_000
    assert set(seen) == {401, 429}
    assert len(looked_up) < 100
    assert len(times) > 20
    assert (await stack.chat(headers=good))["status"] == 200


async def test_a_customer_has_a_share_of_requests(parts: Parts) -> None:
    async with running(**parts, customer_requests_per_minute=2) as stack:
        ada = {"X-Customer-Id": "ada"}
        first, second, third = [await stack.chat(headers=ada) for _ in range(3)]
        assert [a["status"] for a in (first, second, third)] == [200, 200, 429]
        assert first["headers"]["x-ratelimit-limit-requests"] == "2"
        assert second["headers"]["x-ratelimit-remaining-requests"] == "0"
        assert third["error"]["type"] == "requests"
        assert third["error"]["code"] == "rate_limit_exceeded"
        assert 1 <= int(third["headers"]["Retry-After"]) <= 30
        assert third["headers"]["x-ratelimit-reset-requests"] in ("59s", "1m0s")
        assert (await stack.chat(headers={"X-Customer-Id": "bob"}))["status"] == 200
        with pytest.raises(RateLimitError) as refused:
            await stack.openai.chat.completions.create(
                model="support", messages=[{"role": "user", "content": "hi"}], user="ada"
            )
        assert refused.value.code == "rate_limit_exceeded"
        assert len(stack.turns(role=Role.CUSTOMER)) == 3


async def test_a_keys_own_limit_holds(parts: Parts) -> None:
    async with running(**parts, key_requests_per_minute=100) as stack:
        slow, usual = make_key(stack, requests_per_minute=1), make_key(stack)
        statuses = [(await stack.chat(headers=slow))["status"] for _ in range(2)]
        assert statuses == [200, 429]
        answer = await stack.chat(headers=usual)
        assert answer["headers"]["x-ratelimit-limit-requests"] == "100"


@pytest.mark.parametrize("stream", [False, True])
async def test_what_runs_at_once_is_bounded_and_counted_down_however_it_ends(
    parts: Parts, *, stream: bool
) -> None:
    async with running(**parts, customer_concurrent_requests=2) as stack:
        ada = {"X-Customer-Id": "ada"}
        stack.engine.hold()
        body = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}
        asking = [
            asyncio.create_task(post(stack, {**body, "stream": stream}, ada)) for _ in range(2)
        ]
        await until(lambda: stack.gateway.admission.running == 2)
        refused = await stack.chat(headers=ada)
        assert (refused["status"], refused["headers"]["Retry-After"]) == (429, "1")
        asking[0].cancel()  # one client leaves; the other gets its answer
        await until(lambda: stack.gateway.admission.running == 1)
        stack.engine.held.set()
        await asking[1]
        await until(lambda: stack.gateway.admission.running == 0)
        assert (await stack.chat(headers=ada))["status"] == 200


async def post(stack: Stack, body: dict[str, Any], headers: dict[str, str]) -> bytes:
    url = f"{stack.url}/v1/chat/completions"
    everything = {**stack.headers(), **headers}
    async with stack.http.post(url, json=body, headers=everything) as response:
        return await response.read()


async def test_beyond_its_room_the_gateway_sheds_load_before_anything_is_begun(
    parts: Parts,
) -> None:
    async with running(**parts, max_requests=2) as stack:
        stack.engine.hold()
        asking = [asyncio.create_task(stack.chat(str(n))) for n in range(2)]
        await until(lambda: stack.gateway.admission.running == 2)
        asked = len(stack.engine.requests)
        for _ in range(20):
            answer = await stack.chat("one more")
            assert (answer["status"], answer["error"]["code"]) == (503, "overloaded")
            assert answer["headers"]["Retry-After"] == "2"
        assert len(stack.engine.requests) == asked
        stack.engine.held.set()
        assert [(await a)["status"] for a in asking] == [200, 200]
        assert "one more" not in [turn.content for turn in stack.turns()]
        assert (await stack.chat())["status"] == 200


async def test_a_client_that_reads_a_byte_a_second_does_not_hold_the_engine(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub_engine, "pieces_of", lambda text: [text] * 3_000)
    async with running(**parts, send_seconds=0.3) as stack:
        stack.engine.answer = lambda model, messages: "x" * 4_000
        stack.engine.hold()  # after half of it, more than all buffers on the way to the client hold
        body = orjson.dumps(
            {"model": "support", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        )
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {stack.key('customer')}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(("127.0.0.1", urlsplit(stack.url).port))
            client.sendall(head.encode() + body)
            await until(lambda: stack.engine.requests)
            await until(lambda: stack.engine.left_by_client == 1, seconds=20)
            await until(lambda: stack.turns(role=Role.ASSISTANT))
            (turn,) = stack.turns(role=Role.ASSISTANT)
            assert turn.status is TurnStatus.ABANDONED
            await until(lambda: stack.gateway.admission.running == 0)


async def test_ten_megabytes_are_refused_and_nothing_else_suffers(stack: Stack) -> None:
    async def huge() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    for path in ("/v1/chat/completions", "/v1/outcomes", "/v1/admin/promote"):
        answer = await stack.call("POST", path, data=huge())
        assert (answer["status"], answer["error"]["code"]) == (413, "request_too_large")
    assert (await stack.chat())["status"] == 200


@pytest.mark.parametrize("jump", [-86_400, 86_400 * 400])
async def test_a_clock_that_jumps_changes_nothing(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    async with running(**parts, customer_requests_per_minute=3) as stack:
        good, ada = make_key(stack), {"X-Customer-Id": "ada"}
        assert (await stack.chat(headers={**good, **ada}))["status"] == 200
        real = time.time
        with monkeypatch.context() as patch:
            patch.setattr("time.time", lambda: real() + jump)
            statuses = [(await stack.chat(headers={**good, **ada}))["status"] for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await stack.chat(headers=good))["status"] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", None, 404, "not_found"),
        ("GET", "/v1/chat/completions", None, 405, "method_not_allowed"),
        ("DELETE", "/v1/models", None, 405, "method_not_allowed"),
        ("POST", "/v1/chat/completions", b"{", 400, "invalid_value"),
        ("POST", "/v1/outcomes", b"{", 400, "invalid_value"),
        ("POST", "/v1/outcomes", b"[]", 400, "invalid_value"),
        (
            "POST",
            "/v1/chat/completions",
            b'{"model": "none", "messages": []}',
            400,
            "invalid_value",
        ),
    ],
)
async def test_what_cannot_be_done_is_told_in_openais_shape(
    stack: Stack, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    headers = {**stack.headers(), "Content-Type": "application/json"}
    answer = await stack.call(method, path, data=body, headers=headers)
    assert (answer["status"], answer["error"]["code"]) == (status, code)
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert answer["headers"]["X-Request-ID"]


class Wire:
    """Stands between the gateway and its database, and can be cut."""

    def __init__(self, port: int) -> None:
        self.port, self._target = free_port(), port
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def join(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, ends[1]}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_copy(reader, ends[1]), _copy(ends[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
def lines() -> Iterator[list[bytes]]:
    """All lines of this process's log while a test runs, whatever their level."""
    found: list[bytes] = []
    handler, root = LineHandler(found.append, as_json), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_no_secret_is_in_any_answer_or_line_whatever_fails(
    database: Database,
    parts: Parts,
    lines: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed = urlsplit(database.url)
    wire = Wire(parsed.port or 0)
    await wire.join()
    password = "the-databases-password"
    far = Database(f"postgresql://postgres:{password}@127.0.0.1:{wire.port}{parsed.path}")
    said: list[bytes] = []
    told_ops: list[bytes] = []

    async def ask(stack: Stack, method: str = "POST", path: str = "/v1/chat/completions",
                  key: str | None = None, **body: Any) -> int:  # fmt: skip
        headers = {"Authorization": f"Bearer {key or stack.key('customer')}"}
        asked = {"model": "support", "messages": [{"role": "user", "content": "hi"}], **body}
        with contextlib.suppress(aiohttp.ClientError):
            async with stack.http.request(
                method, stack.url + path, json=asked, headers=headers
            ) as response:
                answer = str(response.headers).encode() + await response.read()
                (told_ops if key == ADMIN_KEY else said).append(answer)
                return response.status
        return 0

    async with running(
        **{**parts, "database": far}, admin_key=ADMIN_KEY, silence_seconds=0.3,
        answer_seconds=0.5, key_cache_seconds=0.0, access_log=AccessLog(lines.append),
    ) as stack:  # fmt: skip
        with database.write() as session:
            made = keys.create(session, name="shop", scope=KeyScope.CUSTOMER, actor="ops")
        secrets = [password, ADMIN_KEY, stack.key("customer"), made, keys.hashed(made)]
        for fault in Fault:
            stack.engine.fault = fault
            for stream in (False, True):
                await ask(stack, key=made, stream=stream)
        stack.engine.fault = Fault.NONE
        await ask(stack, "GET", "/v1/admin/versions", key=ADMIN_KEY)
        assert await ask(stack, "GET", "/v1/admin/versions", key=made) == 403
        assert await ask(stack, key=made + "x") == 401
        assert await ask(stack, "POST", "/v1/admin/promote", key=ADMIN_KEY, version="x") == 404
        with monkeypatch.context() as patch:
            patch.setattr(type(stack.gateway.traffic), "choose", _broken(secrets))
            assert await ask(stack) == 500
        await wire.cut()
        assert await ask(stack, key=made) == 503
        assert await ask(stack) == 503
        await ask(stack, "GET", "/v1/admin/versions", key=ADMIN_KEY)
        await stack.engine.stop()
        await ask(stack)
    far.close()
    everything = b"\n".join(lines + said + told_ops).decode()
    assert [secret for secret in secrets if secret in everything] == []
    for inside in ("Traceback", str(wire.port), stack.engine.url, "sqlalchemy", "psycopg"):
        assert inside not in b"\n".join(said).decode()
    print(f"{len(said + told_ops)} answers and {len(lines)} lines without a secret")


def _broken(secrets: list[str]) -> Any:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(" ".join(secrets))

    return broken
