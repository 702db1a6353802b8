"""Group commit: shared by all who wait, durable before anyone hears of it, failures kept apart."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from records import audit, conversations
from records.conversations import Arrival
from records.database import Database
from records.errors import NotFound, StorageFull, StorageUnavailable
from records.messages import Role
from records.tables import Audit, Turn
from serving.recorder import Recorder


@pytest_asyncio.fixture
async def recorder(database: Database) -> AsyncIterator[Recorder]:
    made = Recorder(database)
    made.start()
    yield made
    await made.close()


def note(subject: str):
    return lambda session: audit.note(session, actor="a", action="b", subject=subject)


def subjects(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Audit.subject).order_by(Audit.id)))


async def test_what_was_answered_for_is_on_disk(recorder: Recorder, database: Database) -> None:
    await asyncio.gather(*(recorder.write(note(str(i))) for i in range(50)))
    assert subjects(database) == [str(i) for i in range(50)]


async def test_operations_that_wait_share_one_commit(
    recorder: Recorder, database: Database
) -> None:
    commits = []
    event.listen(database.engine, "commit", lambda _: commits.append(1))
    busy, go_on = threading.Event(), threading.Event()

    def block(session: Session) -> None:
        note("first")(session)
        session.flush()
        busy.set()
        go_on.wait(10)

    first = recorder.submit(block)
    await asyncio.to_thread(busy.wait, 10)
    waiting = [recorder.submit(note(str(i))) for i in range(20)]
    go_on.set()
    await asyncio.gather(first, *waiting)
    assert len(commits) == 2


async def test_a_failing_operation_fails_alone(recorder: Recorder, database: Database) -> None:
    def fail_half_way(session: Session) -> None:
        audit.note(session, actor="a", action="b", subject="half")
        session.flush()
        raise NotFound("no such thing")

    results = await asyncio.gather(
        recorder.write(note("before")),
        recorder.write(fail_half_way),
        recorder.write(note("after")),
        return_exceptions=True,
    )
    assert isinstance(results[1], NotFound)
    assert subjects(database) == ["before", "after"]


async def test_an_operation_runs_though_nobody_waits_any_more(
    recorder: Recorder, database: Database
) -> None:
    waiting = asyncio.create_task(recorder.write(note("left alone")))
    await asyncio.sleep(0)
    waiting.cancel()
    await recorder.write(note("next"))
    assert subjects(database) == ["left alone", "next"]


async def test_a_position_taken_by_another_process_is_looked_for_again(
    recorder: Recorder, database: Database
) -> None:
    arrival = Arrival(assistant="support", conversation_id="conv_1", content="hello")
    await recorder.write(lambda session: conversations.receive(session, arrival).id)
    tries = []

    def collide_once(session: Session) -> int:
        tries.append(1)
        if len(tries) == 1:
            turn = Turn(conversation_id="conv_1", role=Role.AGENT, content="x", position=0)
            session.add(turn)
            session.flush()
        turn = Turn(conversation_id="conv_1", role=Role.ASSISTANT, content="y")
        return conversations.add_turn(session, turn).position

    assert await recorder.write(collide_once) == 1


async def test_a_full_disk_is_told_to_all_who_wait(sqlite: Database) -> None:
    recorder = Recorder(sqlite)
    recorder.start()
    await recorder.write(note("kept"))

    def fill(session: Session) -> None:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for _ in range(2000):
            audit.note(session, actor="x" * 60, action="b" * 60, subject="c" * 100)
        session.flush()

    with pytest.raises(StorageFull):
        await recorder.write(fill)
    await recorder.close()
    assert subjects(sqlite) == ["kept"]


async def test_a_stopped_recorder_refuses(sqlite: Database) -> None:
    recorder = Recorder(sqlite)
    recorder.start()
    await recorder.close()
    with pytest.raises(StorageUnavailable):
        await recorder.write(note("late"))
