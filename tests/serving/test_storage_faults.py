"""The database is locked, full or gone under load: refused in time, or spooled, never lost."""

import asyncio
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.messages import Role
from records.tables import Conversation, Turn
from tests.serving.running_gateway import Stack, running, until
from tests.stub_engine import StubEngine

LOCKED_SECONDS = 10


@pytest.fixture
def file(tmp_path: Path, migrated_sqlite: Path) -> Path:
    return Path(shutil.copy(migrated_sqlite, tmp_path / "faulty.db"))


@asynccontextmanager
async def gateway(
    database: Database, tmp_path: Path, artifacts: Artifacts, assistant: Assistant,
    engine: StubEngine, **settings: Any,
) -> AsyncIterator[Stack]:  # fmt: skip
    async with running(
        tmp_path, database=database, artifacts=artifacts, assistant=assistant, engine=engine,
        **settings,
    ) as stack:  # fmt: skip
        yield stack


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Somebody else writes, and does not come to an end."""
    other = Database(f"sqlite:///{file}")
    ready, over = threading.Event(), threading.Event()

    def hold() -> None:
        with other.write() as session:
            session.execute(select(func.count(Turn.id)))
            ready.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()
        other.close()


async def ask_until(stack: Stack, stop: asyncio.Event, *, customer: int) -> list[dict[str, Any]]:
    """A customer who asks one thing after the other in one conversation; all answers."""
    answers = []
    number = 0
    while not stop.is_set():
        number += 1
        named = {"headers": {"X-Conversation-Id": f"c{customer}"}}
        answer = await stack.chat(f"question {number}", **named)
        answers.append({"asked": f"question {number}", **answer})
        if answer["status"] != 200:
            await asyncio.sleep(0.05)
    return answers


def order(stack: Stack, key: str) -> list[tuple[Role, str]]:
    with stack.database.read() as session:
        found = session.scalars(
            select(Turn)
            .join(Conversation, Turn.conversation_id == Conversation.id)
            .where(Conversation.key == key)
            .order_by(Turn.position)
        )
        return [(turn.role, turn.content) for turn in found]


def require_recorded_once(stack: Stack, answers: list[dict[str, Any]], key: str) -> None:
    """Each answer that was given stands behind its question, once, in the order of asking."""
    said = order(stack, key)
    questions = [text for role, text in said if role is Role.CUSTOMER]
    given = [a for a in answers if a["status"] == 200]
    assert [q for q in questions if q in {a["asked"] for a in given}] == [a["asked"] for a in given]
    ids = [a["understudy"]["turn_id"] for a in given]
    recorded = Counter(turn.id for turn in stack.turns(role=Role.ASSISTANT))
    assert all(recorded[turn_id] == 1 for turn_id in ids)
    for answer in given:
        at = said.index((Role.CUSTOMER, answer["asked"]))
        assert said[at + 1] == (Role.ASSISTANT, answer["choices"][0]["message"]["content"])


@pytest.mark.slow
async def test_a_database_locked_for_ten_seconds_means_503_in_time_and_loses_nothing(
    file: Path, tmp_path: Path, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    database = Database(f"sqlite:///{file}", lock_wait_seconds=1)
    async with gateway(database, tmp_path, artifacts, assistant, engine) as stack:
        stop = asyncio.Event()
        asking = [asyncio.create_task(ask_until(stack, stop, customer=n)) for n in range(4)]
        await until(lambda: len(stack.turns()) > 20)
        with locked(file):
            await asyncio.sleep(LOCKED_SECONDS)
            before = len(stack.turns())
        await until(lambda: len(stack.turns()) > before + 20)
        stop.set()
        answers = await asyncio.gather(*asking)
        refused = [a for found in answers for a in found if a["status"] != 200]
        assert {a["status"] for a in refused} == {503}
        assert all(int(a["headers"]["Retry-After"]) >= 1 for a in refused)
        for customer, found in enumerate(answers):
            require_recorded_once(stack, found, f"c{customer}")
    database.close()


@pytest.mark.slow
async def test_a_database_locked_for_ten_seconds_is_not_noticed_with_a_spool(
    file: Path, tmp_path: Path, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    database = Database(f"sqlite:///{file}", lock_wait_seconds=0.5)
    async with gateway(
        database, tmp_path, artifacts, assistant, engine, when_storage_fails="spool"
    ) as stack:
        stop = asyncio.Event()
        asking = [asyncio.create_task(ask_until(stack, stop, customer=n)) for n in range(4)]
        await until(lambda: len(stack.turns()) > 20)
        with locked(file):
            await asyncio.sleep(LOCKED_SECONDS)
            before = len(stack.turns())
            assert stack.gateway.recorder.spooled > 0
        await until(lambda: stack.gateway.recorder.spooled == 0, seconds=20)
        await until(lambda: len(stack.turns()) > before + 20)
        stop.set()
        answers = await asyncio.gather(*asking)
        assert {a["status"] for found in answers for a in found} == {200}
        for customer, found in enumerate(answers):
            require_recorded_once(stack, found, f"c{customer}")
        print(f"\nanswered: {sum(map(len, answers))}, of them spooled and replayed; lost: 0")
    assert list((tmp_path / "spool").iterdir()) == []
    database.close()


async def test_an_escalation_in_the_spool_reaches_slack_once_the_database_is_back(
    file: Path, tmp_path: Path, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    database = Database(f"sqlite:///{file}", lock_wait_seconds=0.1)
    engine.answer = lambda _model, _messages: "[handoff]"
    async with gateway(
        database, tmp_path, artifacts, assistant, engine, when_storage_fails="spool"
    ) as stack:
        with locked(file):
            answer = await stack.chat("help")
            assert answer["choices"][0]["message"]["content"] == assistant.handoff_sentence
            assert answer["understudy"]["escalated"]
            assert stack.escalations() == []
        (escalation,) = await until(stack.escalations)
        assert escalation.conversation_id == answer["understudy"]["conversation_id"]
        assert escalation.turn_id == answer["understudy"]["turn_id"]
    database.close()


async def test_a_full_disk_is_refused_and_with_room_again_all_is_well(
    file: Path, tmp_path: Path, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    database = Database(f"sqlite:///{file}")
    async with gateway(database, tmp_path, artifacts, assistant, engine) as stack:
        with database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        limit = {"pages": pages}

        @event.listens_for(database.engine, "begin")
        def _limit(connection: Any) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {limit['pages']}")

        long = "x" * 15_000
        refused = await stack.chat(long)
        assert (refused["status"], refused["error"]["code"]) == (503, "storage_unavailable")
        assert "x" * 100 not in str(refused)
        limit["pages"] = 1_000_000
        assert (await stack.chat(long))["status"] == 200
        assert [t.role for t in stack.turns()] == [Role.CUSTOMER, Role.ASSISTANT]
    database.close()


async def test_a_postgres_that_goes_away_is_survived_with_a_spool(
    postgres: Database, tmp_path: Path, artifacts: Artifacts,
    assistant: Assistant, engine: StubEngine,
) -> None:  # fmt: skip
    async with gateway(
        postgres, tmp_path, artifacts, assistant, engine, when_storage_fails="spool"
    ) as stack:
        named = {"headers": {"X-Conversation-Id": "c"}}
        first = await stack.chat("one", **named)
        with unreachable(postgres):
            second = await stack.chat("two", **named)
            third = await stack.chat("three", **named)
            assert [second["status"], third["status"]] == [200, 200]
            said = [m["content"] for m in stack.engine.requests[-1]["messages"]]
            assert said[1:] == [
                "one", "support-base answers: one", "two", "support-base answers: two", "three",
            ]  # fmt: skip
        await until(lambda: stack.gateway.recorder.spooled == 0)
        assert [text for role, text in order(stack, "c") if role is Role.CUSTOMER] == [
            "one", "two", "three",
        ]  # fmt: skip
        ids = {a["understudy"]["conversation_id"] for a in (first, second, third)}
        assert len(ids) == 1


@contextmanager
def unreachable(database: Database) -> Iterator[None]:
    """The server's end of all connections is cut, and no new ones can be opened."""

    def refuse(*_: Any) -> None:
        raise psycopg.OperationalError("the server is gone")

    event.listen(database.engine, "do_connect", refuse)
    database.engine.dispose()
    try:
        yield
    finally:
        event.remove(database.engine, "do_connect", refuse)


