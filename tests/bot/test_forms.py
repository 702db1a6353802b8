"""A form opens within the time that Slack allows; what can't be shown is said."""

import asyncio
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.app import web_client
from bot.forms import open_form
from bot.views.notice import notice_modal
from records.errors import NotFound
from tests.bot.office import Office


class Slow(AsyncWebClient):
    """Lets a test say what Slack answers to the opening of a form."""

    def __init__(self, code: str = "") -> None:
        super().__init__()
        self.code = code
        self.opened: list[dict[str, Any]] = []
        self.shown = asyncio.Event()
        self.updated: list[dict[str, Any]] = []

    async def views_open(self, **given: Any) -> Any:
        if self.code:
            raise SlackApiError(self.code, {"ok": False, "error": self.code})
        self.opened.append(given["view"])
        self.shown.set()
        return {"view": {"id": "V1"}}

    async def views_update(self, **given: Any) -> Any:
        self.updated.append(given["view"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.forms.PATIENCE_SECONDS", 0.02)


@pytest.fixture
async def gate() -> asyncio.Event:
    return asyncio.Event()


FORM = notice_modal("the form")


async def quick() -> dict[str, Any]:
    return FORM


async def test_a_quick_form_opens_at_once() -> None:
    client = Slow()
    assert await open_form(client, "t", work=quick()) is None
    assert (client.opened, client.updated) == ([FORM], [])


async def test_a_slow_form_takes_the_place_of_a_loading_view(gate: asyncio.Event) -> None:
    async def slow() -> dict[str, Any]:
        await gate.wait()
        return FORM

    client = Slow()
    opening = asyncio.create_task(open_form(client, "t", work=slow()))
    async with asyncio.timeout(5):
        await client.shown.wait()
    gate.set()
    assert await opening is None
    assert wording.machine.LOADING in str(client.opened)
    assert client.updated == [FORM]


async def test_what_fails_while_the_loading_view_is_shown_is_said_there(
    gate: asyncio.Event,
) -> None:
    async def fails() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        raise NotFound("It is gone.")

    client = Slow()
    assert await open_form(client, "t", work=fails()) is None
    assert "It is gone." in str(client.updated)


async def test_what_fails_at_once_is_told_to_the_person() -> None:
    async def fails() -> dict[str, Any]:
        raise NotFound("It is gone.")

    with pytest.raises(NotFound):
        await open_form(Slow(), "t", work=fails())


@pytest.mark.parametrize("code", ["expired_trigger_id", "exchanged_trigger_id"])
async def test_a_trigger_that_is_over_is_told_and_the_work_is_done_all_the_same(code: str) -> None:
    done = []

    async def saves() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        done.append(True)
        return FORM

    assert await open_form(Slow(code), "t", work=saves(), late="Too late.") == "Too late."
    assert done == [True]


async def test_a_view_that_slack_refuses_is_an_error() -> None:
    with pytest.raises(SlackApiError):
        await open_form(Slow("invalid_arguments"), "t", work=quick())


async def test_a_real_trigger_works_once(office: Office) -> None:
    client = web_client(office.bot_settings, "xoxb-standin")
    told = await open_form(client, "1.2.3", work=quick())
    assert told == wording.machine.FORM_LATE
