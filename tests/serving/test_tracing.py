"""Where time goes, as spans: off, with a collector, and with one that is away."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import ConfigurationError
from serving.metrics import Metrics
from serving.observing import Observing
from serving.settings import GatewaySettings
from serving.tracing import NO_SPAN, OFF, tracing_to
from tests.serving.collector import Collector
from tests.serving.running_gateway import running
from tests.stub_engine import StubEngine

pytestmark = pytest.mark.slow

TRACEPARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOBODY = "http://127.0.0.1:1"
"""A port on which nobody listens."""


def scope(*headers: tuple[bytes, bytes], path: str = "/v1/chat/completions") -> dict[str, Any]:
    class Route:
        pass

    Route.path = path  # type: ignore[attr-defined]
    return {"method": "POST", "path": path, "headers": list(headers), "route": Route}


async def answer(observing: Observing, request: dict[str, Any], *, status: int = 200) -> str:
    """What a request's task does: some parts, one of them in a task of its own."""
    record = observing.begin(request)
    tracing = observing.tracing
    with tracing.span("choose version"):
        pass

    async def engine() -> str:
        with tracing.span("engine", gen_ai__request__model="support-1", arm=None) as span:
            span.event("first token")
            span.set(gen_ai__usage__output_tokens=3)
            return span.header_lines

    lines = await asyncio.create_task(engine())
    record.version, record.conversation = "support-1", "conv_1"
    observing.finish(request, status, 0.1)
    return lines


async def test_without_a_collector_nothing_is_made() -> None:
    assert tracing_to("", build="1") is OFF
    with OFF.span("engine", model="m") as span:
        span.event("first token")
        span.set(tokens=1)
    assert span is NO_SPAN
    assert span.header_lines == ""
    assert await answer(Observing(Metrics(build="1")), scope()) == ""


def test_without_a_collector_opentelemetry_is_not_imported() -> None:
    code = (
        "import sys, serving.app, serving.main, serving.server; "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_collector_without_opentelemetry_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serving.spans", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'understudy\[tracing\]'"):
        tracing_to(NOBODY, build="1")


async def test_a_collector_gets_a_request_with_its_parts() -> None:
    async with Collector() as collector:
        tracing = tracing_to(f"{collector.url}/", build="1.2.3")
        await asyncio.create_task(answer(Observing(Metrics(build="1"), tracing=tracing), scope()))
        await asyncio.to_thread(tracing.close)
    request = collector.named("POST /v1/chat/completions")
    assert (request.parent, request.kind, request.service) == ("", 2, "understudy-gateway")
    assert request.attributes["http.route"] == "/v1/chat/completions"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["understudy.version"] == "support-1"
    assert request.attributes["understudy.conversation"] == "conv_1"
    engine = collector.named("engine")
    assert (engine.kind, engine.events, engine.failed) == (3, ("first token",), False)
    assert engine.attributes == {
        "gen_ai.request.model": "support-1",
        "gen_ai.usage.output_tokens": 3,
    }
    parts = [engine, collector.named("choose version")]
    assert {(part.trace, part.parent) for part in parts} == {(request.trace, request.id)}


async def test_a_trace_goes_on_from_the_client_to_the_engine() -> None:
    async with Collector() as collector:
        tracing = tracing_to(collector.url, build="1")
        observing = Observing(Metrics(build="1"), tracing=tracing)
        client = scope((b"traceparent", TRACEPARENT), (b"tracestate", b"shop=42"))
        lines = await asyncio.create_task(answer(observing, client))
        await asyncio.to_thread(tracing.close)
    trace, parent = TRACEPARENT.decode().split("-")[1:3]
    request, engine = collector.named("POST /v1/chat/completions"), collector.named("engine")
    assert (request.trace, request.parent) == (trace, parent)
    sent = dict(line.split(": ", 1) for line in lines.removesuffix("\r\n").split("\r\n"))
    assert sent == {"traceparent": f"00-{trace}-{engine.id}-01", "tracestate": "shop=42"}


async def test_a_client_that_does_not_sample_is_not_traced() -> None:
    async with Collector() as collector:
        tracing = tracing_to(collector.url, build="1")
        observing = Observing(Metrics(build="1"), tracing=tracing)
        client = scope((b"traceparent", TRACEPARENT[:-2] + b"00"))
        lines = await asyncio.create_task(answer(observing, client))
        await asyncio.to_thread(tracing.close)
    assert collector.spans == []
    assert lines.endswith("-00\r\n")  # the engine is told so too


