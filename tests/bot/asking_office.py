"""An office whose bot can ask an engine: a scriptable one, in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from bot.settings import BotSettings
from bot.standin.people import Message, Person, text_of
from records import versions
from records.states import OutboxState
from records.tables import Conversation, OutboxMessage, Turn
from tests.bot.office import Office, first
from tests.stub_engine import StubEngine, add_version, publish_adapter

Q = "Where is my card?"
BOT = "<@U0STANDIN>"
_QUICK = {
    "ask_update_seconds": 0.02,
    "ask_wait_seconds": 5.0,
    "ask_seconds": 10.0,
}


@dataclass
class AskingOffice(Office):
    """An office with an engine; `quick` are settings of the bot's."""

    engine: StubEngine = field(default_factory=StubEngine)
    quick: dict[str, Any] = field(default_factory=lambda: dict(_QUICK))

    @property
    def bot_settings(self) -> BotSettings:
        return super().bot_settings.model_copy(
            update={"engine_urls": self.engine.url, **self.quick}
        )

    @asynccontextmanager
    async def open(self, **changes: Any) -> AsyncIterator["Office"]:
        """Slack, the engine and the bot, running."""
        async with self.engine, super().open(**changes):
            yield self

    def add_version(self, *, seed: int = 1) -> str:
        """A trained version that the engine can prove; returns its id."""
        name = publish_adapter(self.artifacts, self.assistant, seed=seed)
        return add_version(self.database, self.assistant, name)

    def promote(self, version: str) -> None:
        with self.database.write() as session:
            versions.promote(session, version, actor="U0OPS", without_evidence=True)

    async def shown_row(self) -> OutboxMessage:
        """What is noted of the one answer, once that stands in Slack."""
        async with asyncio.timeout(10):
            while True:
                rows = self.rows("turn_added")
                if rows and rows[0].state is OutboxState.SENT:
                    return rows[0]
                await asyncio.sleep(0.01)

    def trial_turns(self) -> list[Turn]:
        """What colleagues and versions said, by conversation."""
        with self.database.read() as session:
            query = select(Turn).join(Conversation).where(Conversation.trial)
            return list(session.scalars(query.order_by(Conversation.id, Turn.position)))


def asking_office(office: Office) -> AskingOffice:
    """The same office with an engine."""
    return AskingOffice(office.database, office.assistant, office.artifacts, office.home)


async def answered(
    person: Person, channel: str, ts: str, words: str, *, ended: bool = True
) -> Message:
    """The message in a thread that says something, once it has ended."""

    async def look() -> Message | None:
        return first(await person.thread(channel, ts), _saying(words, ended=ended))

    return await person.wait_for(look)


def _saying(words: str, *, ended: bool) -> Callable[[Message], bool]:
    def wanted(message: Message) -> bool:
        growing = message.get("streaming") == "in_progress"
        return words in plain(message) and message.get("bot_id") is not None and growing != ended

    return wanted


def plain(message: Message) -> str:
    """A message's words without what takes away their effect."""
    return text_of(message).replace("\u2060", "")
