"""Shadows: asked beside the traffic, recorded, and never in anybody's way."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from records import shadows
from records.states import ConversationState
from records.tables import ShadowAnswer
from serving.chat_request import read_request
from serving.dialogue import Dialogue, Known, open_dialogue
from serving.routing import Choice
from tests.serving.running_gateway import Stack, until
from tests.stub_engine import LOGPROB, add_version, publish_adapter

MARKER = "[handoff]"
SERVED = Choice("support-base")


async def shadowed(stack: Stack, *, share: float = 1.0) -> str:
    """A version that runs as shadow and is ready."""
    name = publish_adapter(stack.artifacts, stack.assistant, seed=1)
    version = add_version(stack.database, stack.assistant, name)
    with stack.database.write() as session:
        shadows.start(session, version, share, actor="ops")
    await until(lambda: stack.gateway.traffic.shadow("support"))
    await until(lambda: stack.gateway.fleet.ready(version))
    return version


def dialogue(stack: Stack, *, known: Known | None = None, choice: Choice = SERVED) -> Dialogue:
    body = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}
    return open_dialogue(
        stack.assistant, read_request(body, {}), known=known, choose=lambda *_: choice
    )


async def answered(stack: Stack) -> str:
    """The id of a turn that a version has answered."""
    turn_id: str = (await stack.chat())["understudy"]["turn_id"]
    return turn_id


def recorded(stack: Stack) -> list[ShadowAnswer]:
    with stack.database.read() as session:
        return list(session.query(ShadowAnswer).order_by(ShadowAnswer.id))


def said_by(version: str, text: str) -> Any:
    def answer(model: str, messages: list[Mapping[str, Any]]) -> str:
        return text if model == version else "so it is"

    return answer


async def test_a_shadows_answer_is_recorded_beside_the_one_that_was_read(stack: Stack) -> None:
    version = await shadowed(stack)
    turn_id = await answered(stack)
    await until(lambda: stack.gateway.shadowing.answered)
    (found,) = recorded(stack)
    assert (found.turn_id, found.version, found.error) == (turn_id, version, None)
    assert found.content == f"{version} answers: hello"
    assert (found.handed_over, found.finish_reason) == (False, "stop")
    assert found.mean_logprob == LOGPROB
    assert found.completion_tokens
    assert found.duration_ms > 0
    assert stack.engine.requests[-1]["messages"] == stack.engine.requests[0]["messages"]
    assert (stack.gateway.shadowing.answered, stack.gateway.shadowing.dropped) == (1, 0)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"{MARKER} A person will help.", "A person will help."),
        (MARKER, "A colleague will reply here."),
    ],
)
async def test_a_handover_is_noted_and_its_marker_removed(
    stack: Stack, text: str, read: str
) -> None:
    stack.engine.answer = said_by(await shadowed(stack), text)
    await answered(stack)
    (found,) = await until(lambda: recorded(stack))
    assert (found.handed_over, found.content) == (True, read)


async def test_why_there_is_no_answer_is_recorded_in_words(stack: Stack) -> None:
    stack.engine.too_long_for.add(await shadowed(stack))
    await answered(stack)
    (found,) = await until(lambda: recorded(stack))
    assert "maximum context length" in found.error
    assert found.content == ""


async def test_the_same_turn_is_recorded_once(stack: Stack) -> None:
    await shadowed(stack)
    turn_id = await answered(stack)
    for _ in range(3):
        stack.gateway.shadowing.consider(dialogue(stack), turn_id)
    await until(lambda: stack.gateway.shadowing.answered == 4)
    assert len(recorded(stack)) == 1


async def test_only_few_questions_are_asked_at_a_time_and_what_finds_no_room_is_dropped(
    stack: Stack,
) -> None:
    version = await shadowed(stack)
    turn_id = await answered(stack)
    await until(lambda: recorded(stack))
    asked = len(stack.engine.requests)
    stack.engine.hold()
    for _ in range(150):
        stack.gateway.shadowing.consider(dialogue(stack), turn_id)
    await until(lambda: len(stack.engine.requests) == asked + 2)
    assert stack.gateway.shadowing.dropped == 50
    stack.engine.held.set()
    await until(lambda: stack.gateway.shadowing.answered == 101)
    assert {r["model"] for r in stack.engine.requests[asked:]} == {version}


async def test_customers_do_not_wait_for_a_shadow_that_hangs(stack: Stack) -> None:
    stack.engine.hangs_for.add(await shadowed(stack))
    began = time.monotonic()
    for _ in range(5):
        assert (await stack.chat())["understudy"]["status"] == "complete"
    assert time.monotonic() - began < 3  # the shadow's own limit is longer
    assert recorded(stack) == []
    assert stack.gateway.fleet.busy == 2


async def test_an_agents_conversation_testers_and_the_shadows_own_answers_are_left_out(
    stack: Stack,
) -> None:
    version = await shadowed(stack)
    consider = stack.gateway.shadowing.consider
    with_agent = Known.begun("conv_1")
    with_agent = replace(with_agent, state=ConversationState.WITH_AGENT)
    turn_id = await answered(stack)
    await until(lambda: recorded(stack))
    asked = len(stack.engine.requests)
    consider(dialogue(stack, known=with_agent), turn_id)
    consider(dialogue(stack, choice=Choice(version)), turn_id)
    consider(dialogue(stack, choice=Choice("support-base", for_tester=True)), turn_id)
    consider(dialogue(stack), turn_id)
    await until(lambda: stack.gateway.shadowing.answered == 2)
    assert len(stack.engine.requests) == asked + 1


async def test_a_shadow_that_was_stopped_is_asked_nothing_more(stack: Stack) -> None:
    version = await shadowed(stack)
    assert (await stack.admin("POST", "shadow/stop"))["state"] == "stopped"
    await answered(stack)
    await answered(stack)
    assert version not in {request["model"] for request in stack.engine.requests}
    assert stack.gateway.shadowing.dropped == 0


async def test_stopping_the_gateway_ends_what_shadows_are_asked(stack: Stack) -> None:
    stack.engine.hangs_for.add(await shadowed(stack))
    await answered(stack)
    await until(lambda: len(stack.engine.requests) == 2)
    async with asyncio.timeout(2):
        await stack.gateway.shadowing.stop()
    await until(lambda: stack.engine.left_by_client == 1)
    assert stack.gateway.fleet.busy == 0


async def test_ops_see_how_often_a_shadow_agrees(stack: Stack) -> None:
    version = await shadowed(stack)
    for number, text in enumerate(("so it is ", f"{MARKER} ask a person")):
        stack.engine.answer = said_by(version, text)
        await answered(stack)
        await until(lambda number=number: len(recorded(stack)) == number + 1)
    shown = await stack.admin("GET", "shadow")
    assert (shown["version"], shown["state"], shown["share"]) == (version, "running", 1.0)
    counted = {k: shown[k] for k in ("answers", "errors", "same_text", "same_handover", "dropped")}
    assert counted == {
        "answers": 2, "errors": 0, "same_text": 1, "same_handover": 1, "dropped": 0,
    }  # fmt: skip
