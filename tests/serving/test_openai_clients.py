"""OpenAI's official client for Python against the gateway: whatever it can do here, it does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from records import keys
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.messages import Role
from records.states import KeyScope, TurnStatus
from tests.real_engine import RealEngine
from tests.serving.running_gateway import Stack, running, until
from tests.serving.scrape import Shown
from tests.stub_engine import Fault, StubEngine

USER: list[Any] = [{"role": "user", "content": "hello"}]
ANSWER = "support-base answers: hello"
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "find", "strict": True, "parameters": {}}}
]
Limited = Callable[..., Any]


class Urgency(BaseModel):
    urgent: bool


@pytest.fixture
def limited(
    tmp_path: Path,
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> Limited:
    """A gateway with other limits than usual."""

    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[Stack]:
        async with running(
            tmp_path,
            database=sqlite,
            artifacts=artifacts,
            assistant=assistant,
            engine=engine,
            retry_after_seconds=1,
            **settings,
        ) as gateway:
            yield gateway

    return start


async def ask(client: AsyncOpenAI, **more: Any) -> Any:
    return await client.chat.completions.create(**{"model": "support", "messages": USER, **more})


async def test_an_answer(stack: Stack) -> None:
    answer = await ask(stack.openai, user="ada", temperature=0, max_tokens=20)
    assert answer.choices[0].message.content == ANSWER
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.understudy["version"] == "support-base"
    assert answer._request_id


async def test_the_client_that_waits_does_the_same(stack: Stack) -> None:
    def use() -> tuple[Any, str, list[str]]:
        with OpenAI(base_url=f"{stack.url}/v1", api_key=stack.key("customer")) as client:
            create = client.chat.completions.create
            answer = create(model="support", messages=USER).choices[0].message.content
            with create(model="support", messages=USER, stream=True) as stream:
                text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            return answer, text, [model.id for model in client.models.list()]

    assert await asyncio.to_thread(use) == (ANSWER, ANSWER, ["support"])


@pytest.mark.parametrize("include_usage", [False, True])
async def test_a_stream(stack: Stack, include_usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    chunks = [chunk async for chunk in await ask(stack.openai, stream=True, **options)]
    if include_usage:
        last = chunks.pop()
        assert (last.choices, last.usage.completion_tokens > 0) == ([], True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


async def test_the_streaming_helper(stack: Stack) -> None:
    async with stack.openai.chat.completions.stream(model="support", messages=USER) as stream:
        seen = [event async for event in stream]
        final = await stream.get_final_completion()
    deltas = [event.delta for event in seen if event.type == "content.delta"]
    (done,) = [event for event in seen if event.type == "content.done"]
    assert "".join(deltas) == done.content == final.choices[0].message.content == ANSWER


async def test_tools_are_passed_through_and_their_results_are_taken(stack: Stack) -> None:
    asked = {"tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": False}
    message = (await ask(stack.openai, **asked)).choices[0].message
    assert message.tool_calls[0].function.name == "find"
    assert {name: stack.engine.requests[-1][name] for name in asked} == asked
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "here"}
    after = await ask(stack.openai, messages=[*USER, message, result], tools=TOOLS)
    assert after.choices[0].message.content == "support-base answers: here"
    async with stack.openai.chat.completions.stream(
        model="support", messages=USER, tools=TOOLS, tool_choice="required"
    ) as stream:
        streamed = (await stream.get_final_completion()).choices[0]
    assert streamed.message.tool_calls is not None
    assert streamed.message.tool_calls[0].function.arguments == "{}"
    assert streamed.finish_reason == "tool_calls"


async def test_an_answer_of_a_given_form(stack: Stack) -> None:
    stack.engine.answer = lambda _model, _messages: '{"urgent": true}'
    parsed = await stack.openai.chat.completions.parse(
        model="support", messages=USER, response_format=Urgency
    )
    assert parsed.choices[0].message.parsed == Urgency(urgent=True)
    passed = stack.engine.requests[-1]["response_format"]
    assert passed["type"] == "json_schema"
    assert passed["json_schema"]["schema"]["required"] == ["urgent"]
    async with stack.openai.chat.completions.stream(
        model="support", messages=USER, response_format=Urgency
    ) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.parsed == Urgency(urgent=True)


async def test_models(stack: Stack) -> None:
    (listed,) = (await stack.openai.models.list()).data
    found = await stack.openai.models.retrieve("support")
    assert listed == found
    assert (found.id, found.object, found.owned_by) == ("support", "model", "understudy")
    with pytest.raises(openai.NotFoundError) as missing:
        await stack.openai.models.retrieve("gpt-5")
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")


async def test_headers_of_answers(stack: Stack) -> None:
    raw = await stack.openai.chat.completions.with_raw_response.create(
        model="support",
        messages=USER,
        user="ada",
        extra_headers={"X-Conversation-Id": "chat-7", "X-Request-ID": "mine-1"},
    )
    about = raw.parse().model_extra["understudy"]
    assert raw.headers["x-understudy-conversation"] == about["conversation_id"]
    assert raw.headers["x-understudy-turn"] == about["turn_id"]
    assert raw.headers["x-request-id"] == raw.request_id == "mine-1"
    assert raw.headers["x-ratelimit-limit-requests"] == "120"
    async with stack.openai.chat.completions.with_streaming_response.create(
        model="support", messages=USER, stream=True, metadata={"conversation_id": "chat-7"}
    ) as streamed:
        assert streamed.headers["x-understudy-conversation"] == about["conversation_id"]


@pytest.mark.parametrize(
    ("asked", "kind", "status", "code", "param"),
    [
        ({"n": 2}, openai.BadRequestError, 400, "invalid_value", "n"),
        ({"temperature": 3}, openai.BadRequestError, 400, "invalid_value", "temperature"),
        ({"messages": []}, openai.BadRequestError, 400, "invalid_value", "messages"),
        ({"messages": [{"role": "user", "content": "x" * 30_000}]}, openai.BadRequestError, 400,
         "context_length_exceeded", "messages"),
        ({"model": "gpt-5"}, openai.NotFoundError, 404, "model_not_found", "model"),
        ({"messages": [{"role": "user", "content": "x" * 3_000_000}]}, openai.APIStatusError, 413,
         "request_too_large", None),
    ],
)  # fmt: skip
async def test_what_is_refused_is_raised_as_its_kind_of_error(
    stack: Stack,
    asked: dict[str, Any],
    kind: type[openai.APIStatusError],
    status: int,
    code: str,
    param: str | None,
) -> None:
    for stream in (False, True):
        with pytest.raises(kind) as refused:
            await ask(stack.openai, stream=stream, **asked)
        error = refused.value
        assert (error.status_code, error.code, error.param) == (status, code, param)
        assert error.request_id


async def test_keys_that_do_not_open_are_raised_as_such(stack: Stack) -> None:
    with stack.database.write() as session:
        agent = keys.create(session, name="desk", scope=KeyScope.AGENT, actor="test")
    for key, kind, code in (
        ("nobody", openai.AuthenticationError, "invalid_api_key"),
        (agent, openai.PermissionDeniedError, "forbidden"),
    ):
        client = stack.openai.with_options(api_key=key)
        for use in (ask(client), client.models.list()):
            with pytest.raises(kind) as refused:
                await use
            assert refused.value.code == code


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"customer_concurrent_requests": 1}, openai.RateLimitError, "rate_limit_exceeded"),
        ({"max_requests": 1}, openai.InternalServerError, "overloaded"),
    ],
)
async def test_a_client_that_came_too_soon_waits_as_it_is_told(
    limited: Limited,
    engine: StubEngine,
    settings: dict[str, int],
    kind: type[openai.APIStatusError],
    code: str,
) -> None:
    async with limited(**settings) as stack:
        engine.hold()
        first = asyncio.create_task(ask(stack.openai, user="ada"))
        await engine.waiting.wait()
        with pytest.raises(kind) as refused:
            await ask(stack.openai, user="ada")
        assert (refused.value.code, refused.value.response.headers["retry-after"]) == (code, "1")
        began = time.monotonic()
        second = asyncio.create_task(ask(stack.openai.with_options(max_retries=1), user="ada"))
        metrics = stack.gateway.observing.metrics
        await until(lambda: Shown(metrics).value("refusals_total", cause=code) == 2)
        engine.held.set()
        answers = await asyncio.gather(first, second)
    assert time.monotonic() - began >= 1
    assert [answer.choices[0].message.content for answer in answers] == [ANSWER, ANSWER]


async def test_a_minutes_share_that_is_used_up_says_when_to_come_again(limited: Limited) -> None:
    async with limited(customer_requests_per_minute=2) as stack:
        for _ in range(2):
            await ask(stack.openai, user="ada")
        with pytest.raises(openai.RateLimitError) as refused:
            await ask(stack.openai, user="ada")
        headers = refused.value.response.headers
        assert 1 <= int(headers["retry-after"]) <= 30
        assert headers["x-ratelimit-remaining-requests"] == "0"
        assert await ask(stack.openai, user="ben")


async def test_a_failing_engine_is_no_error_for_its_client(stack: Stack) -> None:
    stack.engine.fault = Fault.ERROR_500
    for stream in (False, True):
        answer = await ask(stack.openai, stream=stream)
        if stream:
            pieces = [chunk.choices[0].delta.content or "" async for chunk in answer]
            text = "".join(pieces)
        else:
            text = answer.choices[0].message.content
            assert answer.understudy["escalated"]
        assert text == stack.assistant.unavailable_sentence


async def test_a_client_that_waits_no_longer_leaves_an_abandoned_turn(stack: Stack) -> None:
    stack.engine.fault = Fault.HANG
    with pytest.raises(openai.APITimeoutError):
        await ask(stack.openai.with_options(timeout=0.2))
    (turn,) = await until(lambda: stack.turns(role=Role.ASSISTANT))
    assert turn.status is TurnStatus.ABANDONED


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
async def test_all_of_it_before_the_real_engine(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, real_engine: RealEngine
) -> None:
    name = real_engine.assistant.name
    async with running(
        tmp_path,
        database=sqlite,
        artifacts=artifacts,
        assistant=real_engine.assistant,
        engine=real_engine,  # type: ignore[arg-type] - only its URL is used
        silence_seconds=30,
        ready_wait_seconds=30,
    ) as stack:
        asked: dict[str, Any] = {"model": name, "temperature": 0, "max_tokens": 200, "seed": 1}
        whole = await ask(stack.openai, **asked)
        async with stack.openai.chat.completions.stream(
            messages=USER, stream_options={"include_usage": True}, **asked
        ) as stream:
            streamed = await stream.get_final_completion()
        assert whole.choices[0].message.content == streamed.choices[0].message.content
        assert streamed.usage is not None
        assert streamed.usage.completion_tokens == whole.usage.completion_tokens
        form = {"name": "urgency", "schema": Urgency.model_json_schema()}
        formed = await ask(
            stack.openai, response_format={"type": "json_schema", "json_schema": form}, **asked
        )
        assert formed.choices[0].message.content.strip().startswith("{")
        exact = {"structured_outputs": {"choice": ['{"urgent": true}', '{"urgent": false}']}}
        chosen = await ask(stack.openai, extra_body=exact, **asked)
        assert Urgency.model_validate_json(chosen.choices[0].message.content)
        begun = [*USER, {"role": "assistant", "content": "Your card"}]
        assert await ask(stack.openai, **{**asked, "messages": begun})
        assert [model.id for model in (await stack.openai.models.list()).data] == [name]
        with pytest.raises(openai.BadRequestError) as refused:
            await ask(stack.openai, **{**asked, "max_tokens": 100_000})
        assert refused.value.code == "context_length_exceeded"
