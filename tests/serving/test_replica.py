"""What is believed of an engine, and for how long."""

import asyncio

import pytest

from records.errors import EngineUnavailable
from serving.replica import Replica


class Engine:
    """An engine that says what a test wants."""

    url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.alive = True
        self.names = ["base"]
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def healthy(self) -> bool:
        return self.alive

    async def models(self) -> list[str]:
        if not self.names:
            raise EngineUnavailable("gone")
        names = list(self.names)
        self.asked.set()
        await self.may_answer.wait()
        return names


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def replica(engine: Engine, clock: Clock) -> Replica:
    return Replica(engine, clock)  # type: ignore[arg-type]


async def test_an_engine_is_down_after_two_failed_checks_and_has_lost_everything(
    replica: Replica, engine: Engine
) -> None:
    engine.names = ["base", "v"]
    assert await replica.look()
    replica.has_loaded("v")
    engine.alive = False
    assert not await replica.look()
    assert replica.is_ready("v")
    assert await replica.look()
    assert not replica.healthy
    engine.alive = True
    assert await replica.look()
    assert replica.serves("v")
    assert not replica.is_ready("v")  # that it knows the name proves nothing


async def test_a_check_that_began_before_a_load_does_not_undo_it(
    replica: Replica, engine: Engine
) -> None:
    await replica.look()
    engine.asked.clear()
    engine.may_answer.clear()
    looking = asyncio.create_task(replica.look())
    await engine.asked.wait()
    replica.has_loaded("v")
    engine.may_answer.set()
    await looking
    assert replica.is_ready("v")
    await replica.look()
    assert not replica.is_ready("v")  # asked anew, the engine does not know it


def test_an_engine_that_fails_again_and_again_is_suspected_for_longer_each_time(
    replica: Replica, clock: Clock
) -> None:
    pauses = []
    for _ in range(8):
        replica.failed()
        pauses.append(replica.suspect_until - clock.now)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    replica.succeeded()
    assert replica.suspect_until == 0
    replica.failed()
    assert replica.suspect_until == clock.now + 1


def test_requests_are_counted_for_each_version(replica: Replica, clock: Clock) -> None:
    replica.begin("v")
    replica.begin("w")
    assert (replica.busy, replica.is_idle("v")) == (2, False)
    clock.now = 200.0
    replica.end("v")
    assert (replica.busy, replica.is_idle("v"), replica.is_idle("w")) == (1, True, False)
    assert replica.used_at == {"v": 200.0}


async def test_a_version_counts_as_used_when_it_is_first_seen(
    replica: Replica, engine: Engine, clock: Clock
) -> None:
    engine.names = ["base", "v"]
    await replica.look()
    clock.now = 300.0
    await replica.look()
    assert replica.used_at["v"] == 100.0
