"""Sockets that break, a bot that stops, and what stands in its log."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from pydantic import SecretStr

from bot.process import Bot
from bot.settings import BotSettings
from bot.standin.for_apps import ForApps
from bot.standin.refusal import Refused
from records.messages import Role
from records.outbox import Kind
from tests.bot.office import CHANNEL, Office, found, found_in_thread, offering, saying
from tests.bot.test_bot_process import post

SECRET_WORDS = "my card number is 4929"


def with_socket(office: Office) -> BotSettings:
    return office.bot_settings.model_copy(update={"slack_app_token": SecretStr("xapp-standin")})


async def test_requests_come_over_a_new_socket_when_slack_asks_to_change_it(
    closed_office: Office,
) -> None:
    office = closed_office
    async with (
        office.slack(standin_bot_url="http://127.0.0.1:9/nobody"),
        Bot(with_socket(office), office.desk),
    ):
        office.escalated()
        ann = office.person("U0ANN")
        card = await found(ann, offering("take_over"))
        for reason in ("warning", "refresh_requested"):
            await ann.administer("refresh_sockets", reason=reason)
            await ann.reply(CHANNEL, card["ts"], f"note: {reason}")
        await ann.click(CHANNEL, card["ts"], "take_over")
        await found(ann, saying("<@U0ANN> speaks with the customer"))
        await ann.reply(CHANNEL, card["ts"], "Hello!")

        async def arrived() -> bool:
            return any(t.role is Role.AGENT for t in await asyncio.to_thread(office.turns))

        async with asyncio.timeout(10):
            while not await arrived():
                pass


async def test_a_socket_that_broke_is_opened_again(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.incoming.doors._PING_SECONDS", 0.2)
    office = closed_office
    quiet = {"standin_bot_url": "http://127.0.0.1:9/nobody"}
    async with office.slack(**quiet):
        bot = await Bot(with_socket(office), office.desk).__aenter__()
    try:
        told = await until_healthy(office, is_healthy=False)
        assert "hears nothing: see that Slack can be reached" in told
        async with office.slack(**quiet):
            await until_healthy(office, is_healthy=True)
            office.escalated()
            ann = office.person("U0ANN")
            card = await found(ann, offering("take_over"))
            await ann.click(CHANNEL, card["ts"], "take_over")
            await found(ann, saying("<@U0ANN> speaks with the customer"))
    finally:
        await bot.__aexit__()


async def test_socket_mode_that_is_switched_off_is_said_and_found_again_when_it_is_on(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise Refused("forbidden_team")

    monkeypatch.setattr("bot.incoming.doors._PING_SECONDS", 0.2)
    office = closed_office
    async with (
        office.slack(standin_bot_url="http://127.0.0.1:9/nobody"),
        Bot(with_socket(office), office.desk),
    ):
        office.escalated()
        ann = office.person("U0ANN")
        with monkeypatch.context() as off:
            off.setattr(ForApps, "_new_socket_url", refuse)
            await ann.administer("refresh_sockets", reason="link_disabled")
            assert "see that" in await until_healthy(office, is_healthy=False)
        assert await until_healthy(office, is_healthy=True) == "{'ok': True}"
        card = await found(ann, offering("take_over"))
        await ann.click(CHANNEL, card["ts"], "take_over")
        await found(ann, saying("<@U0ANN> speaks with the customer"))


async def until_healthy(office: Office, *, is_healthy: bool) -> str:
    """What health says when it is so."""
    url = f"http://127.0.0.1:{office.bot_port}/health"
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        while (told := await (await session.get(url)).json())["ok"] is not is_healthy:
            pass
    return str(told)


def environment(office: Office, folder: Path) -> dict[str, str]:
    (folder / "assistants").mkdir()
    wanted = {"name": "support", "system_prompt": "Help.", "base_model": "base"}
    (folder / "assistants" / "support.yaml").write_text(yaml.safe_dump(wanted))
    return os.environ | {
        "UNDERSTUDY_HOME": str(folder),
        "UNDERSTUDY_DATABASE_URL": office.database.url,
        "UNDERSTUDY_ASSISTANTS": str(folder / "assistants"),
        "UNDERSTUDY_BOT_PORT": str(office.bot_port),
        "UNDERSTUDY_SLACK_MESSAGES_PER_SECOND": "500",
        "SLACK_API_URL": f"http://127.0.0.1:{office.slack_port}/api/",
        "SLACK_BOT_TOKEN": "xoxb-standin",
        "SLACK_SIGNING_SECRET": "standin",
        "SLACK_APP_TOKEN": "",
    }


async def test_a_bot_that_is_told_to_stop_does_so_soon_and_its_log_holds_no_secrets(
    closed_office: Office, tmp_path: Path
) -> None:
    office = closed_office
    async with office.slack():
        bot = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "records.cli",
            "bot",
            env=environment(office, tmp_path),
            stderr=asyncio.subprocess.PIPE,
        )
        _, answer = office.ask("Help!", SECRET_WORDS)
        office.escalate(answer)
        ann = office.person("U0ANN")
        async with asyncio.timeout(30):
            card = await found(ann, offering("take_over"))
            await found_in_thread(ann, card["ts"], saying(SECRET_WORDS))
        await ann.reply(CHANNEL, card["ts"], SECRET_WORDS)
        await ann.react(CHANNEL, card["ts"], "eyes")
        await ann.click(CHANNEL, card["ts"], "take_over")
        unheard = {"type": "event_callback", "event_id": "Ev1", "team_id": "T0STANDIN"}
        await post(office, unheard | {"event": {"type": "pin_added"}}, secret="standin")
        began = time.perf_counter()
        bot.send_signal(signal.SIGTERM)
        _, log = await bot.communicate()
    assert bot.returncode == 0
    assert time.perf_counter() - began < 5
    assert b"the bot is ready" in log
    assert b"without SLACK_APP_TOKEN it hears what Slack sends to /slack/events" in log
    for secret in (SECRET_WORDS, "xoxb-", "Help!", "pin_added"):
        assert secret.encode() not in log
    cards = office.rows(Kind.ESCALATION_OPENED)
    assert len(cards) == 1
