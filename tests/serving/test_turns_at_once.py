"""A customer's turn and an agent's reply, written by two processes at the same moment."""

import asyncio
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from records import conversations
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.ids import new_id
from records.messages import Role
from records.states import TurnStatus
from records.tables import Turn
from serving import turn_log
from serving.turn_log import Entry, Recorded, stamp
from tests.serving.events_client import following
from tests.serving.test_event_stream import agent, begun, post, say, two_gateways
from tests.stub_engine import StubEngine

pytestmark = pytest.mark.slow

_HEAD_START_SECONDS = 0.3  # enough to get as far as it can


def question(conversation_id: str) -> Entry:
    turn = {
        "id": new_id("turn"),
        "conversation_id": conversation_id,
        "position": None,
        "role": Role.CUSTOMER,
        "content": "Hello?",
        "created_at": stamp(),
        "status": TurnStatus.COMPLETE,
        "handed_over": False,
    }
    return Entry(conversation_id, (turn,))


def test_a_turn_waits_for_who_has_the_conversation_and_holds_nothing_meanwhile(
    database: Database,
) -> None:
    """On PostgreSQL they would wait for each other, and one of them would be lost."""
    with database.write() as session:
        name = conversations.create(session, assistant="support")[0].id

    def other() -> Recorded:
        with database.write() as session:
            return turn_log.write_all(session.connection(), [question(name)])[0]

    with ThreadPoolExecutor(max_workers=1) as pool:
        with database.write() as session:
            conversations.lock(session, [name])
            asking = pool.submit(other)
            wait([asking], timeout=_HEAD_START_SECONDS)
            said = Turn(conversation_id=name, role=Role.AGENT, content="Here I am.")
            assert conversations.add_turn(session, said).position == 0
        assert asking.result().position == 1


async def test_a_customer_and_an_agent_who_write_at_once_in_two_processes_lose_nothing(
    tmp_path: Path,
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    many = 25
    async with two_gateways(tmp_path, database, artifacts, assistant, engine) as (here, there):
        name = await begun(here)
        await post(here, f"/{name}/escalate")
        await agent(here, name, "take-over")

        async def ask() -> list[dict[str, Any]]:
            return [await say(here, name, f"question {number}") for number in range(many)]

        async def reply() -> list[dict[str, Any]]:
            return [
                await agent(there, name, "reply", content=f"reply {number}", id=str(number))
                for number in range(many)
            ]

        async with following(there, name) as events:
            await events.next()
            done = await asyncio.gather(ask(), reply())
            assert {one["status"] for one in done[1]} == {200}
            seen = [await events.next() for _ in range(3 * many)]
    assert [event.data["position"] for event in seen] == list(range(3 * many))
    said = sorted(event.words for event in seen)
    assert [word for word in said if word.startswith("agent")] == sorted(
        f"agent: reply {number}" for number in range(many)
    )
