"""The office that the bot's tests run in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from tests.bot.browsing import chromium
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


@pytest.fixture
async def alone(closed_office: Office) -> AsyncIterator[Office]:
    """The stand-in for Slack without the bot, at Slack's own rates, for an app that may do all."""
    changes = {"standin_messages_per_second": 1.0, "standin_retry_seconds": ()}
    async with closed_office.slack(**changes, standin_is_loose=True):
        yield closed_office


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests of pages; they run in the session's loop."""
    async with chromium() as opened:
        yield opened