@pytest.mark.parametrize(
    "value", [b"", b"nonsense", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"]
)
async def test_a_trace_that_makes_no_sense_is_begun_anew(value: bytes) -> None:
    async with Collector() as collector:
        tracing = tracing_to(collector.url, build="1")
        observing = Observing(Metrics(build="1"), tracing=tracing)
        await asyncio.create_task(answer(observing, scope((b"traceparent", value))))
        await asyncio.to_thread(tracing.close)
    assert collector.named("POST /v1/chat/completions").parent == ""


async def test_requests_side_by_side_keep_their_own_spans() -> None:
    async with Collector() as collector:
        tracing = tracing_to(collector.url, build="1")
        observing = Observing(Metrics(build="1"), tracing=tracing)
        tasks = [asyncio.create_task(answer(observing, scope())) for _ in range(20)]
        await asyncio.gather(*tasks)
        await asyncio.to_thread(tracing.close)
    requests = {s.trace: s.id for s in collector.spans if s.parent == ""}
    parts = [s for s in collector.spans if s.parent]
    assert len(requests) == 20
    assert len(parts) == 40
    assert all(part.parent == requests[part.trace] for part in parts)


async def test_what_fails_is_marked_with_its_type_only() -> None:
    async with Collector() as collector:
        tracing = tracing_to(collector.url, build="1")

        async def fail() -> None:
            request = scope()
            observing = Observing(Metrics(build="1"), tracing=tracing)
            observing.begin(request)
            with pytest.raises(ValueError), tracing.span("record"):
                raise ValueError("erika@example.org")
            observing.finish(request, 500, 0.1)

        await asyncio.create_task(fail())
        await asyncio.to_thread(tracing.close)
    record = collector.named("record")
    assert (record.failed, record.attributes) == (True, {"error.type": "ValueError"})
    assert collector.named("POST /v1/chat/completions").failed
    assert b"erika" not in collector.raw


async def test_probes_are_not_traced() -> None:
    async with Collector() as collector:
        tracing = tracing_to(collector.url, build="1")
        observing = Observing(Metrics(build="1"), tracing=tracing)
        for path in ("/health/ready", "/metrics"):
            await asyncio.create_task(answer(observing, scope(path=path)))
        await asyncio.to_thread(tracing.close)
    assert collector.spans == []


@pytest.mark.alone
async def test_a_collector_that_is_away_delays_nothing_and_the_end_by_seconds_only() -> None:
    tracing = tracing_to(NOBODY, build="1")
    observing = Observing(Metrics(build="1"), tracing=tracing)
    longest = 0.0
    for _ in range(3_000):  # more than one batch, and more than the queue holds
        begun = time.perf_counter()
        await asyncio.create_task(answer(observing, scope()))
        longest = max(longest, time.perf_counter() - begun)
    begun = time.perf_counter()
    await asyncio.to_thread(tracing.close)
    print(f"longest request {longest * 1e3:.1f} ms, close {time.perf_counter() - begun:.1f} s")
    assert longest < 0.5
    assert time.perf_counter() - begun < 5


class ListeningEngine(StubEngine):
    """Remembers the headers of what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: list[dict[str, str]] = []

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        return await super()._chat(request)


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_is_traced_from_the_client_to_the_engine_and_the_record(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, *, stream: bool
) -> None:
    said = "My name is Erika Mustermann"
    async with (
        Collector() as collector, ListeningEngine() as engine,
        running(
            tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant,
            engine=engine, otel_endpoint=collector.url,
        ) as stack,
    ):  # fmt: skip
        await stack.chat("first", headers={"X-Conversation-Id": "c"})
        client = {"Traceparent": TRACEPARENT.decode(), "X-Conversation-Id": "c"}
        body = {"model": "support", "messages": [{"role": "user", "content": said}]}
        async with stack.http.post(
            f"{stack.url}/v1/chat/completions",
            json={**body, "stream": stream},
            headers={**stack.headers(), **client},
        ) as response:
            await response.read()
        await stack.call("GET", "/health/ready")
    trace = TRACEPARENT.decode().split("-")[1]
    spans = {span.name: span for span in collector.spans if span.trace == trace}
    request = spans["POST /v1/chat/completions"]
    parts = {name for name, span in spans.items() if span.parent == request.id}
    assert parts == {"look up", "choose version", "engine", "record"}
    assert request.attributes["understudy.version"] == "support-base"
    assert request.attributes["understudy.turn"] == stack.turns()[-1].id
    assert engine.headers[-1]["traceparent"] == f"00-{trace}-{spans['engine'].id}-01"
    assert spans["engine"].attributes["gen_ai.usage.output_tokens"] > 0
    assert spans["engine"].events == (("first token",) if stream else ())
    assert spans["engine"].seconds < request.seconds
    assert len([s for s in collector.spans if s.name == request.name]) == 2
    assert not [s for s in collector.spans if "health" in s.name]
    assert said.encode() not in collector.raw


@pytest.mark.alone
async def test_answers_come_as_fast_while_the_collector_is_away(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    async with running(
        tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine,
        otel_endpoint=NOBODY,
    ) as stack:  # fmt: skip
        began = time.perf_counter()
        answers = await asyncio.gather(*(stack.chat(f"hello {n}") for n in range(50)))
        took = time.perf_counter() - began
        assert {answer["status"] for answer in answers} == {200}
        assert took < 5


def test_the_collector_is_named_by_opentelemetrys_own_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    assert GatewaySettings.load().otel_endpoint == "http://collector:4318"
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    assert GatewaySettings.load().otel_endpoint == ""
