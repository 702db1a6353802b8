"""Support agents at another desk than Slack: take over, reply, type, resolve, hand back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from records import keys
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.outbox import Kind
from records.states import ConversationState, EscalationReason, KeyScope, Resolution
from records.tables import OutboxMessage
from tests.serving.events_client import following
from tests.serving.running_gateway import Stack
from tests.serving.test_event_stream import two_gateways
from tests.stub_engine import StubEngine


class Desk:
    """Agents' tool for one conversation."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack, self.name = stack, name
        with stack.database.write() as session:
            key = keys.create(session, name="desk", scope=KeyScope.AGENT, actor="test")
        self.headers = {"Authorization": f"Bearer {key}"}

    async def act(self, act: str, agent: str = "U1", **body: Any) -> dict[str, Any]:
        url = f"/v1/conversations/{self.name}/agent/{act}"
        body = {"agent": agent, **body}
        return await self.stack.call("POST", url, json=body, headers=self.headers)

    async def reply(self, content: str, *, id_: str = "1", agent: str = "U1") -> dict[str, Any]:
        return await self.act("reply", agent, content=content, id=id_)


async def escalated(stack: Stack) -> Desk:
    made = await stack.call("POST", "/v1/conversations")
    await stack.call("POST", f"/v1/conversations/{made['id']}/escalate")
    return Desk(stack, made["id"])


def kinds(stack: Stack) -> list[str]:
    with stack.database.read() as session:
        return list(session.scalars(select(OutboxMessage.kind).order_by(OutboxMessage.id)))


async def test_an_agent_takes_over_replies_and_resolves(stack: Stack) -> None:
    desk = await escalated(stack)
    taken = await desk.act("take-over")
    assert (taken["state"], taken["owner"]) == ("with_agent", "U1")
    said = await desk.reply("Good morning.")
    assert (said["position"], said["known_already"]) == (0, False)
    ended = await desk.act("resolve")
    assert (ended["state"], ended["owner"], ended["escalation_id"]) == ("resolved", None, None)
    (turn,) = stack.turns()
    assert (turn.id, turn.content, turn.author) == (said["turn_id"], "Good morning.", "U1")


async def test_what_was_said_here_is_shown_in_slack_and_not_confirmed_as_if_from_there(
    stack: Stack,
) -> None:
    desk = await escalated(stack)
    await desk.act("take-over")
    await desk.reply("Good morning.")
    assert kinds(stack) == [Kind.ESCALATION_OPENED, Kind.ESCALATION_CHANGED, Kind.TURN_ADDED]


async def test_an_agent_says_how_it_ended_and_what_is_not_to_be_learned_from(
    stack: Stack,
) -> None:
    desk = await escalated(stack)
    await desk.act("take-over")
    await desk.reply("Good morning.")
    refused = await desk.act("resolve", resolution="handed_back")
    assert (refused["status"], refused["error"]["param"]) == (400, "resolution")
    assert (await desk.act("resolve", save_example="no"))["error"]["param"] == "save_example"
    ended = await desk.act("resolve", resolution="not_solved", save_example=False)
    assert ended["state"] == "resolved"
    (escalation,) = stack.escalations()
    assert (escalation.resolution, escalation.resolved_by) == (Resolution.NOT_SOLVED, "U1")
    assert Kind.EXAMPLE_PROPOSED not in kinds(stack)


async def test_a_reply_that_is_sent_again_is_said_once(stack: Stack) -> None:
    desk = await escalated(stack)
    await desk.act("take-over")
    first = await desk.reply("Posted.", id_="r1")
    again = await asyncio.gather(*(desk.reply("Posted.", id_="r1") for _ in range(5)))
    await desk.act("resolve")
    again.append(await desk.reply("Posted.", id_="r1"))
    assert {one["turn_id"] for one in again} == {first["turn_id"]}
    assert all(one["known_already"] for one in again)
    other = await desk.reply("Something else.", id_="r1")
    assert (other["status"], other["error"]["code"]) == (409, "conflict")
    assert len(stack.turns()) == 1


