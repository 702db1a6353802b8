"""Group commit: shared by all who wait, durable before anyone hears of it, failures kept apart."""

import asyncio
import resource
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from records import audit, conversations
from records.conversations import Arrival
from records.database import Database
from records.errors import NotFound, StorageError, StorageFull, StorageUnavailable
from records.ids import new_id
from records.messages import Role
from records.states import TurnStatus
from records.tables import Audit, Conversation, Turn
from serving.recorder import Recorder
from serving.spool import Spool
from serving.turn_log import Entry, stamp
from tests.serving.running_gateway import until


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


def question(conversation_id: str, **columns: Any) -> Entry:
    started = {
        "id": conversation_id, "assistant": "support", "key": None, "state": "open",
        "created_at": stamp(),
    }  # fmt: skip
    turn = {
        "id": new_id("turn"), "conversation_id": conversation_id, "position": 0, "content": "q",
        "role": Role.CUSTOMER, "created_at": stamp(), "status": TurnStatus.COMPLETE,
        "handed_over": False, **columns,
    }  # fmt: skip
    return Entry(conversation_id, (turn,), started=started)


def recorded(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(Turn.conversation_id)))


async def test_an_entry_that_no_database_takes_fails_alone(database: Database) -> None:
    recorder = Recorder(database)
    recorder.start()
    bad = question("conv_bad", prompt_tokens=2**70)
    waiting = [recorder.submit(e) for e in (question("conv_1"), bad, question("conv_2"))]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    await recorder.close()
    assert [isinstance(f, Exception) for f in found] == [False, True, False]
    assert recorded(database) == ["conv_1", "conv_2"]


@contextmanager
def away(*_: Any) -> Iterator[None]:
    raise StorageUnavailable("away")
    yield


async def test_a_disk_that_is_really_full_is_refused_and_the_recorder_lives(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(sqlite, spool=Spool(tmp_path / "spool", retry_seconds=0.1))
    recorder.start()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "write", away)
        patch.setattr(sqlite, "transaction", away)
        await recorder.record(question("conv_1"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
        try:
            with pytest.raises(StorageError):
                await recorder.record(question("conv_2", content="y" * 3000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        await recorder.record(question("conv_3"))
    await until(lambda: recorder.spooled == 0)
    await recorder.close()
    assert recorded(sqlite) == ["conv_1", "conv_3"]


async def test_turns_need_not_wait_until_a_long_journal_is_replayed(
    sqlite: Database, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", retry_seconds=0.1)
    spool.add([question(f"conv_{number:05}") for number in range(2000)])
    recorder = Recorder(sqlite, spool=spool)
    recorder.start()
    while_replaying = []
    async with asyncio.timeout(60):
        while recorder.spooled:
            while_replaying.append(recorder.spooled)
            await recorder.record(question(new_id("conv")))
    await recorder.close()
    assert len(while_replaying) > 3
    assert len(recorded(sqlite)) == 2000 + len(while_replaying)


async def test_a_locked_row_is_waited_for_as_long_as_set_and_no_longer(postgres: Database) -> None:
    patient = Database(postgres.url, lock_wait_seconds=0.3)
    recorder = Recorder(patient)
    recorder.start()
    await recorder.record(question("conv_1"))
    with postgres.write() as session:
        session.execute(select(Conversation).where(Conversation.id == "conv_1").with_for_update())
        turn = {**question("conv_1").turns[0], "position": None}
        with pytest.raises(StorageUnavailable):
            await recorder.record(Entry("conv_1", (turn,)))
        await recorder.record(question("conv_2"))
    await recorder.close()
    patient.close()
