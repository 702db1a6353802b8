"""Events are kept before they are acknowledged, worked on in order, and lost by nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.incoming import inbox as inbox_module
from bot.incoming.aside import put_aside, take_back
from bot.incoming.inbox import Inbox, Outcome, lane_of
from bot.incoming.journal import Event, Journal
from records.database import Database
from records.errors import Overloaded, StorageUnavailable
from records.tables import SlackEvent


def event(number: int, *, channel: str = "C1", **more: Any) -> Event:
    about = {"type": "message", "channel": channel, "ts": "1.0", "text": f"word {number}", **more}
    return {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{number}", "event": about}


class Worker:
    """Notes what it is given; `outcomes` says what becomes of it, `open` lets it begin."""

    def __init__(self, outcomes: Callable[[Event, int], Outcome] | None = None) -> None:
        self.seen: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self._outcomes = outcomes
        self._changed = asyncio.Condition()

    async def __call__(self, body: Event) -> Outcome:
        await self.open.wait()
        async with self._changed:
            self.seen.append(body["event_id"])
            self._changed.notify_all()
        times = self.seen.count(body["event_id"])
        return self._outcomes(body, times) if self._outcomes else Outcome.DONE

    async def has_seen(self, number: int) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.seen) >= number)


@asynccontextmanager
async def opened(folder: Path, work: Worker, **changes: Any) -> AsyncIterator[Inbox]:
    inbox = Inbox(folder, work, **changes)
    await inbox.open()
    try:
        yield inbox
    finally:
        await inbox.close(seconds=2)


async def test_events_of_a_thread_are_worked_on_in_the_order_in_which_they_came(
    tmp_path: Path,
) -> None:
    worker = Worker()
    async with opened(tmp_path, worker) as inbox:
        for number in range(50):
            await inbox.receive(event(number))
        await worker.has_seen(50)
    assert worker.seen == [f"Ev{number}" for number in range(50)]


async def test_an_event_that_waits_keeps_those_of_its_own_thread_only(tmp_path: Path) -> None:
    def stuck(body: Event, times: int) -> Outcome:
        is_stuck = body["event"]["channel"] == "C1" and times < 3
        return Outcome.LATER if is_stuck else Outcome.DONE

    worker = Worker(stuck)
    async with opened(tmp_path, worker) as inbox:
        await inbox.receive(event(1))
        await inbox.receive(event(2))
        await inbox.receive(event(3, channel="C2"))
        await worker.has_seen(5)
    assert worker.seen.index("Ev3") < worker.seen.index("Ev2")
    assert [e for e in worker.seen if e != "Ev3"] == ["Ev1", "Ev1", "Ev1", "Ev2"]


async def test_what_a_stopped_bot_left_is_worked_on_by_the_next_in_order(tmp_path: Path) -> None:
    closed = Worker()
    closed.open.clear()
    inbox = Inbox(tmp_path, closed)
    await inbox.open()
    for number in range(5):
        await inbox.receive(event(number))
    await inbox.close(seconds=0)
    worker = Worker()
    async with opened(tmp_path, worker):
        await worker.has_seen(5)
    assert worker.seen == [f"Ev{number}" for number in range(5)]
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - one call, at the end


async def test_an_event_that_is_delivered_again_while_it_waits_is_worked_on_once(
    tmp_path: Path,
) -> None:
    worker = Worker()
    worker.open.clear()
    async with opened(tmp_path, worker) as inbox:
        await asyncio.gather(*(inbox.receive(event(1)) for _ in range(5)))
        assert inbox.size == 1
        worker.open.set()
        await worker.has_seen(1)
    assert worker.seen == ["Ev1"]


async def test_too_many_waiting_events_are_left_to_slack(tmp_path: Path) -> None:
    worker = Worker()
    worker.open.clear()
    async with opened(tmp_path, worker, most_waiting=3) as inbox:
        for number in range(3):
            await inbox.receive(event(number))
        with pytest.raises(Overloaded):
            await inbox.receive(event(4))
        worker.open.set()
        await worker.has_seen(3)


async def test_what_cannot_be_kept_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    worker = Worker()
    async with opened(tmp_path, worker) as inbox:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(Exception, match="No space left"):
                await inbox.receive(event(1))
        await inbox.receive(event(2))
        await worker.has_seen(1)
    assert worker.seen == ["Ev2"]


async def test_an_event_that_breaks_its_listener_is_put_aside_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.incoming.inbox._SHORTEST_WAIT_SECONDS", 0.0)
    worker = Worker(lambda body, _: Outcome.BROKEN if body["event_id"] == "Ev1" else Outcome.DONE)
    async with opened(tmp_path, worker) as inbox:
        await inbox.receive(event(1))
        await inbox.receive(event(2))
        await worker.has_seen(13)
    assert worker.seen == ["Ev1"] * 12 + ["Ev2"]
    assert json.loads((tmp_path / "put-aside.json-lines").read_text().strip())["event_id"] == "Ev1"


async def test_what_was_put_aside_is_tried_again_when_a_bot_starts(tmp_path: Path) -> None:
    (tmp_path / "put-aside.json-lines").write_text(json.dumps(event(1)) + "\n{cut off")
    worker = Worker()
    async with opened(tmp_path, worker):
        await worker.has_seen(1)
    assert worker.seen == ["Ev1"]
    assert not (tmp_path / "put-aside.json-lines").exists()


async def test_a_thread_goes_on_once_there_is_room_to_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.incoming.inbox._LONGEST_WAIT_SECONDS", 0.0)
    full, append = [True], inbox_module.put_aside

    def sometimes_full(path: Path, body: Event) -> None:
        if full:
            full.pop()
            raise OSError(28, "No space left on device")
        append(path, body)

    monkeypatch.setattr(inbox_module, "put_aside", sometimes_full)
    worker = Worker(lambda body, _: Outcome.BROKEN if body["event_id"] == "Ev1" else Outcome.DONE)
    async with opened(tmp_path, worker) as inbox:
        await inbox.receive(event(1))
        await inbox.receive(event(2))
        await worker.has_seen(14)
        assert inbox.put_aside == 1
    assert worker.seen == ["Ev1"] * 13 + ["Ev2"]


async def test_what_is_held_is_worked_on_by_the_next_bot_only(tmp_path: Path) -> None:
    first, second = Worker(), Worker()
    inbox = Inbox(tmp_path, first)
    await inbox.open()
    await inbox.hold(event(1))
    await inbox.hold(event(2))
    await inbox.hold(event(3))
    inbox.settle(event(2))
    inbox.resume(event(3))
    await first.has_seen(1)
    await inbox.close(seconds=2)
    async with opened(tmp_path, second):
        await second.has_seen(1)
    assert (first.seen, second.seen) == (["Ev3"], ["Ev1"])


def test_a_journal_in_which_much_waits_is_not_written_anew_for_each_event(tmp_path: Path) -> None:
    journal = Journal(tmp_path, roomy_bytes=1000)
    names = set()
    for number in range(500):
        journal.append([event(number)])
        names.add(next(tmp_path.glob("*.jsonl")).name)
    assert len(names) < 12
    journal.append([], done=[f"Ev{number}" for number in range(500)])
    journal.close()
    assert list(tmp_path.glob("*.jsonl")) == []


async def test_a_bot_that_has_not_opened_its_journal_acknowledges_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        await Inbox(tmp_path, Worker()).receive(event(1))


def test_two_bots_on_one_machine_keep_their_own_and_take_over_only_from_the_dead(
    tmp_path: Path,
) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    first.append([event(1)])
    assert second.left_behind() == []
    first.close()  # its lock ends as with its process
    assert [e["event_id"] for e in second.left_behind()] == ["Ev1"]
    assert second.left_behind() == []
    second.close()


def test_a_line_that_a_crash_cut_off_is_left_out(tmp_path: Path) -> None:
    dead = Journal(tmp_path)
    dead.append([event(1), event(2)])
    dead.append([], done=["Ev1"])
    dead.close()
    (path,) = tmp_path.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"event":{"event_id":"Ev3","ev')
    live = Journal(tmp_path)
    assert [e["event_id"] for e in live.left_behind()] == ["Ev2"]
    live.close()


def test_a_journal_that_is_never_empty_does_not_grow_for_ever(tmp_path: Path) -> None:
    journal = Journal(tmp_path, roomy_bytes=2_000)
    for number in range(200):
        journal.append([event(number)], done=[f"Ev{number - 1}"] if number else [])
    (path,) = tmp_path.glob("*.jsonl")
    assert path.stat().st_size < 4_000
    journal.close()
    heir = Journal(tmp_path)
    assert [e["event_id"] for e in heir.left_behind()] == ["Ev199"]
    heir.close()


def test_what_happens_in_one_thread_is_one_lane() -> None:
    written = {"ts": "2.0", "thread_ts": "1.0"}
    edited = {"subtype": "message_changed", "ts": "3.0", "message": written}
    deleted = {"subtype": "message_deleted", "ts": "4.0", "previous_message": written}
    lanes = {lane_of(event(1, **more)) for more in (written, edited, deleted)}
    item = {"type": "message", "channel": "C1", "ts": "1.0"}
    reacted = {"event": {"type": "reaction_added", "item": item, "user": "U1"}, "team_id": "T1"}
    assert lanes | {lane_of(reacted)} == {"T1:C1:1.0"}


BOT = """
import asyncio, sys
from pathlib import Path
from bot.incoming.deliveries import first_time
from bot.incoming.aside import put_aside, take_back
from bot.incoming.inbox import Inbox, Outcome
from records.database import Database
from records.tables import SlackEvent