async def test_one_id_in_two_conversations_is_two_replies(stack: Stack) -> None:
    for _ in range(2):
        desk = await escalated(stack)
        await desk.act("take-over")
        assert not (await desk.reply("Hello", id_="1"))["known_already"]
    assert len(stack.turns()) == 2


async def test_only_the_owner_acts_and_is_named_in_plain_words(stack: Stack) -> None:
    desk = await escalated(stack)
    for act in ("typing", "resolve", "hand-back"):
        assert (await desk.act(act))["status"] in (403, 409)
    assert (await desk.reply("Hello"))["status"] == 403
    await desk.act("take-over", "U1")
    refused = await desk.act("take-over", "U2")
    assert refused["status"] == 409
    assert refused["error"]["message"] == "U1 has already taken this over."
    for act in ("typing", "resolve", "hand-back"):
        assert (await desk.act(act, "U2"))["status"] == 403
    assert (await desk.reply("Hello", agent="U2"))["status"] == 403
    assert stack.turns() == []


async def test_an_agent_may_take_over_what_nobody_handed_over(stack: Stack) -> None:
    asked = await stack.chat()
    desk = Desk(stack, asked["understudy"]["conversation_id"])
    assert (await desk.act("resolve"))["status"] == 409
    assert (await desk.act("take-over"))["state"] == "with_agent"
    (escalation,) = stack.escalations()
    assert (escalation.reason, escalation.owner) == (EscalationReason.FLAG, "U1")


async def test_after_handing_back_the_assistant_answers(stack: Stack) -> None:
    desk = await escalated(stack)
    await desk.act("take-over")
    back = await desk.act("hand-back")
    assert (back["state"], back["owner"]) == ("open", None)
    assert (await desk.reply("One more thing"))["status"] == 403


async def test_typing_is_shown_at_once(stack: Stack) -> None:
    desk = await escalated(stack)
    await desk.act("take-over")
    async with following(stack, desk.name) as events:
        await events.next()
        assert (await desk.act("typing"))["status"] == 200
        assert (await events.next()).name == "typing"


@pytest.mark.parametrize(
    "body",
    [{}, {"agent": ""}, {"agent": " "}, {"agent": "x" * 65}, {"agent": "a\0b"}, {"agent": 7}],
)
async def test_who_acts_must_be_said(stack: Stack, body: dict[str, Any]) -> None:
    desk = await escalated(stack)
    url = f"/v1/conversations/{desk.name}/agent/take-over"
    refused = await stack.call("POST", url, json=body, headers=desk.headers)
    assert (refused["status"], refused["error"]["param"]) == (400, "agent")


async def test_a_reply_needs_words_and_an_id(stack: Stack) -> None:
    desk = await escalated(stack)
    await desk.act("take-over")
    assert (await desk.act("reply", content=" ", id="1"))["error"]["param"] == "content"
    assert (await desk.act("reply", content="Hello"))["error"]["param"] == "id"


@pytest.mark.slow
async def test_of_many_agents_in_two_processes_one_gets_the_conversation(
    tmp_path: Path,
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    async with two_gateways(tmp_path, database, artifacts, assistant, engine) as stacks:
        for _ in range(5):
            desk = await escalated(stacks[0])
            desks = [desk, Desk(stacks[1], desk.name)]
            done = await asyncio.gather(
                *(desks[number % 2].act("take-over", f"U{number}") for number in range(6))
            )
            assert sorted(one["status"] for one in done) == [200, 409, 409, 409, 409, 409]
            (owner,) = {one["owner"] for one in done if one["status"] == 200}
            found = next(c for c in stacks[0].conversations() if c.id == desk.name)
            assert (found.owner, found.state) == (owner, ConversationState.WITH_AGENT)
