"""A support team's office for tests: the real bot and the stand-in for Slack, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, web
from pydantic import SecretStr
from sqlalchemy import delete, select, text

from bot.desk import Desk
from bot.process import Bot
from bot.settings import BotSettings
from bot.standin.people import Message, Person, buttons_of, text_of
from bot.standin.server import create_standin
from bot.standin.settings import StandinSettings
from records import conversations, escalations
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.conversations import Arrival
from records.database import Database
from records.messages import Role
from records.states import EscalationReason, OutboxState
from records.tables import OutboxMessage, SlackEvent, Turn
from tests.conftest import free_port

Found = TypeVar("Found")

CHANNEL = "support"
QUESTION = "Where is my card?"
ANSWER = "Cards take a year."


@dataclass
class Office:
    """Where the parts are, and who works there."""

    database: Database
    assistant: Assistant
    artifacts: Artifacts
    home: Path
    bot_port: int = field(default_factory=free_port)
    slack_port: int = field(default_factory=free_port)
    messages_per_second: float = 500.0
    channels: Sequence[str] = (CHANNEL,)
    running: Desk = field(init=False)
    """What the bot that runs works with."""

    @property
    def desk(self) -> Desk:
        return Desk(self.database, {self.assistant.name: self.assistant}, self.artifacts)

    @property
    def bot_settings(self) -> BotSettings:
        return BotSettings(
            home=self.home,
            slack_bot_token=SecretStr("xoxb-standin"),
            slack_signing_secret=SecretStr("standin"),
            slack_app_token=SecretStr(""),
            slack_api_url=f"http://127.0.0.1:{self.slack_port}/api/",
            bot_port=self.bot_port,
            slack_messages_per_second=self.messages_per_second,
            job_update_seconds=0.2,
            outbox_poll_seconds=0.03,
            round_seconds=0.1,
            slack_call_seconds=0.0,
        )

    def slack_settings(self, **changes: Any) -> StandinSettings:
        given = {
            "home": self.home,
            "slack_bot_token": SecretStr("xoxb-standin"),
            "slack_app_token": SecretStr("xapp-standin"),
            "slack_signing_secret": SecretStr("standin"),
            "standin_port": self.slack_port,
            "standin_bot_url": f"http://127.0.0.1:{self.bot_port}/slack/events",
            "standin_messages_per_second": self.messages_per_second,
            "standin_retry_seconds": (0.0, 0.1, 0.2),
        }
        return StandinSettings(**{**given, **changes})

    def person(self, user_id: str) -> Person:
        return Person(user_id, f"http://127.0.0.1:{self.slack_port}")

    @asynccontextmanager
    async def slack(self, **changes: Any) -> AsyncIterator[None]:
        settings = self.slack_settings(**changes)
        runner = web.AppRunner(create_standin(settings, list(self.channels)), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.slack_port).start()
        try:
            yield
        finally:
            await runner.cleanup()

    @asynccontextmanager
    async def open(self, **changes: Any) -> AsyncIterator["Office"]:
        """Slack and the bot, running."""
        self.running = self.desk
        async with self.slack(**changes), Bot(self.bot_settings, self.running):
            yield self

    def ask(self, question: str = QUESTION, answer: str = ANSWER, *, key: str = "c-1") -> list[str]:
        """A customer asks and the assistant answers; the ids of both turns."""
        with self.database.write() as session:
            arrival = Arrival(
                assistant=self.assistant.name,
                conversation_id=f"conv_{key}",
                content=question,
                key=key,
                customer="customer-7",
                version="support-base",
            )
            asked = conversations.receive(session, arrival)
            said = conversations.add_turn(
                session,
                Turn(
                    conversation_id=arrival.conversation_id,
                    role=Role.ASSISTANT,
                    content=answer,
                    version="support-base",
                ),
            )
            return [asked.id, said.id]

    def escalate(self, turn_id: str) -> str:
        with self.database.write() as session:
            turn = conversations.turn(session, turn_id)
            return escalations.escalate(
                session,
                turn.conversation_id,
                reason=EscalationReason.MODEL,
                cause="said [handoff]",
                turn_id=turn_id,
            ).id

    def escalated(self, *, key: str = "c-1") -> tuple[str, str]:
        """A conversation that waits for a person: escalation and the assistant's turn."""
        _, answer = self.ask(key=key)
        return self.escalate(answer), answer

    async def taken_by(self, agent: Person, *, channel: str = CHANNEL) -> Message:
        """The card of the one conversation that waits, once this agent has taken it over."""
        card = await found(agent, offering("take_over"), channel=channel)
        await agent.click(channel, card["ts"], "take_over")
        words = f"<@{agent.user_id}> speaks with the customer"
        return await found(agent, saying(words), channel=channel)

    async def said(self, ts: str) -> Turn:
        """The turn that an agent's message became, as soon as it is recorded."""

        def look() -> Turn | None:
            with self.database.read() as session:
                query = select(Turn).where(Turn.source_key.endswith(f":{ts}"))
                return session.scalars(query).one_or_none()

        return await _until(look)

    async def settled(self, event_id: str) -> None:
        """Return when an event's work is done."""

        def look() -> bool:
            with self.database.read() as session:
                return session.get(SlackEvent, event_id) is not None

        await _until(look)

    async def forgets(self, event_id: str) -> None:
        """Take an event's work for undone, once it is done: Slack may tell of it again."""
        await self.settled(event_id)
        with self.database.write() as session:
            session.execute(delete(SlackEvent))

    async def all_sent(self) -> None:
        """Return when nothing waits to be shown in Slack."""
        waiting = (OutboxState.PENDING, OutboxState.SENDING)
        await _until(lambda: not any(row.state in waiting for row in self.rows()))

    async def downloaded(self, file: dict[str, Any]) -> str:
        """What stands in a file that was shared, as people's own Slack shows it."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with (
            ClientSession(headers=headers) as session,
            session.get(file["url_private"]) as response,
        ):
            assert response.status == 200
            return await response.text()

    def rows(self, *kinds: str) -> list[OutboxMessage]:
        with self.database.read() as session:
            query = select(OutboxMessage).order_by(OutboxMessage.id)
            found = session.scalars(query.where(OutboxMessage.kind.in_(kinds)) if kinds else query)
            return list(found)

    def turns(self, key: str = "c-1") -> list[Turn]:
        with self.database.read() as session:
            return conversations.history(session, f"conv_{key}")


@contextmanager
def held(database: Database, office: Database) -> Iterator[None]:
    """Nobody else can write here, and who works in the office learns it soon.

    Before and after that they wait as long as they do everywhere: on a busy machine writers are in
    each other's way for longer than a test wants to wait.
    """
    usual = office.lock_wait_seconds
    with database.write() as session:
        session.execute(text("SELECT 1"))
        office.lock_wait_seconds = 0.05
        try:
            yield
        finally:
            office.lock_wait_seconds = usual


async def found(
    person: Person, wanted: Callable[[Message], Any], *, channel: str = CHANNEL
) -> Message:
    """The channel's first message that fits, waiting for it."""

    async def look() -> Message | None:
        return first(await person.messages(channel), wanted)

    return await person.wait_for(look)


