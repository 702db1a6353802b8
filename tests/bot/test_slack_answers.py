"""What answers a call may be no Slack: a proxy, half an answer. It is understood all the same."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from bot.app import web_client
from bot.outbox.failures import Meaning, code_of, understood
from bot.standin.for_apps import ForApps
from records.states import OutboxState
from tests.bot.office import Office, found, offering

UPSTREAM: dict[str, Any] = {
    "status": 503,
    "text": "upstream connect error",
    "content_type": "text/plain",
}


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (UPSTREAM, Meaning.UNSURE),
        ({"status": 502, "text": "<html>", "content_type": "text/html"}, Meaning.UNSURE),
        ({"status": 500, "text": '{"ok":', "content_type": "application/json"}, Meaning.UNSURE),
        (
            {"status": 429, "text": "slow", "content_type": "text/plain"}
            | {"headers": {"Retry-After": "3"}},
            Meaning.WAIT,
        ),
    ],
)
async def test_an_answer_that_is_not_slacks_has_a_meaning(
    closed_office: Office,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any],
    meaning: Meaning,
) -> None:
    async def answered(*_: Any) -> web.Response:
        return web.Response(**answer)

    monkeypatch.setattr(ForApps, "api", answered)
    async with closed_office.slack():
        with pytest.raises(SlackApiError) as refused:
            await web_client(closed_office.bot_settings, "xoxb-standin").auth_test()
    failure = understood(refused.value)
    assert failure is not None
    assert (failure.meaning, code_of(refused.value)) == (meaning, "")


async def test_a_message_appears_once_after_a_proxy_has_answered_for_slack(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slack, asked = ForApps.api, asyncio.Event()

    async def behind_proxy(self: ForApps, request: web.Request) -> web.Response:
        if request.match_info["method"] != "chat.postMessage" or asked.is_set():
            return await slack(self, request)
        asked.set()
        return web.Response(**UPSTREAM)

    monkeypatch.setattr(ForApps, "api", behind_proxy)
    async with closed_office.open():
        closed_office.escalated()
        ann = closed_office.person("U0ANN")
        await found(ann, offering("take_over"))
        await closed_office.all_sent()
        cards = [m for m in await ann.messages("support") if offering("take_over")(m)]
    assert len(cards) == 1
    assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}
    assert "Traceback" not in caplog.text
