"""A customer's turn through the conversation API: answered as events, or in one piece."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from records.messages import Role
from records.states import TurnStatus
from tests.serving.events_client import Event, Events
from tests.serving.running_gateway import Stack, until
from tests.stub_engine import Fault


async def post(stack: Stack, path: str, key: str = "customer", **body: Any) -> dict[str, Any]:
    headers = stack.headers(key)
    return await stack.call("POST", f"/v1/conversations{path}", json=body, headers=headers)


async def begun(stack: Stack, **body: Any) -> str:
    return str((await post(stack, "", **body))["id"])


@asynccontextmanager
async def saying(stack: Stack, name: str, content: str) -> AsyncIterator[Events]:
    url = f"{stack.url}/v1/conversations/{name}/turns"
    body = {"content": content}
    async with stack.http.post(url, json=body, headers=stack.headers()) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Events(response)


async def answer(stack: Stack, name: str, content: str) -> list[Event]:
    async with saying(stack, name, content) as events:
        return await events.rest()


async def test_words_come_as_they_are_made_and_then_the_recorded_turn(stack: Stack) -> None:
    name = await begun(stack, customer_id="ada")
    stack.engine.hold()
    async with saying(stack, name, "Where is my card?") as events:
        first = await events.next()
        assert first.name == "begin"
        assert (await events.next()).name == "token"
        await stack.engine.waiting.wait()
        stack.engine.held.set()
        *tokens, last = await events.rest()
    assert {event.name for event in tokens} == {"token"}
    turn = last.data
    assert last.name == "turn"
    assert turn["content"] == "support-base answers: Where is my card?"
    assert (turn["position"], turn["status"], turn["version"]) == (1, "complete", "support-base")
    assert (turn["id"], turn["conversation_id"]) == (first.data["turn_id"], name)
    read = await stack.call("GET", f"/v1/conversations/{name}")
    recorded = read["turns"][-1]
    assert {field: turn[field] for field in recorded if field in turn} == {
        field: recorded[field] for field in recorded if field in turn
    }


async def test_the_tokens_are_the_answer(stack: Stack) -> None:
    name = await begun(stack)
    events = await answer(stack, name, "hello")
    said = "".join(event.data["text"] for event in events if event.name == "token")
    assert said == events[-1].data["content"]


async def test_the_model_is_told_what_was_said_before(stack: Stack) -> None:
    name = await begun(stack)
    await answer(stack, name, "My name is Ada.")
    await answer(stack, name, "What is my name?")
    asked = [message["content"] for message in stack.engine.requests[-1]["messages"]]
    assert asked[-3:] == [
        "My name is Ada.", "support-base answers: My name is Ada.", "What is my name?",
    ]  # fmt: skip


async def test_an_answer_in_one_piece_is_the_same_turn(stack: Stack) -> None:
    name = await begun(stack)
    turn = await post(stack, f"/{name}/turns", content="hello", stream=False)
    assert turn["content"] == "support-base answers: hello"
    assert turn["headers"]["X-Understudy-Turn"] == turn["id"]
    (asked, answered) = stack.turns()
    assert (asked.role, answered.id, answered.position) == (Role.CUSTOMER, turn["id"], 1)


async def test_a_handoff_says_so_without_the_marker(stack: Stack) -> None:
    stack.engine.answer = lambda _model, _messages: "[handoff] I will ask a colleague."
    name = await begun(stack)
    events = await answer(stack, name, "My card is stolen!")
    turn = events[-1].data
    assert (turn["escalated"], turn["reason"]) == (True, "model")
    assert turn["escalation_id"] == stack.escalations()[0].id
    assert "[handoff]" not in str([event.data for event in events])


async def test_an_engine_that_fails_is_an_answer_and_a_person(stack: Stack) -> None:
    stack.engine.fault = Fault.ERROR_500
    name = await begun(stack)
    turn = (await answer(stack, name, "hello"))[-1].data
    assert (turn["status"], turn["escalated"], turn["reason"]) == ("fallback", True, "engine")


async def test_while_an_agent_has_it_the_model_is_silent_and_answers_after_the_end(
    stack: Stack,
) -> None:
    name = await begun(stack)

    async def agent(act: str) -> None:
        done = await post(stack, f"/{name}/agent/{act}", "admin", agent="U1")
        assert done["status"] == 200

    for end in ("resolve", "hand-back"):
        await agent("take-over")
        asked = len(stack.engine.requests)
        turn = (await answer(stack, name, f"before {end}"))[-1].data
        assert (turn["content"], turn["status"]) == (stack.assistant.waiting_sentence, "fallback")
        assert (turn["version"], turn["escalated"]) == (None, True)
        assert len(stack.engine.requests) == asked
        await agent(end)
        turn = (await answer(stack, name, f"after {end}"))[-1].data
        assert turn["content"] == f"support-base answers: after {end}"


async def test_a_client_that_leaves_ends_the_generation(stack: Stack) -> None:
    name = await begun(stack)
    stack.engine.hold()
    async with saying(stack, name, "hello") as events:
        await events.next()
        await stack.engine.waiting.wait()
        events.response.close()
    await until(lambda: stack.engine.left_by_client == 1)
    await until(lambda: stack.turns(status=TurnStatus.ABANDONED))


async def test_what_cannot_be_answered_is_refused_before_anything_is_sent(stack: Stack) -> None:
    name = await begun(stack)
    assert (await post(stack, "/conv_0/turns", content="hello"))["status"] == 404
    for body in ({}, {"content": ""}, {"content": " \n"}, {"content": "a\0b"}, {"content": 7}):
        refused = await post(stack, f"/{name}/turns", **body)
        assert (refused["status"], refused["error"]["param"]) == (400, "content"), body
    assert stack.turns() == []


@pytest.mark.parametrize("stream", [True, False])
async def test_a_prompt_that_is_too_long_is_refused(stack: Stack, stream: bool) -> None:
    name = await begun(stack)
    refused = await post(stack, f"/{name}/turns", content="x" * 30_000, stream=stream)
    assert (refused["status"], refused["error"]["code"]) == (400, "context_length_exceeded")


async def test_turns_at_once_in_one_conversation_are_all_recorded(stack: Stack) -> None:
    name = await begun(stack)
    await asyncio.gather(*(answer(stack, name, f"question {number}") for number in range(6)))
    turns = stack.turns(conversation_id=name)
    assert [turn.position for turn in turns] == list(range(12))
