"""The office that the bot's tests run in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from tests.bot.office import Office
from tests.conftest import install


@pytest.fixture
def closed_office(
    sqlite: Database, assistant: Assistant, artifacts: Artifacts, tmp_path: Path
) -> Office:
    """An office in which nothing runs yet."""
    install(sqlite, assistant)
    return Office(sqlite, assistant, artifacts, tmp_path)


@pytest.fixture
async def office(closed_office: Office) -> AsyncIterator[Office]:
    """An office at work."""
    async with closed_office.open():
        yield closed_office
