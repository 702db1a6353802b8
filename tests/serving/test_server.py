"""`understudy serve` is stopped under load: no answer is lost."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import yaml
from sqlalchemy import select

from records.assistant import Assistant
from records.database import Database
from records.keys import local_key
from records.messages import Role
from records.states import TurnStatus
from records.tables import Turn
from serving.draining import Draining, closing_connections
from tests.conftest import free_port
from tests.serving.running_gateway import until
from tests.stub_engine import StubEngine

pytestmark = pytest.mark.slow


@dataclass
class Served:
    """A gateway in a process of its own."""

    url: str
    home: Path
    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession
    log: Path
    answered: set[str] = field(default_factory=set)
    """Turns whose answers a customer has read to their end."""
    failed: list[str] = field(default_factory=list)
    closed: int = 0
    """Answers that closed their connection."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {local_key(self.home, 'customer')}"}

    async def ready(self) -> int:
        """The status of /health/ready; 0 where nobody answers."""
        try:
            async with self.http.get(f"{self.url}/health/ready") as response:
                return response.status
        except aiohttp.ClientError:
            return 0

    async def becomes(self, status: int, *, seconds: float = 10) -> None:
        """Wait until /health/ready says so, as a load balancer does."""
        async with asyncio.timeout(seconds):
            while await self.ready() != status:
                assert self.process.returncode is None or not status, self.log.read_text()
                await asyncio.sleep(0.02)

    async def ask(self, text: str, *, stream: bool) -> None:
        """Ask, and note whether the answer came to its end."""
        body = {
            "model": "support", "messages": [{"role": "user", "content": text}], "stream": stream,
        }  # fmt: skip
        url = f"{self.url}/v1/chat/completions"
        try:
            async with self.http.post(url, json=body, headers=self.headers) as response:
                raw = await response.read()
                self.closed += response.headers.get("Connection") == "close"
        except aiohttp.ClientError as error:
            self.failed.append(repr(error))
            return
        if response.status != 200:
            self.failed.append(f"{response.status} {raw!r}")
        elif not stream:
            self.answered.add(json.loads(raw)["understudy"]["turn_id"])
        elif raw.endswith(b"data: [DONE]\n\n"):
            last = raw.split(b"\n\n")[-3].removeprefix(b"data: ")
            self.answered.add(json.loads(last)["understudy"]["turn_id"])
        else:
            self.failed.append(f"cut off: {raw[-200:]!r}")

    def recorded(self) -> dict[str, TurnStatus]:
        """The answers in the database, with their status."""
        database = Database(f"sqlite:///{self.home / 'understudy.db'}")
        with database.read() as session:
            rows = session.execute(
                select(Turn.id, Turn.status).where(Turn.role == Role.ASSISTANT)
            ).all()
        database.close()
        return {row.id: row.status for row in rows}


@asynccontextmanager
async def served(
    tmp_path: Path, assistant: Assistant, engine: StubEngine, **settings: object
) -> AsyncIterator[Served]:
    assistants = tmp_path / "assistants"
    assistants.mkdir()
    (assistants / "support.yaml").write_text(
        yaml.safe_dump({k: v for k, v in assistant.model_dump(mode="json").items() if v})
    )
    port, log = free_port(), tmp_path / "log"
    environment = {
        **os.environ,
        "UNDERSTUDY_HOME": str(tmp_path / "home"),
        "UNDERSTUDY_ASSISTANTS": str(assistants),
        "UNDERSTUDY_ENGINE_URLS": engine.url,
        "UNDERSTUDY_PORT": str(port),
        **{f"UNDERSTUDY_{name.upper()}": str(value) for name, value in settings.items()},
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "records.cli", "serve", env=environment, stderr=output
        )
    async with aiohttp.ClientSession() as http:
        gateway = Served(f"http://127.0.0.1:{port}", tmp_path / "home", process, http, log)
        try:
            await gateway.becomes(200, seconds=30)
            yield gateway
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_sigterm_under_load_loses_no_answer(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with served(tmp_path, assistant, engine, drain_seconds=1) as gateway:
        engine.seconds_per_piece = 0.02
        leaving = asyncio.Event()
        """A load balancer has seen that the gateway is not ready, and sends nothing more."""

        async def customer(number: int) -> None:
            turn = 0
            while not leaving.is_set():
                turn += 1
                await gateway.ask(f"question {turn} of customer {number}", stream=number % 2 == 0)

        async def balancer() -> None:
            await gateway.becomes(503)
            await until(lambda: gateway.closed)  # some still come, and are told to go
            leaving.set()

        customers = [asyncio.create_task(customer(n)) for n in range(16)]
        await until(lambda: len(gateway.answered) >= 50, seconds=30)
        before = len(gateway.answered)
        began = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*customers, balancer())
        noticed = time.monotonic() - began
        await gateway.process.wait()
        took = time.monotonic() - began
        after = len(gateway.answered) - before
        lost = gateway.answered - gateway.recorded().keys()
        print(
            f"answered {before} before and {after} after SIGTERM, lost {len(lost)}, failed "
            f"{len(gateway.failed)}; noticed after {noticed:.2f} s, ended after {took:.2f} s"
        )
        assert gateway.failed == []
        assert not lost
        assert after > 0
        assert gateway.closed > 0
        assert set(gateway.recorded().values()) == {TurnStatus.COMPLETE}
        assert 1 <= took < 10
        assert gateway.process.returncode == -signal.SIGTERM


