"""The bot's doors: signatures, health, sockets, and what it says when it can't start."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.process import Bot
from bot.settings import BotSettings
from bot.standin.delivery import signed
from bot.standin.main import slack
from records.database import Database
from records.errors import ConfigurationError
from records.messages import Role
from tests.bot.office import (
    CHANNEL,
    Office,
    fill,
    found,
    found_in_thread,
    held,
    offering,
    saying,
    told,
)
from tests.bot.test_outbox_kinds import refused


async def post(office: Office, body: dict[str, Any], *, secret: str, age: int = 0) -> int:
    sent = json.dumps(body)
    headers = signed(secret, sent, timestamp=int(time.time()) - age)
    headers["Content-Type"] = "application/json"
    url = f"http://127.0.0.1:{office.bot_port}/slack/events"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=sent, headers=headers) as answer,
    ):
        return answer.status


@pytest.mark.parametrize(
    ("secret", "age", "status"), [("standin", 0, 200), ("wrong", 0, 401), ("standin", 301, 401)]
)
async def test_only_requests_that_slack_signed_just_now_are_heard(
    office: Office, secret: str, age: int, status: int
) -> None:
    body = {"type": "url_verification", "challenge": "x"}
    if status == 200:
        assert await post(office, body, secret=secret, age=age) == 200
    else:
        event = {"type": "message", "channel": "C0SUPPORT", "user": "U0ANN", "ts": "1.1"}
        body = {"type": "event_callback", "event_id": "Ev1", "event": event}
        assert await post(office, body, secret=secret, age=age) == 401


@pytest.mark.parametrize(
    ("stamp", "proof", "body"),
    [("now", "v0=é", b"{}"), ("now", "v0=aa", b"\xff"), ("9" * 5000, "v0=aa", b"{}")],
)
async def test_what_nobody_could_have_signed_is_refused_like_the_rest(
    office: Office, stamp: str, proof: str, body: bytes
) -> None:
    stamp = stamp.replace("now", str(int(time.time())))
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": proof}
    url = f"http://127.0.0.1:{office.bot_port}/slack/events"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        assert answer.status == 401


async def test_health_says_whether_it_is_up(office: Office) -> None:
    url = f"http://127.0.0.1:{office.bot_port}/health"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True})


async def test_health_says_why_messages_wait(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: AsyncWebClient, **given: Any) -> None:
        raise refused("restricted_action")

    monkeypatch.setattr(AsyncWebClient, "chat_postMessage", refuse)
    office.escalated()
    url = f"http://127.0.0.1:{office.bot_port}/health"

    async with asyncio.timeout(10), aiohttp.ClientSession() as session:
        told_of: object = None
        while told_of is None:
            async with session.get(url) as answer:
                told_of = (await answer.json()).get("problems")
    assert "The channel's settings forbid the bot to post there" in str(told_of)


async def test_the_same_listeners_work_over_a_socket(closed_office: Office) -> None:
    token = {"slack_app_token": SecretStr("xapp-standin")}
    settings = closed_office.bot_settings.model_copy(update=token)
    async with (
        closed_office.slack(standin_bot_url="http://127.0.0.1:9/nobody"),
        Bot(settings, closed_office.desk),
    ):
        closed_office.escalated()
        ann = closed_office.person("U0ANN")
        card = await found(ann, offering("take_over"))
        await ann.click(CHANNEL, card["ts"], "take_over")
        await found(ann, saying("<@U0ANN> speaks with the customer"))
        await ann.reply(CHANNEL, card["ts"], "Hello!")
        await found_in_thread(ann, card["ts"], lambda m: m.get("reactions"))
        answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
        await ann.click(CHANNEL, answer["ts"], "flag_answer")
        assert await fill(ann, {"reason": "tone"}) == {}
        await found_in_thread(ann, card["ts"], saying("Flagged by <@U0ANN>: tone"))
        await ann.slash("/versions", channel=CHANNEL)
        await told(ann, "Versions of support")
    assert [t.content for t in closed_office.turns() if t.role is Role.AGENT] == ["Hello!"]


async def test_words_written_while_the_database_is_busy_reach_the_customer_later_once(
    closed_office: Office, sqlite: Database
) -> None:
    closed_office.database = Database(sqlite.url)
    async with closed_office.open(standin_retry_seconds=(0.1,) * 20):
        closed_office.escalated()
        ann = closed_office.person("U0ANN")
        card = await found(ann, offering("take_over"))
        await ann.click(CHANNEL, card["ts"], "take_over")
        await found(ann, saying("speaks with the customer"))
        answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
        with held(sqlite, closed_office.database):
            await ann.reply(CHANNEL, card["ts"], "Hello!")
            await ann.click(CHANNEL, answer["ts"], "flag_answer")
            await told(ann, "The database cannot be used now")
            assert [t for t in closed_office.turns() if t.role is Role.AGENT] == []
        await found_in_thread(ann, card["ts"], lambda m: m.get("reactions"))
    assert [t.content for t in closed_office.turns() if t.role is Role.AGENT] == ["Hello!"]
    closed_office.database.close()


async def test_the_bot_explains_a_token_that_slack_refuses(closed_office: Office) -> None:
    wrong = {"slack_bot_token": SecretStr("xoxb-other")}
    settings = closed_office.bot_settings.model_copy(update=wrong)
    async with closed_office.slack():
        with pytest.raises(ConfigurationError, match="set SLACK_BOT_TOKEN rightly"):
            await Bot(settings, closed_office.desk).__aenter__()


@pytest.mark.parametrize("code", ["invalid_auth", "missing_scope", "token_revoked"])
async def test_the_bot_explains_an_app_token_that_slack_refuses(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async def refuse(self: AsyncWebClient, **_: Any) -> None:
        raise refused(code)

    monkeypatch.setattr(AsyncWebClient, "apps_connections_open", refuse)
    token = {"slack_app_token": SecretStr("xapp-other")}
    settings = closed_office.bot_settings.model_copy(update=token)
    async with closed_office.slack():
        with pytest.raises(ConfigurationError, match=rf"SLACK_APP_TOKEN \({code}\).*connections"):
            await Bot(settings, closed_office.desk).__aenter__()


async def test_the_bot_waits_for_slack_where_a_connection_is_closed_on_it(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.process._RECONNECT_SECONDS", 0.0)
    ask, failures = AsyncWebClient.auth_test, [aiohttp.ServerDisconnectedError()]

    async def disconnected(self: AsyncWebClient, **given: Any) -> Any:
        if failures:
            raise failures.pop()
        return await ask(self, **given)

    monkeypatch.setattr(AsyncWebClient, "auth_test", disconnected)
    async with closed_office.open():
        assert failures == []


def test_missing_tokens_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s3cret")
    settings = BotSettings.load()
    with pytest.raises(ConfigurationError, match=r"Set SLACK_BOT_TOKEN .*understudy slack"):
        settings.require_tokens()
    assert "s3cret" not in repr(settings)


def test_the_commands_modules_load_nothing_heavy() -> None:
    code = (
        "import sys, bot.main, bot.standin.main;"
        "heavy = ('slack_bolt', 'slack_sdk', 'aiohttp', 'sqlalchemy');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_port_that_is_taken_is_named_with_the_setting(closed_office: Office) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", closed_office.bot_port))
        other.listen()
        with pytest.raises(ConfigurationError, match="set UNDERSTUDY_BOT_PORT"):
            await Bot(closed_office.bot_settings, closed_office.desk).__aenter__()


def test_the_stand_in_names_a_port_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("UNDERSTUDY_STANDIN_PORT", str(other.getsockname()[1]))
        monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
        result = CliRunner().invoke(slack)
    assert isinstance(result.exception, ConfigurationError)
    assert "UNDERSTUDY_STANDIN_PORT" in str(result.exception)
