"""The office that is photographed: the real bot, the stand-in for Slack and a pretended engine.

All run in this process, on free ports, with a home folder that is thrown away.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from bot.desk import Desk
from bot.process import Bot, quiet_libraries
from bot.settings import BotSettings
from bot.standin.people import Message, Person, buttons_of, text_of
from bot.standin.server import create_standin
from bot.standin.settings import StandinSettings
from deploy.demo.pictures.bank import Bank
from deploy.demo.pictures.engine import PretendedEngine
from deploy.demo.queries import ASSISTANT, load_policy, load_queries
from records import outbox, versions
from records.artifacts import Artifacts
from records.assistant import Assistant, read_assistant
from records.database import Database

CHANNEL = "support"
_MESSAGES_PER_SECOND = 200.0
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Office:
    """Where everything is."""

    assistant: Assistant
    database: Database
    artifacts: Artifacts
    bank: Bank
    engine_url: str
    slack_url: str

    def person(self, user: str) -> Person:
        """One of the team."""
        return Person(user, self.slack_url)

    async def message(
        self,
        wanted: Callable[[Message], bool],
        *,
        thread: str | None = None,
        channel: str = CHANNEL,
    ) -> Message:
        """The newest message that fits, in the channel or under a thread's head, once there."""
        onlooker = self.person("U0FAY")

        async def look() -> Message | None:
            found = (
                (await onlooker.thread(channel, thread))[1:]
                if thread
                else await onlooker.messages(channel)
            )
            return next((m for m in reversed(found) if wanted(m)), None)

        return await onlooker.wait_for(look, timeout=_PATIENCE_SECONDS)

    async def all_sent(self) -> None:
        """Return when nothing waits to be shown in Slack."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                if not await asyncio.to_thread(self._waits):
                    return
                await asyncio.sleep(0.05)

    def _waits(self) -> bool:
        with self.database.read() as session:
            return bool(outbox.waiting(session))


def offering(action: str, *words: str) -> Callable[[Message], bool]:
    """Whether a message has a button and says all this."""
    return lambda m: action in buttons_of(m) and saying(*words)(m)


def about(subject: str, *words: str) -> Callable[[Message], bool]:
    """Whether a message is what the bot posted about something, and says all this."""
    return lambda m: subject in str(m.get("metadata")) and saying(*words)(m)


def saying(*words: str) -> Callable[[Message], bool]:
    """Whether a message says all this."""
    return lambda m: all(word in text_of(m) for word in words)


@asynccontextmanager
async def open_office(home: Path) -> AsyncIterator[Office]:
    """Start everything, and stop it at the end."""
    quiet_libraries()
    assistant = read_assistant(ASSISTANT)
    database = Database(f"sqlite:///{home / 'understudy.db'}")
    database.migrate()
    with database.write() as session:
        versions.install_base(session, versions.bare(assistant))
    bank = Bank(load_policy(), load_queries(), assistant.base_version)
    artifacts = Artifacts(str(home / "artifacts"), cache=home / "cache")
    desk = Desk(database, {assistant.name: assistant}, artifacts)
    slack_port, bot_port, engine_port = _free_port(), _free_port(), _free_port()
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(PretendedEngine(bank, engine_port))
        await stack.enter_async_context(_slack(home, slack_port, bot_port))
        settings = _bot_settings(home, slack_port, bot_port, engine.url)
        await stack.enter_async_context(Bot(settings, desk))
        slack_url = f"http://127.0.0.1:{slack_port}"
        yield Office(assistant, database, artifacts, bank, engine.url, slack_url)
    database.close()


@asynccontextmanager
async def _slack(home: Path, port: int, bot_port: int) -> AsyncIterator[None]:
    settings = StandinSettings(
        home=home,
        standin_port=port,
        bot_port=bot_port,
        standin_messages_per_second=_MESSAGES_PER_SECOND,
    )
    runner = web.AppRunner(create_standin(settings, [CHANNEL, "general"]), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _bot_settings(home: Path, slack_port: int, bot_port: int, engine: str) -> BotSettings:
    return BotSettings(
        home=home,
        slack_bot_token=SecretStr("xoxb-standin"),
        slack_signing_secret=SecretStr("standin"),
        slack_app_token=SecretStr(""),
        slack_api_url=f"http://127.0.0.1:{slack_port}/api/",
        bot_port=bot_port,
        engine_urls=engine,
        slack_messages_per_second=_MESSAGES_PER_SECOND,
        job_update_seconds=0.2,
        outbox_poll_seconds=0.05,
        round_seconds=0.5,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