async def test_a_long_answer_finishes_after_no_more_is_accepted(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with served(tmp_path, assistant, engine, drain_seconds=0) as gateway:
        engine.hold()
        asking = asyncio.create_task(gateway.ask("hello", stream=True))
        await engine.waiting.wait()
        gateway.process.send_signal(signal.SIGTERM)
        await gateway.becomes(0)
        assert gateway.process.returncode is None
        engine.held.set()
        await asking
        await gateway.process.wait()
        assert gateway.failed == []
        assert gateway.answered == gateway.recorded().keys()


async def test_an_answer_that_does_not_end_in_time_is_recorded_as_abandoned(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with served(tmp_path, assistant, engine, drain_seconds=0, finish_seconds=1) as gateway:
        engine.hold()
        asking = asyncio.create_task(gateway.ask("hello", stream=True))
        await engine.waiting.wait()
        gateway.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            await gateway.process.wait()
        await asking
        assert len(gateway.failed) == 1
        assert list(gateway.recorded().values()) == [TurnStatus.ABANDONED]


async def test_a_second_signal_ends_the_draining(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with served(tmp_path, assistant, engine, drain_seconds=300) as gateway:
        gateway.process.send_signal(signal.SIGTERM)
        await gateway.becomes(503)
        async with asyncio.timeout(10):
            gateway.process.send_signal(signal.SIGTERM)
            await gateway.process.wait()


async def test_event_streams_end_when_the_gateway_stops(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with served(tmp_path, assistant, engine, drain_seconds=0) as gateway:
        made = await gateway.http.post(
            f"{gateway.url}/v1/conversations", json={"assistant": "support"},
            headers=gateway.headers,
        )  # fmt: skip
        name = (await made.json())["id"]
        url = f"{gateway.url}/v1/conversations/{name}/events"
        async with gateway.http.get(url, headers=gateway.headers) as stream:
            await stream.content.readany()
            gateway.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                await stream.read()
                await gateway.process.wait()


async def test_its_log_is_json_from_the_first_line_to_the_last(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with served(tmp_path, assistant, engine, drain_seconds=0) as gateway:
        await gateway.ask("Erika Mustermann", stream=True)
        gateway.process.send_signal(signal.SIGTERM)
        await gateway.process.wait()
        text = gateway.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert "Erika" not in text
    assert {"uvicorn.error", "understudy.gateway"} <= {line.get("logger") for line in lines}
    (request,) = [line for line in lines if line.get("route") == "/v1/chat/completions"]
    assert (request["status"], request["version"]) == (200, "support-base")


async def test_a_port_that_is_taken_is_a_failure_to_start(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with served(tmp_path, assistant, engine) as gateway:
        environment = {
            **os.environ,
            "UNDERSTUDY_HOME": str(gateway.home),
            "UNDERSTUDY_ASSISTANTS": str(tmp_path / "assistants"),
            "UNDERSTUDY_ENGINE_URLS": engine.url,
            "UNDERSTUDY_PORT": gateway.url.rpartition(":")[2],
        }
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "records.cli", "serve", env=environment,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, told = await second.communicate()
        assert second.returncode not in (0, None)
        assert b"address already in use" in told


@pytest.mark.parametrize(("begun", "closed"), [(False, False), (True, True)])
async def test_connections_are_closed_only_while_draining(*, begun: bool, closed: bool) -> None:
    class Connection:
        transport = "the client's"
        sent: list[dict[str, object]] = []  # noqa: RUF012 - one for each test

        async def send(self, message: dict[str, object]) -> None:
            self.sent.append(message)

    async def app(_scope: object, _receive: object, send: object) -> None:
        assert send.__self__.transport == "the client's"  # type: ignore[attr-defined]
        await send({"type": "http.response.start", "headers": [(b"a", b"b")]})  # type: ignore[operator]
        await send({"type": "http.response.body"})  # type: ignore[operator]

    draining, connection = Draining(), Connection()
    connection.sent = []
    draining.begun = begun
    await closing_connections(app, draining)({"type": "http"}, None, connection.send)
    start, end = connection.sent
    assert ((b"connection", b"close") in start["headers"]) == closed  # type: ignore[operator]
    assert end == {"type": "http.response.body"}


def test_what_has_no_end_of_its_own_is_ended_once() -> None:
    draining, ended = Draining(), []
    draining.on_end(lambda: ended.append(1))
    draining.end()
    draining.end()
    assert ended == [1]
    assert draining.begun