@pytest.mark.parametrize("named_by", ["key", "id"])
async def test_a_conversation_that_begins_while_the_database_is_locked_goes_on(
    file: Path, tmp_path: Path, artifacts: Artifacts, assistant: Assistant, engine: StubEngine,
    named_by: str,
) -> None:  # fmt: skip
    database = Database(f"sqlite:///{file}", lock_wait_seconds=0.1)
    async with gateway(
        database, tmp_path, artifacts, assistant, engine, when_storage_fails="spool"
    ) as stack:
        headers = {"X-Conversation-Id": "mine"} if named_by == "key" else {}
        answers = []
        with locked(file):
            for number in range(1, 4):
                asked = f"question {number}"
                answers.append({"asked": asked, **await stack.chat(asked, headers=headers)})
                if named_by == "id":
                    headers = {"X-Conversation-Id": answers[0]["understudy"]["conversation_id"]}
            heard = [m["content"] for m in engine.requests[-1]["messages"] if m["role"] == "user"]
            assert heard == ["question 1", "question 2", "question 3"]
        await until(lambda: stack.gateway.recorder.spooled == 0)
        (conversation,) = stack.conversations()
        said = [turn.content for turn in stack.turns(conversation_id=conversation.id)]
        assert said[::2] == [a["asked"] for a in answers]
        assert said[1::2] == [a["choices"][0]["message"]["content"] for a in answers]
    database.close()