folder, url, start = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
database = Database(url)

def note(body):
    with database.write() as session:
        if first_time(session, body["event_id"]):
            session.add(SlackEvent(id="done:" + body["event_id"]))

async def work(body):
    await asyncio.to_thread(note, body)
    return Outcome.DONE

async def main():
    inbox = Inbox(folder, work)
    await inbox.open()
    if start < 0:
        while inbox.size:
            await asyncio.sleep(0.01)
        return await inbox.close(seconds=5)
    for number in range(start, start + 100_000):
        body = {"event_id": f"Ev{number}", "event": {"channel": f"C{number % 3}", "ts": "1.0"}}
        await inbox.receive(body)
        print(number, flush=True)

asyncio.run(main())
"""


def run_bot(folder: Path, url: str, start: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", BOT, str(folder), url, str(start)]
    return subprocess.Popen(command, stdin=-1, stdout=-1, text=True)


def test_kills_lose_and_double_no_event_that_was_acknowledged(
    tmp_path: Path, sqlite: Database
) -> None:
    acknowledged = []
    for life in range(4):
        bot = run_bot(tmp_path / "inbox", sqlite.url, life * 1_000)
        assert bot.stdout is not None
        acknowledged += [int(bot.stdout.readline()) for _ in range(20 + 7 * life)]
        bot.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in bot.stdout.read().splitlines() if line.isdecimal()]
        bot.communicate()
    last = run_bot(tmp_path / "inbox", sqlite.url, -1)
    last.communicate(timeout=30)
    with sqlite.read() as session:
        noted = [row.id for row in session.query(SlackEvent) if row.id.startswith("done:")]
    assert len(noted) == len(set(noted))
    assert {f"done:Ev{number}" for number in acknowledged} <= set(noted)


def left(folder: Path, name: str, *events: Event) -> None:
    """What a process left behind that died."""
    lines = "".join(json.dumps({"event": one}) + "\n" for one in events)
    (folder / f"{name}.jsonl").write_text(lines)


async def test_what_was_taken_over_is_worked_on_though_the_disk_is_full_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(tmp_path, "a", event(1))
    left(tmp_path, "b", event(2))
    real, calls = os.fsync, iter(range(100))

    def full_soon(descriptor: int) -> None:
        if next(calls) >= 2:  # the folder and the first
            raise OSError(28, "No space left on device")
        real(descriptor)

    worker = Worker()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_soon)
        async with opened(tmp_path, worker) as inbox:
            await worker.has_seen(1)
            assert inbox.size <= 1
    async with opened(tmp_path, worker):
        await worker.has_seen(2)
    assert worker.seen == ["Ev1", "Ev2"]


async def test_what_several_left_behind_is_worked_on_by_slacks_time_though_a_clock_was_wrong(
    tmp_path: Path,
) -> None:
    later, sooner = event(2, event_ts="2.0", thread_ts="1.0"), event(1, ts="1.5", thread_ts="1.0")
    left(tmp_path, "a", later)
    left(tmp_path, "b", sooner)
    worker = Worker()
    async with opened(tmp_path, worker):
        await worker.has_seen(2)
    assert worker.seen == ["Ev1", "Ev2"]


async def test_an_event_put_aside_behind_a_line_that_a_full_disk_cut_off_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.incoming.inbox._SHORTEST_WAIT_SECONDS", 0.0)
    worker = Worker(lambda _, times: Outcome.BROKEN if times < 13 else Outcome.DONE)
    async with opened(tmp_path, worker) as inbox:
        (tmp_path / "put-aside.json-lines").write_text('{"event_id": "Ev1", "ev')
        await inbox.receive(event(1))
        await inbox.receive(event(2))
        await worker.has_seen(24)
    async with opened(tmp_path, worker):
        await worker.has_seen(26)
    assert sorted(worker.seen[24:]) == ["Ev1", "Ev2"]


def test_an_event_put_aside_while_another_bot_starts_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "put-aside"
    put_aside(path, event(1))
    beside = threading.Thread(target=put_aside, args=(path, event(2)))

    def keep(_: list[Event]) -> None:
        beside.start()
        beside.join(0.05)  # it waits, or it is done already

    assert [one["event_id"] for one in take_back(path, keep=keep)] == ["Ev1"]
    beside.join()
    assert [one["event_id"] for one in take_back(path, keep=lambda _: None)] == ["Ev2"]
