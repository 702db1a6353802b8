"""Each operation's real answers, held against the document to the last field."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records import revisions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import InvalidInput
from records.ids import utc_now
from serving.chat_request import read_request
from serving.contract.chat_request import PARAMETERS, REQUEST
from serving.parameters import _RULES
from tests.serving import promised
from tests.serving.running_gateway import Stack, running, until
from tests.serving.test_parameters import ANY_JSON
from tests.stub_engine import Fault, StubEngine, add_version, publish_adapter

USER = {"role": "user", "content": "hi"}
EVENTS = "text/event-stream"


class Client:
    """Calls operations by name, and remembers which were answered as the document says."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.seen: dict[str, set[int]] = {}

    async def call(
        self,
        name: str,
        path: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        key: str = "admin",
        until_seen: str | None = None,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Any:
        route, method, operation = next(
            found for found in promised.operations() if found[2]["operationId"] == name
        )
        async with self._stack.http.request(
            method,
            self._stack.url + route.format(**(path or {})),
            json=body,
            params=query,
            headers={**self._stack.headers(key), **(headers or {})},
        ) as response:
            told = promised.resolved(operation["responses"][str(response.status)])
            media = told["content"][response.content_type]
            for header, about in told["headers"].items():
                required = promised.resolved(about).get("required")
                assert not required or header in response.headers, header
            if response.content_type == EVENTS:
                text = await _read(response, until_seen)
                assert promised.event_faults(media["schema"], text, strict=True) == []
                answer: Any = promised.events_of(text)
                assert answer
            elif response.content_type == "application/json":
                answer = orjson.loads(await response.read())
                assert promised.faults(media["schema"], answer, strict=True) == []
            else:
                answer = await response.text()
            self.seen.setdefault(name, set()).add(response.status)
            return answer


async def _read(response: Any, until_seen: str | None) -> str:
    text = ""
    async for line in response.content:
        text += line.decode()
        if until_seen and until_seen in text and text.endswith("\n\n"):
            break
    return text


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)


async def test_every_operation_answers_as_it_is_told(stack: Stack, client: Client) -> None:
    await _of_customers(stack, client)
    await _of_ops(stack, client)
    for name in ("live", "ready", "metrics"):
        await client.call(name)
    await client.call("metrics", headers={"Accept": "application/openmetrics-text"})
    succeeded = {name for name, statuses in client.seen.items() if min(statuses) < 300}
    assert succeeded == {operation["operationId"] for *_, operation in promised.operations()}


async def _of_customers(stack: Stack, client: Client) -> None:
    call = client.call
    await call("create_conversation", body={"key": "chat-7", "customer_id": "ada"})
    await call("create_conversation", body={"key": "chat-7", "customer_id": "ada"})
    assert client.seen["create_conversation"] == {200, 201}
    named = {"conversation_id": "chat-7"}
    streamed = await call("add_turn", named, {"content": "hi"})
    assert [streamed[0]["event"], streamed[-1]["event"]] == ["begin", "turn"]
    answered = await call("add_turn", named, {"content": "hi", "stream": False})
    await call("rate_conversation", named, {"thumb": "up", "turn_id": answered["id"], "csat": 5})
    await call("escalate_conversation", named)
    agent = {"agent": "U0ANN"}
    await call("take_over", named, agent)
    await call("reply", named, {**agent, "id": "r-1", "content": "hello"})
    await call("typing", named, agent)
    for key in ("admin", "customer"):
        await call("get_conversation", named, key=key)
    followed = await call(
        "follow_conversation", named, until_seen="event: typing", **{"from": "start"}
    )
    assert {e["event"] for e in followed} == {"connected", "turn", "state", "typing"}
    await _of_changes(stack, client)
    await call("hand_back", named, agent)
    await call("escalate_conversation", named, {"cause": "again"})
    await call("take_over", named, agent)
    await call("resolve", named, agent)
    await call("report_outcome", body={"metric": "a", "value": 1, "conversation_id": "chat-7"})
    asked = {"model": "support", "messages": [USER], "metadata": named}
    await call("create_chat_completion", body=asked)
    usage = {"include_usage": True}
    await call("create_chat_completion", body={**asked, "stream": True, "stream_options": usage})
    tool = {"type": "function", "function": {"name": "find"}}
    calls = {**asked, "tools": [tool], "tool_choice": "required"}
    for stream in (False, True):
        await call("create_chat_completion", body={**calls, "stream": stream})
    await call("list_models")
    await call("get_model", {"model_id": "support"})


