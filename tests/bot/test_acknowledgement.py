"""Slack is answered in time whatever the database does; people are told later what came of it."""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.process import Bot
from bot.standin.delivery import signed
from records.database import Database
from records.errors import StorageUnavailable
from records.ids import new_id
from records.messages import Role
from tests.bot.office import CHANNEL, Office, found, found_in_thread, offering, saying
from tests.bot.registered import registered

IN_TIME_SECONDS = 1.0
"""Slack gives three; the test machine may be busy itself."""


class AwayDatabase(Database):
    """Answers while it is there; while it is away, whoever asks waits and is then refused."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.there = threading.Event()
        self.there.set()

    @contextmanager
    def write(self) -> Iterator[Session]:
        self._wait()
        with super().write() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        self._wait()
        with super().read() as session:
            yield session

    def _wait(self) -> None:
        if not self.there.is_set() and not self.there.wait(5):
            raise StorageUnavailable("The database cannot be used now.")


@dataclass
class Slack:
    """Sends what Slack sends, and measures how long the answer takes."""

    office: Office
    session: aiohttp.ClientSession

    async def send(self, body: str, kind: str) -> tuple[int, float]:
        headers = signed("standin", body, timestamp=int(time.time())) | {"Content-Type": kind}
        url = f"http://127.0.0.1:{self.office.bot_port}/slack/events"
        began = time.perf_counter()
        async with self.session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status, time.perf_counter() - began

    async def interact(self, payload: dict[str, Any]) -> tuple[int, float]:
        body = urlencode({"payload": json.dumps(payload)})
        return await self.send(body, "application/x-www-form-urlencoded")

    async def command(self, name: str) -> tuple[int, float]:
        where = {"channel_id": "C0SUPPORT", "channel_name": CHANNEL, "team_id": "T0STANDIN"}
        form = {"command": name, "text": "", "user_id": "U0ANN", "trigger_id": "1.2.x", **where}
        return await self.send(urlencode(form), "application/x-www-form-urlencoded")

    async def event(self, event: dict[str, Any]) -> tuple[int, float]:
        body = {
            "type": "event_callback",
            "team_id": "T0STANDIN",
            "api_app_id": "A0STANDIN",
            "event_id": new_id("Ev"),
            "event_time": int(time.time()),
            "event": event,
        }
        return await self.send(json.dumps(body), "application/json")


BASE = {
    "team": {"id": "T0STANDIN"},
    "user": {"id": "U0ANN", "team_id": "T0STANDIN"},
    "api_app_id": "A0STANDIN",
    "trigger_id": "1.2.x",
    "response_url": "http://127.0.0.1:9/",
}
MESSAGE = {
    "channel": {"id": "C0SUPPORT", "name": CHANNEL},
    "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0SUPPORT"},
    "message": {"ts": "1.1", "thread_ts": "1.0", "type": "message", "text": "", "blocks": []},
}


def example_of(constraint: Any) -> str:
    """An id that a listener listens to, given as a string or a pattern."""
    if isinstance(constraint, str):
        return constraint
    return re.sub(r"\\d\+|\(\\d\+\)|\.\+", "1", constraint.pattern.lstrip("^").rstrip("$"))


def click(action: str) -> dict[str, Any]:
    pressed = {
        "action_id": action,
        "block_id": "b",
        "type": "button",
        "value": new_id("esc"),
        "action_ts": "1.1",
    }
    where = {**MESSAGE, "message": dict(MESSAGE["message"])}
    return {"type": "block_actions", **BASE, **where, "actions": [pressed]}


def submission(callback: str) -> dict[str, Any]:
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": callback,
        "hash": "h",
        "private_metadata": "{}",
        "blocks": [],
        "state": {"values": {}},
    }
    return {"type": "view_submission", **BASE, "view": view}


def shortcut(callback: str) -> dict[str, Any]:
    return {"type": "message_action", **BASE, **MESSAGE, "callback_id": callback}


@pytest.fixture
def away(sqlite: Database) -> Iterator[AwayDatabase]:
    database = AwayDatabase(sqlite.url)
    yield database
    database.there.set()
    database.close()


@pytest.fixture
async def slack(closed_office: Office, away: AwayDatabase) -> AsyncIterator[Slack]:
    closed_office.database = away
    async with (
        closed_office.slack(),
        Bot(closed_office.bot_settings, closed_office.desk),
        aiohttp.ClientSession() as session,
    ):
        yield Slack(closed_office, session)
        away.there.set()


async def test_whatever_people_do_is_answered_in_time_while_the_database_is_away(
    slack: Slack, away: AwayDatabase
) -> None:
    asked = registered()
    away.there.clear()
    wanted = [(kind, name) for kind, names in asked.items() for name in names]
    took = []
    for some in range(0, len(wanted), 10):
        took += await asyncio.gather(*(ask(slack, *one) for one in wanted[some : some + 10]))
    slow = [one for one, seconds in zip(wanted, took, strict=True) if seconds > IN_TIME_SECONDS]
    assert slow == []
    assert sum(len(asked[kind]) for kind in ("action", "view", "command", "shortcut")) > 30


async def ask(slack: Slack, kind: str, name: Any) -> float:
    match kind:
        case "action":
            return (await slack.interact(click(example_of(name))))[1]
        case "view":
            return (await slack.interact(submission(example_of(name))))[1]
        case "shortcut":
            return (await slack.interact(shortcut(example_of(name))))[1]
        case "command":
            return (await slack.command(example_of(name)))[1]
    return 0.0


async def test_events_are_acknowledged_at_once_while_the_database_is_away_and_lost_never(
    slack: Slack, away: AwayDatabase
) -> None:
    office = slack.office
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    await ann.click(CHANNEL, card["ts"], "take_over")
    await found(ann, saying("speaks with the customer"))
    away.there.clear()
    said = {"type": "message", "channel": "C0SUPPORT", "user": "U0ANN", "thread_ts": card["ts"]}
    answers = [
        await slack.event({**said, "ts": f"{time.time():.6f}", "text": f"word {number}"})
        for number in range(40)
    ]
    assert {status for status, _ in answers} == {200}
    assert max(took for _, took in answers) < IN_TIME_SECONDS
    away.there.set()
    url = f"http://127.0.0.1:{office.bot_port}/health"
    async with asyncio.timeout(10):
        while "events_waiting" in await (await slack.session.get(url)).json():
            pass
    words = [turn.content for turn in office.turns() if turn.role is Role.AGENT]
    assert words == [f"word {number}" for number in range(40)]


async def test_a_click_while_the_database_is_locked_is_answered_at_once_and_done_later(
    office: Office, sqlite: Database
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    with sqlite.write() as session:
        session.execute(text("SELECT 1"))  # from here on nobody else can write
        began = time.perf_counter()
        await ann.click(CHANNEL, card["ts"], "take_over")
        assert time.perf_counter() - began < IN_TIME_SECONDS
    await found(ann, saying("<@U0ANN> speaks with the customer"))


async def test_blocked_writers_keep_no_reader(office: Office, sqlite: Database) -> None:
    """Thirty clicks wait for the lock; a command that only reads is answered with its answer."""
    ann = office.person("U0ANN")
    office.escalated()
    card = await found(ann, offering("take_over"))
    await found_in_thread(ann, card["ts"], offering("flag_answer"))
    desk = office.running
    with sqlite.write() as session:
        session.execute(text("SELECT 1"))
        await asyncio.gather(*(ann.click(CHANNEL, card["ts"], "take_over") for _ in range(30)))
        async with asyncio.timeout(2):
            assert await desk.read(lambda session: session.execute(text("SELECT 1")).scalar()) == 1
    await found(ann, saying("speaks with the customer"))


async def test_who_cannot_be_told_in_the_channel_is_told_in_direct_messages(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    office.escalated()
    await found(ann, offering("take_over"))
    payload = click("take_over") | {"channel": {"id": "C0ELSEWHERE", "name": "elsewhere"}}
    async with aiohttp.ClientSession() as session:
        await Slack(office, session).interact(payload)

    async def in_direct_messages() -> Any:
        return [m for m in await ann.messages(ann.dm()) if "No escalation" in m["text"]]

    await ann.wait_for(in_direct_messages)
