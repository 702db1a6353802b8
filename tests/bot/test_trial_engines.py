"""A version is loaded where there is room, proved before it is asked, and never in place of one
that serves."""

from collections.abc import AsyncIterator

import pytest

from bot.asking.trial_engines import TrialEngines
from bot.desk import Desk
from records import shadows, versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import AdapterNotApplied, AdapterTampered, Conflict, EngineUnavailable
from records.tables import Version
from tests.conftest import install
from tests.stub_engine import StubEngine, add_version, publish_adapter


class Shelf:
    """An assistant with versions, an engine with room for few of them, and what asks it."""

    def __init__(
        self, database: Database, assistant: Assistant, artifacts: Artifacts, engine: StubEngine
    ) -> None:
        options = assistant.engine.model_copy(update={"max_cpu_loras": 2})
        self.assistant = assistant.model_copy(update={"engine": options})
        self.database, self.artifacts, self.engine = database, artifacts, engine
        self.desk = Desk(database, {assistant.name: self.assistant}, artifacts)
        self.now = 0.0
        self.engines = TrialEngines([engine.url], self.desk, clock=lambda: self.now)

    def add(self, seed: int) -> str:
        name = publish_adapter(self.artifacts, self.assistant, seed=seed)
        return add_version(self.database, self.assistant, name)

    def promote(self, version: str) -> None:
        with self.database.write() as session:
            versions.promote(session, version, actor="U0OPS", without_evidence=True)

    def version(self, name: str) -> Version:
        with self.database.read() as session:
            return versions.get(session, name)

    async def use(self, name: str) -> str:
        async with self.engines.ready(self.assistant, self.version(name)) as engine:
            self.now += 1.0
            return engine.url


@pytest.fixture
async def shelf(
    sqlite: Database, assistant: Assistant, artifacts: Artifacts
) -> AsyncIterator[Shelf]:
    install(sqlite, assistant)
    async with StubEngine() as engine:
        yield Shelf(sqlite, assistant, artifacts, engine)


async def test_the_bare_base_needs_no_loading(shelf: Shelf) -> None:
    assert await shelf.use("support-base") == shelf.engine.url
    assert shelf.engine.loaded == {}


async def test_what_was_tried_longest_ago_makes_room(shelf: Shelf) -> None:
    first, second, third = (shelf.add(seed) for seed in (1, 2, 3))
    for name in (first, second, first):
        await shelf.use(name)
    await shelf.use(third)
    assert set(shelf.engine.loaded) == {first, third}
    assert shelf.engine.most_loaded == 2


async def test_what_serves_or_may_serve_at_once_is_never_unloaded(shelf: Shelf) -> None:
    champion, shadow, wanted = (shelf.add(seed) for seed in (1, 2, 3))
    shelf.promote(champion)
    with shelf.database.write() as session:
        shadows.start(session, shadow, 0.5, actor="U0OPS")
    for name in (champion, shadow):
        await shelf.use(name)
    with pytest.raises(Conflict, match="no room for"):
        await shelf.use(wanted)
    assert set(shelf.engine.loaded) == {champion, shadow}


async def test_an_answer_in_the_making_keeps_its_version(shelf: Shelf) -> None:
    first, second, third = (shelf.add(seed) for seed in (1, 2, 3))
    async with shelf.engines.ready(shelf.assistant, shelf.version(first)):
        await shelf.use(second)
        await shelf.use(third)
        assert set(shelf.engine.loaded) == {first, third}


async def test_a_version_that_served_once_goes_after_those_that_never_did(shelf: Shelf) -> None:
    earlier, tried, wanted = (shelf.add(seed) for seed in (1, 2, 3))
    for name in (earlier, "support-base"):
        shelf.promote(name)
    shelf.promote(wanted)  # now `earlier` is the third back
    shelf.promote("support-base")
    await shelf.use(earlier)
    await shelf.use(tried)
    fourth = shelf.add(4)
    await shelf.use(fourth)
    assert set(shelf.engine.loaded) == {earlier, fourth}


async def test_a_proof_is_trusted_for_a_while_and_not_after_the_engine_lost_the_version(
    shelf: Shelf,
) -> None:
    name = shelf.add(1)
    await shelf.use(name)
    shelf.engine.not_applied.add(name)
    await shelf.use(name)
    shelf.engine.loaded.clear()
    with pytest.raises(AdapterNotApplied):
        await shelf.use(name)
    shelf.engine.not_applied.clear()
    await shelf.use(name)
    shelf.engine.not_applied.add(name)
    shelf.now += 1000
    with pytest.raises(AdapterNotApplied):
        await shelf.use(name)


async def test_an_adapter_that_was_changed_is_not_asked(shelf: Shelf) -> None:
    name = shelf.add(1)
    folder = shelf.artifacts.fetch(f"adapters/{name}")
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(AdapterTampered):
        await shelf.use(name)
    assert shelf.engine.loaded == {}


async def test_without_an_engine_or_its_base_it_is_said_what_to_do(shelf: Shelf) -> None:
    other = shelf.assistant.model_copy(update={"name": "writer"})
    with pytest.raises(EngineUnavailable, match="No engine serves the base model of writer"):
        async with shelf.engines.ready(other, shelf.version("support-base")):
            pass
    await shelf.engine.stop()
    with pytest.raises(EngineUnavailable, match="understudy up"):
        await shelf.use("support-base")