async def _of_changes(stack: Stack, client: Client) -> None:
    """An agent edits words and takes others back: what those get who have them already."""
    named = {"conversation_id": "chat-7"}
    more = {"agent": "U0ANN", "id": "r-2", "content": "hm"}
    gone = await client.call("reply", named, more)
    seen = await client.call("get_conversation", named)
    first = next(turn["id"] for turn in seen["turns"] if turn["content"] == "hello")
    with stack.database.write() as session:
        revisions.edit(session, first, content="Hello!", at=utc_now(), actor="U0ANN")
        revisions.remove(session, gone["turn_id"], at=utc_now(), actor="U0ANN")
    followed = await client.call(
        "follow_conversation", named, until_seen="event: removed", **{"from": seen["cursor"]}
    )
    assert [e["event"] for e in followed] == ["connected", "edited", "removed"]
    for key in ("admin", "customer"):
        await client.call("get_conversation", named, key=key)


async def _of_ops(stack: Stack, client: Client) -> None:
    call = client.call
    name = publish_adapter(stack.artifacts, stack.assistant, seed=1)
    add_version(stack.database, stack.assistant, name)
    unproved = {"without_evidence": True}
    arms = [{"name": "a", "version": name, "share": 0.5}]
    await call("start_experiment", body={"arms": arms, **unproved})
    await until(lambda: stack.gateway.fleet.ready(name))
    await call("ramp_experiment", body={"shares": {"a": 1}})
    explained = await call("create_chat_completion", body={"model": "support", "messages": [USER]})
    await call("show_experiment")
    await call("explain", {"turn_id": explained["understudy"]["turn_id"]})
    await call("stop_experiment")
    await call("start_shadow", body={"version": name, "share": 1, **unproved})
    await call("show_shadow", assistant="support")
    await call("stop_shadow", body={"assistant": "support"})
    await call("promote", body={"version": name, **unproved})
    await call("rollback")
    await call("list_versions")


async def test_errors_and_fixed_sentences_are_as_told(
    tmp_path: Path,
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    async with running(
        tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine,
        max_body_bytes=2_000, customer_concurrent_requests=1,
    ) as stack:  # fmt: skip
        await _with_errors(stack, Client(stack))


async def _with_errors(stack: Stack, client: Client) -> None:
    call = client.call
    asked = {"model": "support", "messages": [USER]}
    stack.engine.fault = Fault.ERROR_500
    for stream in (False, True):
        await call("create_chat_completion", body={**asked, "stream": stream})
    await call("create_conversation", body={"key": "chat-7"})
    await call("add_turn", {"conversation_id": "chat-7"}, {"content": "hi"})
    for body in ({}, {"model": "gpt-5", "messages": [USER]}):
        await call("create_chat_completion", body=body)
    await call("create_chat_completion", body="x" * 3_000)
    stack.engine.fault = Fault.NONE
    stack.engine.hold()
    first = asyncio.create_task(call("create_chat_completion", body={**asked, "user": "ada"}))
    await stack.engine.waiting.wait()
    await call("create_chat_completion", body={**asked, "user": "ada"})
    stack.engine.held.set()
    await first
    await call("rollback")
    await call("list_versions", key="customer")
    await call("list_versions", headers={"Authorization": "Bearer nobody"})
    await stack.engine.stop()
    await until(lambda: not stack.gateway.fleet.healthy)
    await call("ready")
    assert client.seen["create_chat_completion"] == {200, 400, 404, 413, 429}
    assert client.seen["list_versions"] == {401, 403}
    assert (client.seen["rollback"], client.seen["ready"]) == ({409}, {503})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/conversations", rb'{"key": "\ud800"}'),
        ("/v1/outcomes", rb'{"metric": "a", "value": 1, "customer_id": "\ud800"}'),
        ("/v1/outcomes", b'{"metric": "a", "value": 1e999, "customer_id": "ada"}'),
        (
            "/v1/outcomes",
            b'{"metric": "a", "value": 1, "customer_id": "ada", '
            b'"occurred_at": "9999-12-31T23:59:59-23:59"}',
        ),
        ("/v1/admin/experiments/ramp", rb'{"shares": {"\ud800": 0.5}}'),
        ("/v1/chat/completions", rb'{"model": "\ud800", "messages": []}'),
    ],
)
async def test_json_that_python_reads_but_nothing_can_keep_is_no_fault_of_ours(
    stack: Stack, path: str, body: bytes
) -> None:
    headers = {**stack.headers("admin"), "Content-Type": "application/json"}
    answered = await stack.call("POST", path, data=body, headers=headers)
    assert answered["status"] == 400


