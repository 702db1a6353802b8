"""Several engines as one: who is asked, who is asked next, and what each keeps loaded."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.errors import EngineError, EngineRefused, EngineUnavailable
from records.proof import servable_of
from serving.fleet import Fleet, Limits
from serving.loading import Need, Want
from serving.upkeep import Base, Wanted
from tests.serving.running_gateway import until
from tests.stub_engine import Fault, StubEngine, publish_adapter

BODY = {"messages": [{"role": "user", "content": "hello"}]}
ANSWER = "support-base answers: hello"


@asynccontextmanager
async def fleet_of(
    *engines: StubEngine,
    artifacts: Artifacts,
    assistant: Assistant,
    most_adapters: int = 8,
    **limits: float,
) -> AsyncIterator[Fleet]:
    quick: dict[str, Any] = {
        "check": 0.05, "ready_wait": 2, "silence": 5, "answer": 10, "most_per_engine": 100,
    }  # fmt: skip
    base = Base(assistant.base_version, servable_of(assistant), most_adapters)
    fleet = Fleet(
        [engine.url for engine in engines],
        bases={assistant.name: base},
        artifacts=artifacts,
        limits=Limits(**{**quick, **limits}),
        on_refused=lambda version, url, error: None,
    )
    await fleet.start()
    try:
        yield fleet
    finally:
        await fleet.stop()


@pytest_asyncio.fixture
async def second() -> AsyncIterator[StubEngine]:
    async with StubEngine() as stub:
        yield stub


@pytest_asyncio.fixture
async def fleet(
    engine: StubEngine, second: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> AsyncIterator[Fleet]:
    async with fleet_of(engine, second, artifacts=artifacts, assistant=assistant) as found:
        yield found


async def streamed(fleet: Fleet, version: str = "support-base", **more: Any) -> str:
    return "".join(
        [
            choice["delta"].get("content") or ""
            async for events in fleet.events(version, BODY, **more)
            for event in events
            for choice in event["choices"]
        ]
    )


async def whole(fleet: Fleet, version: str = "support-base", **more: Any) -> str:
    completion = await fleet.chat(version, BODY, **more)
    return str(completion["choices"][0]["message"]["content"])


# --- who is asked ---


async def test_a_conversation_goes_to_one_engine(
    fleet: Fleet, engine: StubEngine, second: StubEngine
) -> None:
    for number in range(12):
        before = (len(engine.requests), len(second.requests))
        for _ in range(2):
            await whole(fleet, affinity=f"conv_{number}")
            await streamed(fleet, affinity=f"conv_{number}")
        asked = (len(engine.requests) - before[0], len(second.requests) - before[1])
        assert sorted(asked) == [0, 4]
    assert engine.requests
    assert second.requests


async def test_a_conversation_whose_engine_is_too_busy_goes_to_another(
    fleet: Fleet, engine: StubEngine, second: StubEngine
) -> None:
    for stub in (engine, second):
        stub.hold()
    asking = [asyncio.create_task(whole(fleet, affinity="conv_1")) for _ in range(16)]
    await until(lambda: len(engine.requests) + len(second.requests) == 16)
    busy = sorted(state["busy"] for state in fleet.state())
    assert (sum(busy), fleet.busy) == (16, 16)
    assert 0 < busy[1] - busy[0] <= 5
    for stub in (engine, second):
        stub.held.set()
    assert set(await asyncio.gather(*asking)) == {ANSWER}
    assert fleet.busy == 0


async def test_capacity_counts_the_engines_that_answer(fleet: Fleet, second: StubEngine) -> None:
    assert (fleet.healthy_engines, fleet.capacity) == (2, 200)
    await second.stop()
    await until(lambda: fleet.healthy_engines == 1)
    assert fleet.capacity == 100


# --- who is asked next ---


EARLY = [None, Fault.ERROR_500, Fault.DIE_AT_ONCE]


@pytest.mark.parametrize(
    ("ask", "fault"),
    [
        *((whole, fault) for fault in (*EARLY, Fault.DIE)),
        *((streamed, fault) for fault in (*EARLY, Fault.DIE_WORDLESS, Fault.HANG)),
    ],
)
async def test_an_engine_that_fails_before_the_first_word_is_replaced_by_another(
    engine: StubEngine,
    second: StubEngine,
    artifacts: Artifacts,
    assistant: Assistant,
    ask: Any,
    fault: Fault | None,
) -> None:
    async with fleet_of(
        engine, second, artifacts=artifacts, assistant=assistant, check=60, silence=0.3
    ) as fleet:
        if fault is None:
            await engine.stop()
        else:
            engine.fault = fault
        assert [await ask(fleet) for _ in range(3)] == [ANSWER] * 3
        assert len(second.requests) == 3
        assert len(engine.requests) <= 2


async def test_an_engine_that_dies_in_mid_answer_is_not_replaced(
    fleet: Fleet, engine: StubEngine, second: StubEngine
) -> None:
    engine.fault = second.fault = Fault.DIE
    said = ""
    with pytest.raises(EngineError):
        async for events in fleet.events("support-base", BODY):
            said += "".join(c["delta"].get("content") or "" for e in events for c in e["choices"])
    assert ANSWER.startswith(said)
    assert said
    assert len(engine.requests) + len(second.requests) == 1


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_a_request_that_is_at_fault_is_asked_once(
    fleet: Fleet, engine: StubEngine, second: StubEngine, ask: Any
) -> None:
    engine.fault = second.fault = Fault.ERROR_400
    with pytest.raises(EngineRefused):
        await ask(fleet)
    assert len(engine.requests) + len(second.requests) == 1


async def test_an_engine_that_failed_is_left_alone_for_a_while(
    fleet: Fleet, engine: StubEngine, second: StubEngine
) -> None:
    engine.fault = Fault.ERROR_500
    assert {await whole(fleet) for _ in range(20)} == {ANSWER}
    assert len(engine.requests) <= 2
    engine.fault, second.fault = Fault.NONE, Fault.ERROR_500
    assert {await whole(fleet) for _ in range(20)} == {ANSWER}  # it is asked where no other can be
    assert len(engine.requests) >= 20


async def test_where_every_engine_fails_each_is_asked_once(
    fleet: Fleet, engine: StubEngine, second: StubEngine
) -> None:
    engine.fault = second.fault = Fault.ERROR_500
    with pytest.raises(EngineUnavailable):
        await whole(fleet)
    assert (len(engine.requests), len(second.requests)) == (1, 1)


async def test_an_answers_time_is_one_however_many_engines_are_tried(
    engine: StubEngine, second: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> None:
    engine.fault = second.fault = Fault.HANG
    async with fleet_of(
        engine, second, artifacts=artifacts, assistant=assistant, answer=1, silence=0.7
    ) as fleet:
        began = time.monotonic()
        with pytest.raises(EngineUnavailable):
            await streamed(fleet)
        assert 0.9 < time.monotonic() - began < 1.3


# --- what an engine keeps loaded ---


class Shelf:
    """Adapters that were published, and what of them is wanted."""

    def __init__(self, fleet: Fleet, artifacts: Artifacts, assistant: Assistant) -> None:
        self.fleet, self.assistant = fleet, assistant
        self.names = [publish_adapter(artifacts, assistant, seed=n) for n in range(5)]

    def want(self, **needs: Collection[int]) -> None:
        wants = [
            Want(self.names[i], f"adapters/{self.names[i]}", Need[need.upper()])
            for need, numbers in needs.items()
            for i in numbers
        ]
        wanted = Wanted(tuple(wants), frozenset(self.names))
        self.fleet.want({self.assistant.name: wanted})

    async def ready(self, *numbers: int) -> None:
        await until(lambda: all(self.fleet.ready(self.names[i]) for i in numbers))


@asynccontextmanager
async def shelf_of(
    *engines: StubEngine, artifacts: Artifacts, assistant: Assistant, most: int
) -> AsyncIterator[Shelf]:
    async with fleet_of(
        *engines, artifacts=artifacts, assistant=assistant, most_adapters=most
    ) as fleet:
        yield Shelf(fleet, artifacts, assistant)


async def test_the_least_recently_used_adapter_makes_room(
    engine: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> None:
    async with shelf_of(engine, artifacts=artifacts, assistant=assistant, most=3) as shelf:
        shelf.want(champion=[0], earlier=[1, 2])
        await shelf.ready(0, 1, 2)
        await whole(shelf.fleet, shelf.names[2])
        await whole(shelf.fleet, shelf.names[1])
        shelf.want(champion=[0], tester=[3], earlier=[1, 2])
        await shelf.ready(3)
        assert set(engine.loaded) == {shelf.names[i] for i in (0, 1, 3)}
        assert not shelf.fleet.ready(shelf.names[2])
        assert engine.most_loaded == 3


async def test_an_adapter_with_requests_in_flight_is_drained_before_it_is_unloaded(
    engine: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> None:
    async with shelf_of(engine, artifacts=artifacts, assistant=assistant, most=2) as shelf:
        shelf.want(champion=[0], earlier=[1])
        await shelf.ready(0, 1)
        engine.hold()
        asking = asyncio.create_task(streamed(shelf.fleet, shelf.names[1]))
        await engine.waiting.wait()
        shelf.want(champion=[0], arm=[2])
        await until(lambda: shelf.fleet.state()[0]["draining"] == [shelf.names[1]])
        assert not shelf.fleet.ready(shelf.names[1])
        assert set(engine.loaded) == {shelf.names[0], shelf.names[1]}
        engine.held.set()
        assert await asking == f"{shelf.names[1]} answers: hello"
        await shelf.ready(2)
        assert set(engine.loaded) == {shelf.names[0], shelf.names[2]}
        assert engine.most_loaded == 2


async def test_what_is_wanted_again_while_it_drains_stays(
    engine: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> None:
    async with shelf_of(engine, artifacts=artifacts, assistant=assistant, most=1) as shelf:
        shelf.want(champion=[0])
        await shelf.ready(0)
        engine.hold()
        asking = asyncio.create_task(streamed(shelf.fleet, shelf.names[0]))
        await engine.waiting.wait()
        shelf.want(champion=[1])
        await until(lambda: shelf.fleet.state()[0]["draining"])
        shelf.want(champion=[0])
        await shelf.ready(0)
        engine.held.set()
        await asking
        assert set(engine.loaded) == {shelf.names[0]}


async def test_an_earlier_version_displaces_nothing(
    engine: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> None:
    async with shelf_of(engine, artifacts=artifacts, assistant=assistant, most=2) as shelf:
        shelf.want(champion=[0], tester=[1])
        await shelf.ready(0, 1)
        shelf.want(champion=[0], earlier=[2])
        shelf.want(champion=[0], earlier=[2], arm=[3])
        await shelf.ready(3)
        assert set(engine.loaded) == {shelf.names[0], shelf.names[3]}


async def test_every_engine_gets_what_is_wanted_and_one_that_restarts_gets_it_back(
    engine: StubEngine, second: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> None:
    async with shelf_of(engine, second, artifacts=artifacts, assistant=assistant, most=8) as shelf:
        shelf.want(champion=[0], standby=[1])
        wanted = {shelf.names[0], shelf.names[1]}
        await until(lambda: all(set(s["ready"]) >= wanted for s in shelf.fleet.state()))
        await second.stop()
        await until(lambda: shelf.fleet.healthy_engines == 1)
        assert await whole(shelf.fleet, shelf.names[0]) == f"{shelf.names[0]} answers: hello"
        await second.start()
        await until(lambda: all(set(s["ready"]) >= wanted for s in shelf.fleet.state()))


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_a_version_that_the_only_engine_has_forgotten_is_waited_for(
    engine: StubEngine, artifacts: Artifacts, assistant: Assistant, ask: Any
) -> None:
    async with shelf_of(engine, artifacts=artifacts, assistant=assistant, most=8) as shelf:
        shelf.want(champion=[0])
        await shelf.ready(0)
        engine.loaded.clear()
        assert await ask(shelf.fleet, shelf.names[0]) == f"{shelf.names[0]} answers: hello"


async def test_a_version_that_is_refused_is_not_waited_for(
    engine: StubEngine, artifacts: Artifacts, assistant: Assistant
) -> None:
    async with shelf_of(engine, artifacts=artifacts, assistant=assistant, most=8) as shelf:
        engine.not_applied.add(shelf.names[0])
        shelf.want(tester=[0])
        began = time.monotonic()
        with pytest.raises(EngineUnavailable):
            await shelf.fleet.until_ready(shelf.names[0])
        assert time.monotonic() - began < 1.5  # the longest wait is 2 s
        assert shelf.fleet.refused == {shelf.names[0]}
