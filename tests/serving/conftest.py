"""A gateway before a stub engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from tests.serving.running_gateway import Stack, running
from tests.stub_engine import StubEngine


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
