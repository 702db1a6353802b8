"""Nothing personal reaches the log, whatever is asked and whatever fails; ids and reasons do."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import StorageFull
from records.keys import create
from records.states import KeyScope
from serving.logs import AccessLog, LineHandler, as_json
from tests.serving.running_gateway import Stack, running, until
from tests.stub_engine import Fault, StubEngine

MARK = "Erika-Mustermann"
"""Stands for everything personal: in texts, names of customers and conversations, and keys."""


class Log:
    """All lines of the process while a test runs."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.raw]

    def requests(self, **fields: Any) -> list[dict[str, Any]]:
        """Requests' lines with these fields."""
        found = [line for line in self.lines if line["message"] == "request"]
        return [line for line in found if fields.items() <= line.items()]

    def require_private(self) -> None:
        text = b"".join(self.raw).decode()
        told = [line for line in text.splitlines() if MARK.lower() in line.lower()]
        assert told == []


@pytest.fixture
def log() -> Iterator[Log]:
    found, root = Log(), logging.getLogger()
    handler, level = LineHandler(found.raw.append, as_json), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)


@pytest_asyncio.fixture
async def logged(
    log: Log,
    tmp_path: Path,
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> AsyncIterator[Stack]:
    async with running(
        tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine,
        access_log=AccessLog(log.raw.append), silence_seconds=0.5, answer_seconds=1,
    ) as stack:  # fmt: skip
        yield stack


def personal(key: str = f"sk-{MARK}") -> dict[str, str]:
    """Headers that carry what must not be logged."""
    return {
        "Authorization": f"Bearer {key}",
        "X-Conversation-Id": MARK,
        "X-Customer-Id": MARK,
        "X-Request-Id": f"{MARK}@example.org",
        "User-Agent": MARK,
        "Origin": f"https://{MARK}.example",
        "Cookie": f"session={MARK}",
        "Traceparent": MARK,
        "Last-Event-ID": MARK,
    }


def bodies() -> list[Any]:
    """Bodies of all kinds, with marks in every place."""
    said = [{"role": "user", "content": MARK}]
    return [
        {
            "model": "support", "assistant": "support", "messages": said, "user": MARK,
            "metadata": {"customer_id": MARK}, "customer": MARK, "key": MARK, "content": MARK,
            "cause": MARK, "comment": MARK, "metric": MARK, "value": 1, "conversation_id": MARK,
        },
        {
            "model": MARK, "assistant": MARK, "messages": [{"role": MARK, "content": MARK}],
            "value": MARK, "version": MARK, "arms": [{"name": MARK, "version": MARK, "share": 1}],
        },
        {"model": "support", "messages": said, "temperature": MARK, "tools": MARK},
        [MARK],
    ]  # fmt: skip


async def ask(stack: Stack, method: str, path: str, **options: Any) -> int:
    """Ask, and read what comes at once."""
    async with stack.http.request(method, stack.url + path, **options) as response:
        try:
            async with asyncio.timeout(0.5):
                await response.read()
        except TimeoutError:  # a stream of events
            pass
        return response.status


@pytest.mark.slow
async def test_no_route_logs_what_a_client_sent(logged: Stack, log: Log) -> None:
    async with logged.http.get(f"{logged.url}/openapi.json") as response:
        paths = (await response.json())["paths"]
    keys = [logged.key("customer"), logged.key("admin"), f"sk-{MARK}"]
    asked = 0
    for path, operations in paths.items():
        filled = path
        while "{" in filled:
            start, end = filled.index("{"), filled.index("}")
            filled = f"{filled[:start]}{MARK}{filled[end + 1 :]}"
        for method, key in itertools.product(operations, keys):
            sent = bodies() if method in ("post", "put", "patch") else [None]
            if MARK in key:
                sent = sent[:1]
            for body in sent:
                options = {"json": body, "headers": personal(key), "params": {"q": MARK}}
                await ask(logged, method.upper(), filled, **options)
                asked += 1
    for raw in (MARK.encode(), b'{"model": "' + MARK.encode(), b'{"a": "\xff' + MARK.encode()):
        await ask(logged, "POST", "/v1/chat/completions", data=raw, headers=personal(keys[0]))
    await ask(logged, "GET", f"/{MARK}", headers=personal())
    await ask(logged, "OPTIONS", f"/v1/conversations/{MARK}", headers=personal())
    log.require_private()
    told = log.requests()
    print(f"{asked} requests to {len(paths)} paths, {len(log.raw)} lines")
    assert len(told) > 0.9 * asked
    assert {line["route"] for line in told} >= paths.keys() - {
        "/health/live", "/health/ready", "/metrics",
    }  # fmt: skip


@pytest.mark.slow
async def test_no_fault_logs_what_a_customer_wrote(
    logged: Stack, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = logged.engine

    async def chat() -> None:
        for stream in (False, True):
            body = {
                "model": "support", "messages": [{"role": "user", "content": MARK}],
                "stream": stream,
            }  # fmt: skip
            headers = personal(logged.key("customer"))
            try:
                await ask(logged, "POST", "/v1/chat/completions", json=body, headers=headers)
            except aiohttp.ClientError:
                continue

    monkeypatch.setattr("tests.stub_engine._error", echoing)
    for fault in Fault:
        engine.fault = fault
        await chat()
    engine.fault = Fault.NONE

    def full(*_: Any, **__: Any) -> Any:
        raise StorageFull("The database has no space left.")

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError(MARK)

    def worse(*_: Any, **__: Any) -> Any:
        try:
            raise KeyError(MARK)
        except KeyError as error:
            raise ValueError(f"{MARK} is bad") from error

    places = [
        "serving.turn_log.write_all",
        "serving.traffic.Traffic.choose",
        "serving.chat_endpoint.open_for",
        "serving.draft.Draft.take",
        "serving.draft.Draft.entry",
    ]
    for place, failure in itertools.product(places, (full, broken, worse)):
        with monkeypatch.context() as patch:
            patch.setattr(place, failure)
            await chat()
    engine.hold()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await chat()  # the customer leaves
    engine.held.set()
    await engine.stop()
    await until(lambda: not logged.gateway.fleet.healthy)
    await chat()
    log.require_private()
    kinds = {line.get("error") for line in log.lines if line["level"] == "error"}
    print(f"{len(log.raw)} lines; errors told: {kinds}")
    assert {200, 499, 500, 503} <= {line["status"] for line in log.requests()}
    assert any("ZeroDivisionError" in line["message"] for line in log.lines)


def echoing(status: int, _message: str) -> Any:
    """An engine that repeats what it was asked in its error, as vLLM does."""
    from aiohttp import web

    body = {"error": {"message": f"bad input: {MARK}", "code": status}}
    return web.json_response(body, status=status)


async def test_a_request_is_one_line_with_its_ids_and_the_name_of_its_key(
    logged: Stack, log: Log
) -> None:
    with logged.database.write() as session:
        key = create(session, name="webshop", scope=KeyScope.CUSTOMER, actor="test")
    headers = {"Authorization": f"Bearer {key}", "X-Request-Id": "shop-42"}
    answer = await logged.chat(MARK, headers=headers)
    assert answer["headers"]["X-Request-Id"] == "shop-42"
    (line,) = log.requests(route="/v1/chat/completions")
    about = answer["understudy"]
    assert line["conversation"] == about["conversation_id"]
    assert line["turn"] == about["turn_id"]
    assert (line["request"], line["key"], line["status"]) == ("shop-42", "webshop", 200)
    assert (line["assistant"], line["version"]) == ("support", "support-base")
    assert line["answer"] == "complete"
    assert line["ms"] > 0
    assert key not in b"".join(log.raw).decode()


async def test_an_answer_that_goes_to_a_person_says_why(logged: Stack, log: Log) -> None:
    await logged.engine.stop()
    await until(lambda: not logged.gateway.fleet.healthy)
    await logged.chat(MARK)
    (line,) = log.requests(route="/v1/chat/completions")
    assert (line["answer"], line["escalated"]) == ("fallback", "engine")
    warning = next(line for line in log.lines if line["message"].startswith("answered with"))
    assert warning["request"] == line["request"]


async def test_a_request_that_is_refused_says_why(logged: Stack, log: Log) -> None:
    await logged.chat(headers=personal())
    (line,) = log.requests(route="/v1/chat/completions")
    assert (line["status"], line["refused"]) == (401, "invalid_api_key")
    assert "conversation" not in line
