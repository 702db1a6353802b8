"""A home with one assistant, and an engine that proves adapters."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.database import Database
from tests.tuning.build import BASE, write_assistant
from tests.tuning.engine import ProvingEngine
from tuning.settings import WorkerSettings


@pytest.fixture
def proving_engine() -> Iterator[ProvingEngine]:
    """An engine in a thread of its own, so that plain code can use it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    engine = ProvingEngine("support-base", base_model=str(BASE))
    asyncio.run_coroutine_threadsafe(engine.start(), loop).result(10)
    yield engine
    asyncio.run_coroutine_threadsafe(engine.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def settings(tmp_path: Path, proving_engine: ProvingEngine) -> WorkerSettings:
    """Settings of a worker whose state is this test's own."""
    return WorkerSettings(
        home=tmp_path,
        assistants=write_assistant(tmp_path / "assistants"),
        engine_urls=proving_engine.url,
        worker_poll_seconds=0.1,
        engine_wait_seconds=0.0,
    )


@pytest.fixture
def store(settings: WorkerSettings, migrated_sqlite: Path) -> Iterator[Database]:
    """The home's database."""
    shutil.copy(migrated_sqlite, settings.home / "understudy.db")
    database = Database(settings.database)
    yield database
    database.close()


@pytest.fixture
def shelf(settings: WorkerSettings) -> Artifacts:
    """The home's artifact store."""
    return Artifacts(settings.artifacts, cache=settings.home / "artifacts")