async def found_in_thread(
    person: Person, ts: str, wanted: Callable[[Message], Any], *, channel: str = CHANNEL
) -> Message:
    """The first message under a card that fits, waiting for it."""

    async def look() -> Message | None:
        return first((await person.thread(channel, ts))[1:], wanted)

    return await person.wait_for(look)


async def opened_form(person: Person, words: str) -> dict[str, Any]:
    """The form that this person sees, as soon as it says this."""

    async def look() -> dict[str, Any] | None:
        view = await person.open_view()
        return view if view is not None and words in str(view) else None

    return await person.wait_for(look)


async def fill(person: Person, values: dict[str, Any]) -> dict[str, str]:
    """Wait for a form that can be sent, fill it in and send it; returns what it complains of."""

    async def look() -> bool:
        view = await person.open_view()
        return bool(view and view.get("submit"))

    await person.wait_for(look)
    return await person.submit(values)


async def _until(look: Callable[[], Found | None], *, seconds: float = 10) -> Found:
    """What `look` finds in the records, as soon as that is something."""
    async with asyncio.timeout(seconds):
        while True:
            seen = look()
            if seen:
                return seen
            await asyncio.sleep(0.01)


async def told(person: Person, words: str) -> Message:
    """What only this person was told, in whispers or in direct messages, waiting for it."""

    async def look() -> Message | None:
        whispered = first(await person.ephemerals(), saying(words))
        return whispered or await _direct(person, saying(words))

    return await person.wait_for(look)


async def _direct(person: Person, wanted: Callable[[Message], Any]) -> Message | None:
    for head in await person.messages(person.dm()):
        if found := first(await person.thread(person.dm(), head["ts"]), wanted):
            return found
    return None


def first(messages: Sequence[Message], wanted: Callable[[Message], Any]) -> Message | None:
    return next((m for m in messages if wanted(m)), None)


def saying(words: str) -> Callable[[Message], bool]:
    return lambda message: words in text_of(message)


def offering(action_id: str) -> Callable[[Message], bool]:
    return lambda message: action_id in buttons_of(message)
