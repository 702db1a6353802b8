"""Every reason for which a conversation goes to a person, through the endpoint."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from records.artifacts import Artifacts
from records.assistant import Assistant, EscalationOptions
from records.database import Database
from records.states import EscalationReason, TurnStatus
from tests.serving.running_gateway import Stack, running, until
from tests.serving.scrape import Scraped
from tests.stub_engine import LOGPROB, Fault, StubEngine

OPTIONS = {
    "phrases": ["speak to a person"],
    "rules": [
        {"name": "lost card", "like": ["I lost my card"], "sentence": "We have blocked your card."},
        {"name": "legal", "pattern": r"\blawyer\b"},
    ],
    "hours": {"closed_sentence": "We are back tomorrow."},
}


@pytest.fixture
def wishes() -> dict[str, Any]:
    return OPTIONS


@pytest.fixture
def assistant(assistant: Assistant, wishes: dict[str, Any]) -> Assistant:
    options = EscalationOptions.model_validate(wishes)
    return assistant.model_copy(update={"escalation": options})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("question", "reason", "words"),
    [
        ("May I speak to a person?", EscalationReason.CUSTOMER, "A colleague will reply here."),
        ("I have lost my card", EscalationReason.POLICY, "We have blocked your card."),
        ("My LAWYER will call you", EscalationReason.POLICY, "A colleague will reply here."),
    ],
)
async def test_what_a_customer_writes_can_go_to_a_person_without_the_model(
    stack: Stack, question: str, reason: EscalationReason, words: str, stream: bool
) -> None:
    answer = await stack.openai.chat.completions.create(
        model="support", messages=[{"role": "user", "content": question}], stream=stream
    )
    if stream:
        said = "".join([c.choices[0].delta.content or "" async for c in answer if c.choices])
    else:
        said = answer.choices[0].message.content
    assert said == f"{words} We are back tomorrow."
    assert stack.engine.requests == []
    (escalation,) = stack.escalations()
    turn = stack.turns()[-1]
    assert (escalation.reason, escalation.turn_id) == (reason, turn.id)
    assert (turn.status, turn.version) == (TurnStatus.FALLBACK, None)


async def test_other_questions_are_the_models(stack: Stack) -> None:
    answer = await stack.chat("Where is my card?")
    assert answer["understudy"]["reason"] is None
    assert stack.escalations() == []


@pytest.mark.parametrize("wishes", [{"min_confidence": 0.9}])
async def test_an_unsure_answer_is_kept_from_the_customer_and_shown_to_agents(
    stack: Stack, wishes: dict[str, Any]
) -> None:
    answer = await stack.chat("Where is my card?")
    assert stack.engine.requests[-1]["logprobs"] is True
    assert answer["choices"][0]["message"]["content"] == "A colleague will reply here."
    assert answer["understudy"]["reason"] == "confidence"
    turn = stack.turns()[-1]
    assert turn.withheld == "support-base answers: Where is my card?"
    assert turn.mean_logprob == pytest.approx(LOGPROB)
    assert stack.escalations()[0].reason is EscalationReason.CONFIDENCE


@pytest.mark.parametrize("wishes", [{"min_confidence": 0.5}])
async def test_a_sure_answer_is_given(stack: Stack, wishes: dict[str, Any]) -> None:
    answer = await stack.chat("Where is my card?")
    assert answer["choices"][0]["message"]["content"].startswith("support-base answers")
    assert stack.escalations() == []


async def test_escalating_in_many_ways_is_one_escalation_with_the_first_reason(
    stack: Stack,
) -> None:
    named = {"headers": {"X-Conversation-Id": "c"}}
    await stack.chat("I have lost my card", **named)
    await stack.chat("I want to speak to a person", **named)
    stack.engine.fault = Fault.ERROR_500
    await stack.chat("Hello?", **named)
    await stack.call("POST", "/v1/conversations/c/escalate")
    assert [e.reason for e in stack.escalations()] == [EscalationReason.POLICY]


async def test_escalations_are_counted_by_reason(stack: Stack) -> None:
    await stack.chat("I have lost my card")
    stack.engine.fault = Fault.ERROR_500
    await stack.chat("Hello?")
    async with stack.http.get(f"{stack.url}/metrics", headers=stack.headers("admin")) as response:
        shown = Scraped(await response.text())
    base = {"assistant": "support", "version": "none", "arm": "none"}
    reasons = {
        reason: shown.value("escalations_total", reason=reason, **base)
        for reason in ("policy", "engine")
    }
    assert reasons == {"policy": 1, "engine": 1}


async def test_a_customer_who_presses_the_button_is_told_when_nobody_works(stack: Stack) -> None:
    conversation = (await stack.chat("Hello"))["understudy"]["conversation_id"]
    told = await stack.call("POST", f"/v1/conversations/{conversation}/escalate")
    assert told["message"] == "A colleague will reply here. We are back tomorrow."


async def test_a_person_in_charge_hears_what_a_rule_would_answer(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    async with running(
        tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine
    ) as stack:
        named = {"headers": {"X-Conversation-Id": "c"}}
        conversation = (await stack.chat("Hello", **named))["understudy"]["conversation_id"]
        agent = {"headers": stack.headers("admin"), "json": {"agent": "U1"}}
        taken = await stack.call(
            "POST", f"/v1/conversations/{conversation}/agent/take-over", **agent
        )
        assert taken["status"] == 200
        answer = await stack.chat("I have lost my card", **named)
        assert answer["choices"][0]["message"]["content"] == assistant.waiting_sentence
        assert answer["understudy"]["status"] == "fallback"


@pytest.mark.parametrize(("wishes", "stream"), [({}, False), ({"min_confidence": 0.01}, True)])
async def test_an_agent_who_takes_over_while_the_model_works_is_not_talked_over(
    stack: Stack, wishes: dict[str, Any], stream: bool
) -> None:
    named = {"headers": {"X-Conversation-Id": "c", **stack.headers()}}
    conversation = (await stack.chat("one", **named))["understudy"]["conversation_id"]
    stack.engine.hold()
    body = {"model": "support", "stream": stream,
            "messages": [{"role": "user", "content": "two"}]}  # fmt: skip

    async def ask() -> str:
        url = f"{stack.url}/v1/chat/completions"
        async with stack.http.post(url, json=body, **named) as response:
            return await response.text()

    asking = asyncio.create_task(ask())
    await stack.engine.waiting.wait()
    await until(lambda: len(stack.turns()) == 3)
    taken = await stack.call(
        "POST", f"/v1/conversations/{conversation}/agent/take-over", json={"agent": "U1"},
        headers=stack.headers("admin"),
    )  # fmt: skip
    assert taken["status"] == 200
    stack.engine.held.set()
    read = await asking
    assert stack.assistant.waiting_sentence in read
    assert "support-base answers: two" not in read
    turn = stack.turns()[-1]
    assert (turn.content, turn.version) == (stack.assistant.waiting_sentence, None)
    assert turn.withheld == "support-base answers: two"


async def test_an_answer_is_broken_off_when_an_agent_takes_over_in_the_middle(
    stack: Stack,
) -> None:
    named = {"headers": {"X-Conversation-Id": "c", **stack.headers()}}
    conversation = (await stack.chat("one", **named))["understudy"]["conversation_id"]
    stack.engine.seconds_per_piece = 0.1
    stack.engine.answer = lambda _model, _messages: "word " * 200
    body = {"model": "support", "stream": True, "messages": [{"role": "user", "content": "two"}]}
    async with stack.http.post(f"{stack.url}/v1/chat/completions", json=body, **named) as response:
        await response.content.readuntil(b'"wor"')
        taken = await stack.call(
            "POST", f"/v1/conversations/{conversation}/agent/take-over", json={"agent": "U1"},
            headers=stack.headers("admin"),
        )  # fmt: skip
        assert taken["status"] == 200
        async with asyncio.timeout(5):  # all of it would take half a minute
            rest = (await response.read()).decode()
    assert stack.assistant.waiting_sentence in rest
    assert rest.endswith("data: [DONE]\n\n")
    assert '"escalated":true' in rest
    await until(lambda: stack.engine.left_by_client == 1)
    turn = stack.turns()[-1]
    assert turn.status is TurnStatus.INTERRUPTED
    assert turn.content.endswith(f" {stack.assistant.waiting_sentence}")
