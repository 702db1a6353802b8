"""A gateway before a stub engine."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from tests.serving.running_gateway import Stack, running
from tests.stub_engine import StubEngine


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to be copied: migrating anew takes longer than most tests here."""
    file = tmp_path_factory.mktemp("migrated") / "understudy.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return file


@pytest.fixture
def sqlite(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    file = shutil.copy(migrated, tmp_path / "understudy.db")
    database = Database(f"sqlite:///{file}")
    yield database
    database.close()


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[StubEngine]:
    async with StubEngine() as stub:
        yield stub


@pytest_asyncio.fixture
async def stack(
    tmp_path: Path,
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> AsyncIterator[Stack]:
    async with running(
        tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine
    ) as gateway:
        yield gateway
