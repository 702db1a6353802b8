"""A support team's day: agents who work through escalations while Slack and the bot misbehave.

Each agent does what a person does when something does not answer: looks again, presses again.
What a person cannot know is left to the bot: whether a press that failed was taken in.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

from bot.standin.people import ActRefused, Message, Person, buttons_of, text_of
from tests.bot.office import CHANNEL, Office

_PATIENCE_SECONDS = 60.0
_LONGEST_DAY_SECONDS = 1200.0


@dataclass
class Bot:
    """The bot as a process of its own, which may be killed."""

    office: Office
    process: asyncio.subprocess.Process | None = None
    kills: int = 0

    async def start(self) -> None:
        """Start it; it is up when its /health says so."""
        office, settings = self.office, self.office.bot_settings
        folder = office.home / "assistants"
        folder.mkdir(exist_ok=True)
        described = office.assistant.model_dump(mode="json", exclude_defaults=True)
        (folder / "support.yaml").write_text(yaml.safe_dump(described))
        environment = {
            **os.environ,
            "UNDERSTUDY_HOME": str(office.home),
            "UNDERSTUDY_DATABASE_URL": office.database.url,
            "UNDERSTUDY_ASSISTANTS": str(folder),
            "UNDERSTUDY_BOT_PORT": str(office.bot_port),
            "UNDERSTUDY_SLACK_MESSAGES_PER_SECOND": str(settings.slack_messages_per_second),
            "UNDERSTUDY_OUTBOX_POLL_SECONDS": "0.05",
            "UNDERSTUDY_ROUND_SECONDS": "0.5",
            "UNDERSTUDY_SLACK_CALL_SECONDS": "0.5",
            "SLACK_API_URL": settings.slack_api_url,
            "SLACK_BOT_TOKEN": "xoxb-standin",
            "SLACK_SIGNING_SECRET": "standin",
            "SLACK_APP_TOKEN": "",
        }
        with (office.home / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "records.cli", "bot", env=environment, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.kills += 1

    async def die_now_and_then(
        self, *, times: int, done: Callable[[], float], chance: random.Random
    ) -> None:
        """Be killed so many times over the day (`done` is its share, 0..1), and start again."""
        for number in range(times):
            share = (number + chance.random()) / times

            async def is_time(share: float = share) -> bool:
                return done() >= share * 0.95

            await until_slowly(is_time, patience=_LONGEST_DAY_SECONDS)
            await self.kill()
            await self.start()


@asynccontextmanager
async def at_work(bot: Bot) -> AsyncIterator[Bot]:
    """The bot runs until the day is over."""
    await bot.start()
    try:
        yield bot
    finally:
        await bot.kill()


@dataclass
class Agent:
    """One of the team. `said` and `done` count what this agent knows to have done."""

    person: Person
    chance: random.Random
    said: list[str] = field(default_factory=list)

    async def card_of(self, escalation: str) -> str:
        """The card of an escalation, as soon as it stands in the channel; its ts."""
        found: list[str] = []

        async def look() -> bool:
            newest = await self.person.messages(CHANNEL, newest=100)
            found.extend(m["ts"] for m in newest if escalation in str(m.get("metadata")))
            return bool(found)

        await until_slowly(look)
        return found[0]

    async def reach_for(self, card_ts: str) -> None:
        """Press *Take over* where it can still be pressed, until somebody has it."""
        await self._press_until(card_ts, "take_over", lambda c: "take_over" not in buttons_of(c))

    async def handle(self, card_ts: str, number: int) -> None:
        """Take a conversation over, help, flag the bad answer, resolve, approve what is learned."""
        me = self.person.user_id
        await self._press_until(card_ts, "take_over", lambda card: f"<@{me}>" in text_of(card))
        await self._speak(card_ts, f"note: number {number} looks like the last one")
        words = f"Answer {number} from {me}."
        await self._speak(card_ts, words)
        self.said.append(words)
        await self._flag(card_ts, number)
        await self._resolve(card_ts)
        await self._approve(card_ts)

    async def _speak(self, thread: str, words: str) -> None:
        await self.person.reply(CHANNEL, thread, words)

    async def _flag(self, card_ts: str, number: int) -> None:
        answer = await self._in_thread(card_ts, lambda m: "flag_answer" in buttons_of(m))

        async def attempt() -> bool:
            await self.person.click(CHANNEL, answer["ts"], "flag_answer")
            await self._form("flag_answer")
            entered = {"reason": "wrong", "correction": f"Right answer {number}."}
            return await self._submit(entered)

        await self._again(attempt)

    async def _resolve(self, card_ts: str) -> None:
        async def attempt() -> bool:
            card = await self._look(card_ts)
            if "resolve" not in buttons_of(card):
                return True
            await self.person.click(CHANNEL, card_ts, "resolve")
            await self._form("resolve_escalation")
            await self._submit({"save_example": []})
            return False

        await self._again(attempt)

    async def _approve(self, card_ts: str) -> None:
        example = await self._in_thread(card_ts, lambda m: "approve_example" in buttons_of(m))

        async def attempt() -> bool:
            thread = await self.person.thread(CHANNEL, card_ts)
            now = next(m for m in thread if m["ts"] == example["ts"])
            if "approve_example" not in buttons_of(now):
                return True
            await self.person.click(CHANNEL, example["ts"], "approve_example")
            return False

        await self._again(attempt)

    async def _submit(self, entered: dict[str, Any]) -> bool:
        """Send the form; True where it closed without a word, which means that it was taken in."""
        errors = await self.person.submit(entered)
        notice = await self.person.open_view()
        if notice is not None:
            await self.person.close()
        return not errors and notice is None

    async def _form(self, callback: str) -> None:
        """Wait for the form that a press opens; a person gives up after a few seconds."""

        async def look() -> bool:
            view = await self.person.open_view()
            return bool(view and view["callback_id"] == callback and view.get("submit"))

        await self.person.wait_for(look, timeout=4)

    async def _press_until(self, ts: str, action: str, done: Callable[[Message], bool]) -> None:
        async def attempt() -> bool:
            card = await self._look(ts)
            if done(card):
                return True
            if action in buttons_of(card):
                await self.person.click(CHANNEL, ts, action)
            return False

        await self._again(attempt)

    async def _look(self, ts: str) -> Message:
        return (await self.person.thread(CHANNEL, ts))[0]

    async def _in_thread(self, ts: str, wanted: Callable[[Message], Any]) -> Message:
        async def look() -> Message | None:
            return next((m for m in await self.person.thread(CHANNEL, ts) if wanted(m)), None)

        return await self.person.wait_for(look, timeout=_PATIENCE_SECONDS)

    async def _again(self, attempt: Callable[[], Awaitable[bool]]) -> None:
        """Do something again and again until it has happened."""

        async def once() -> bool:
            with suppress(ActRefused, TimeoutError):
                return await attempt()
            return False

        await until_slowly(once)


async def until_slowly(
    wanted: Callable[[], Awaitable[bool]], *, patience: float = _PATIENCE_SECONDS
) -> None:
    """Wait as a person does: look, then look again a moment later.

    Raises:
        TimeoutError: it never came about.
    """
    async with asyncio.timeout(patience):
        while not await wanted():  # noqa: ASYNC110 - what is waited for is elsewhere
            await asyncio.sleep(0.3)
