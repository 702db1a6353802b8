"""Ten agents, many escalations, repeated deliveries, refused calls, a bot that dies ten times.

`make day` has 500 of them, a run of all tests 100.

Everything that people did is counted at the end: nothing is lost, nothing is there twice.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select

from bot.standin.people import text_of
from records import delivery
from records.ids import utc_now
from records.messages import Role
from records.outbox import Kind
from records.states import EscalationState, ExampleState, OutboxState
from records.tables import Audit, Escalation, Example, Flag, OutboxMessage, Turn
from tests.bot.day import Agent, Bot, at_work, until_slowly
from tests.bot.office import CHANNEL, Office

AGENTS, ESCALATIONS, KILLS = 10, int(os.environ.get("UNDERSTUDY_DAY_ESCALATIONS", "100")), 10
SEED = 4


@pytest.mark.alone
async def test_a_day_loses_and_doubles_nothing(closed_office: Office) -> None:
    office, chance = closed_office, random.Random(SEED)
    office.messages_per_second = 400
    misbehaving = {
        "standin_repeated_share": 0.05,
        "standin_refused_share": 0.02,
        "standin_retry_seconds": (0.1, 1.0, 5.0, 10.0),
    }
    async with office.slack(**misbehaving), at_work(Bot(office)) as bot, customers(office):
        agents = [Agent(office.person(f"U0AG{n:02d}"), random.Random(n)) for n in range(AGENTS)]
        handled: list[int] = []
        dying = asyncio.create_task(
            bot.die_now_and_then(
                times=KILLS, done=lambda: len(handled) / ESCALATIONS, chance=chance
            )
        )
        async with asyncio.TaskGroup() as work:
            for n, agent in enumerate(agents):
                work.create_task(shift(office, agent, range(n, ESCALATIONS, AGENTS), handled))
        await dying
        await until_slowly(lambda: everything_is_told(office), patience=120)
        cards = await office.person("U0AG00").messages(CHANNEL)
        threads = {c["ts"]: await office.person("U0AG00").thread(CHANNEL, c["ts"]) for c in cards}
    assert bot.kills == KILLS + 1
    assert_each_escalation_has_one_card(office, [str(card.get("metadata")) for card in cards])
    assert_each_reply_was_relayed_once(office, agents)
    assert_each_flag_counts_once(office)
    assert_each_example_was_approved_once(office)
    assert_each_turn_is_shown_once(office, [m for thread in threads.values() for m in thread])


async def shift(office: Office, agent: Agent, numbers: range, handled: list[int]) -> None:
    """An agent's day; every tenth customer is wanted by a colleague, too."""
    for number in numbers:
        escalation, _ = await asyncio.to_thread(office.escalated, key=f"c-{number}")
        card = await agent.card_of(escalation)
        if number % 10 == 3:
            rival = Agent(office.person("U0RIVAL"), agent.chance)
            await asyncio.gather(rival.reach_for(card), agent.reach_for(card))
            owner = await asyncio.to_thread(owner_of, office, escalation)
            if owner == rival.person.user_id:
                await rival.handle(card, number)
                agent.said += rival.said
                handled.append(number)
                continue
        await agent.handle(card, number)
        handled.append(number)


@asynccontextmanager
async def customers(office: Office) -> AsyncIterator[None]:
    """Customers who read what they are written."""

    def read() -> None:
        with office.database.write() as session:
            conversations = session.scalars(
                select(Turn.conversation_id).where(
                    Turn.role == Role.AGENT, Turn.delivered_at.is_(None)
                )
            )
            delivery.note(session, dict.fromkeys(conversations, 1000), at=utc_now())

    async def go_on_reading() -> None:
        while True:
            await asyncio.to_thread(read)
            await asyncio.sleep(0.5)

    reading = asyncio.create_task(go_on_reading())
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def owner_of(office: Office, escalation_id: str) -> str | None:
    with office.database.read() as session:
        return session.get_one(Escalation, escalation_id).owner


async def everything_is_told(office: Office) -> bool:
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.SENDING])
    )

    def look() -> bool:
        with office.database.read() as session:
            return session.scalar(waiting.limit(1)) is None

    return await asyncio.to_thread(look)


def assert_each_escalation_has_one_card(office: Office, cards: list[str]) -> None:
    with office.database.read() as session:
        found = list(session.scalars(select(Escalation)))
        failed = list(
            session.scalars(
                select(OutboxMessage.error).where(OutboxMessage.state == OutboxState.FAILED)
            )
        )
    assert failed == []
    assert len(found) == ESCALATIONS
    assert all(e.state is EscalationState.RESOLVED for e in found)
    shown = Counter(e.id for e in found for card in cards if e.id in card)
    assert set(shown.values()) == {1}
    assert len(shown) == len(cards) == ESCALATIONS


def assert_each_reply_was_relayed_once(office: Office, agents: list[Agent]) -> None:
    with office.database.read() as session:
        turns = list(session.scalars(select(Turn).where(Turn.role == Role.AGENT)))
    said = Counter(words for agent in agents for words in agent.said)
    assert len(said) == ESCALATIONS
    assert Counter(turn.content for turn in turns) == said
    assert all(turn.delivered_at for turn in turns)


def assert_each_flag_counts_once(office: Office) -> None:
    with office.database.read() as session:
        flags = list(session.scalars(select(Flag)))
    complete = Counter(flag.turn_id for flag in flags if flag.correction)
    begun = Counter(flag.turn_id for flag in flags if not flag.correction)
    assert len(complete) == ESCALATIONS
    assert set(complete.values()) == {1}
    assert set(begun.values()) <= {1}


def assert_each_example_was_approved_once(office: Office) -> None:
    with office.database.read() as session:
        approved = list(
            session.scalars(select(Example).where(Example.state == ExampleState.APPROVED))
        )
        decided = list(
            session.scalars(select(Audit.subject).where(Audit.action == "example_approved"))
        )
        waiting = list(
            session.scalars(select(Example).where(Example.state == ExampleState.PROPOSED))
        )
    assert len(approved) == ESCALATIONS
    assert waiting == []
    assert Counter(decided) == Counter(example.id for example in approved)


def assert_each_turn_is_shown_once(office: Office, messages: list[dict[str, object]]) -> None:
    stands = Counter((m.get("channel", CHANNEL), m["ts"]) for m in messages)
    with office.database.read() as session:
        rows = list(
            session.scalars(select(OutboxMessage).where(OutboxMessage.kind == Kind.TURN_ADDED))
        )
    assert len({row.ts for row in rows}) == len(rows) == 2 * ESCALATIONS
    assert {row.ts for row in rows} <= {ts for _, ts in stands}
    shown = [m for m in messages if "Cards take a year." in text_of(m) and m.get("thread_ts")]
    answers = [m for m in shown if m["ts"] != m.get("thread_ts") and "flag_answer" in str(m)]
    assert len(answers) == ESCALATIONS