@given(st.sampled_from(sorted(PARAMETERS)), ANY_JSON)
@settings(max_examples=4 * settings().max_examples)
def test_a_parameter_is_taken_if_and_only_if_its_schema_takes_it(name: str, value: Any) -> None:
    check = _RULES[name][0]
    assert (value is None or check(value)) == (promised.faults(dict(PARAMETERS[name]), value) == [])


EDGES: list[tuple[str, Any]] = [
    ("temperature", 2), ("temperature", 2.01), ("top_p", 0), ("top_p", 1), ("max_tokens", 0),
    ("max_tokens", 5.0), ("max_tokens", 5.5), ("max_tokens", 2**31), ("seed", -(2**63)),
    ("seed", 2**63), ("stop", []), ("stop", ["a"] * 4), ("stop", ["a"] * 5), ("stop", "x" * 1_001),
    ("logit_bias", {"1": -100}), ("logit_bias", {"a": 1}), ("logit_bias", {"\u0661": 1}),
    ("logit_bias", {str(i): 1 for i in range(1_025)}), ("tools", []), ("reasoning_effort", "low"),
    ("tools", [{"type": "function", "function": {"name": "a", "strict": 1}}]),
    ("tools", [{"type": "function", "function": {"name": "a", "strict": None}}]),
    ("tool_choice", {"type": "function", "function": {"name": "a"}}), ("tool_choice", "a"),
    ("response_format", {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}),
    ("response_format", {"type": "json_schema", "json_schema": {"name": "a", "schema": 1}}),
    ("response_format", {"type": "json_object"}), ("repetition_penalty", 100.1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), EDGES)
def test_the_edges_of_parameters_are_the_schemas(name: str, value: Any) -> None:
    check = _RULES[name][0]
    assert check(value) == (promised.faults(dict(PARAMETERS[name]), value) == [])


TEXTS = st.sampled_from(["", " ", "hi", "\ufeff", "\x1f", "a\0b", "\x85", "ok\n"])
PARTS = st.lists(
    st.fixed_dictionaries(
        {"text": TEXTS}, optional={"type": st.sampled_from(["text", "image_url"])}
    ),
    max_size=2,
)
CALL = st.fixed_dictionaries(
    {"type": st.just("function"), "id": st.just("1")},
    optional={"function": st.fixed_dictionaries({"name": TEXTS}, optional={"arguments": TEXTS})},
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])},
    optional={
        "content": st.none() | TEXTS | PARTS | st.just(7),
        "name": st.none() | TEXTS | st.just(7),
        "tool_calls": st.none() | st.lists(CALL, max_size=2),
        "tool_call_id": TEXTS | st.just(7),
    },
)
BODIES = st.fixed_dictionaries(
    {"model": st.just("support"), "messages": st.lists(MESSAGES, max_size=3)},
    optional={
        "n": st.sampled_from([None, 1, 2, True]),
        "stream": st.sampled_from([None, True, 0]),
        "stream_options": st.sampled_from([None, {}, [], 0, {"include_usage": True}]),
        "user": st.sampled_from([None, "", "ada", 7, "x" * 201, "a\0"]),
        "metadata": st.sampled_from(
            [None, [], {}, {"customer_id": "ada", "more": 1}, {"conversation_id": 7}, "x"]
        ),
    },
)


@given(BODIES)
@settings(max_examples=10 * settings().max_examples)
def test_a_request_is_taken_if_and_only_if_its_schema_takes_it(body: dict[str, Any]) -> None:
    try:
        read_request(body, {})
        taken = True
    except InvalidInput:
        taken = False
    assert taken == (promised.faults(dict(REQUEST), body) == [])
