"""What waits for the database is worked on in the order of Slack's clock, whatever came first."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.incoming.journal import Event
from tests.bot.test_inbox import Worker, opened


def written(number: int, *, at: int, thread: str = "1.000000", **more: Any) -> Event:
    ts = f"1795504295.{at:06d}"
    about = {"type": "message", "channel": "C1", "ts": ts, "thread_ts": thread, **more}
    return {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{number}", "event": about}


@pytest.mark.parametrize("seed", range(5))
async def test_messages_that_wait_together_are_taken_in_the_order_of_writing(
    tmp_path: Path, seed: int
) -> None:
    worker = Worker()
    worker.open.clear()
    later = [written(number, at=number) for number in range(1, 20)]
    Random(seed).shuffle(later)
    async with opened(tmp_path, worker) as inbox:
        await inbox.receive(written(0, at=500))  # it came first, and is being worked on
        for one in later:
            await inbox.receive(one)
        worker.open.set()
        await worker.has_seen(20)
    assert worker.seen == ["Ev0", *(f"Ev{number}" for number in range(1, 20))]


async def test_an_edit_stands_behind_what_was_written_before_it(tmp_path: Path) -> None:
    worker = Worker()
    worker.open.clear()
    edited = {"ts": "1795504295.000001", "thread_ts": "1.000000", "text": "b"}
    change = {"type": "message", "subtype": "message_changed", "channel": "C1", "message": edited}
    change |= {"ts": "1795504295.000009", "event_ts": "1795504295.000009"}
    async with opened(tmp_path, worker) as inbox:
        await inbox.receive(written(0, at=0))
        body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev9", "event": change}
        await inbox.receive(body)
        await asyncio.gather(*(inbox.receive(written(n, at=n)) for n in (5, 1)))
        worker.open.set()
        await worker.has_seen(4)
    assert worker.seen == ["Ev0", "Ev1", "Ev5", "Ev9"]