async def test_a_conversation_that_is_only_known_to_a_database_that_is_away_is_joined_later(
    postgres: Database, tmp_path: Path, artifacts: Artifacts, assistant: Assistant,
    engine: StubEngine,
) -> None:  # fmt: skip
    async with gateway(
        postgres, tmp_path, artifacts, assistant, engine, when_storage_fails="spool"
    ) as stack:
        named = {"headers": {"X-Conversation-Id": "mine"}}
        await stack.chat("one", **named)
        assert stack.gateway.last_known is not None
        stack.gateway.last_known._known.clear()  # as in another process
        with unreachable(postgres):
            await stack.chat("two", **named)
            await stack.chat("three", **named)
        await until(lambda: stack.gateway.recorder.spooled == 0)
        (conversation,) = stack.conversations()
        said = [turn.content for turn in stack.turns(conversation_id=conversation.id)]
        assert said[::2] == ["one", "two", "three"]


async def test_a_full_disk_is_no_place_to_send_customers_to(
    file: Path, tmp_path: Path, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    database = Database(f"sqlite:///{file}")
    async with gateway(database, tmp_path, artifacts, assistant, engine) as stack:
        assert (await stack.call("GET", "/health/ready"))["status"] == 200

        def full(statement: Any) -> None:
            cause = sqlite3.OperationalError("database or disk is full")
            raise OperationalError("COMMIT", {}, cause)

        event.listen(database.engine, "commit", full)
        ready = await stack.call("GET", "/health/ready")
        assert (ready["status"], ready["reasons"]) == (
            503, ["Nothing can be recorded: no space is left."],
        )  # fmt: skip
        event.remove(database.engine, "commit", full)
        assert (await stack.call("GET", "/health/ready"))["status"] == 200
    database.close()


async def test_who_comes_while_the_database_is_locked_is_refused_sooner_than_the_first(
    file: Path, tmp_path: Path, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    database = Database(f"sqlite:///{file}", lock_wait_seconds=1)
    async with gateway(database, tmp_path, artifacts, assistant, engine) as stack:
        with locked(file):
            assert (await stack.chat("one"))["status"] == 503
            began = time.monotonic()
            assert (await stack.chat("two"))["status"] == 503
            assert time.monotonic() - began < 0.9
        assert (await stack.chat("three"))["status"] == 200
        assert database.lock_wait_seconds == 1
    database.close()
