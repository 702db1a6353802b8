"""How the stand-in tells the app: signed, with retries, on sockets, and no more if nobody hears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.standin.health import Health
from bot.standin.people import ActRefused
from tests.bot.alone import App, Clock, Heard, actions, button, client, code, running
from tests.bot.office import CHANNEL, Office

FAST = {"standin_retry_seconds": (0.0, 0.01, 0.02)}


def failing(times: int, **headers: str) -> Any:
    """An answer that is an error so many times."""
    left = [times]

    def answer(_: Heard) -> web.Response:
        left[0] -= 1
        return web.Response(status=500, headers=headers) if left[0] >= 0 else web.Response()

    return answer


async def test_an_event_is_delivered_again_until_it_is_acknowledged(closed_office: Office) -> None:
    async with closed_office.slack(**FAST), running(closed_office, App()) as app:
        app.answer = failing(3)
        await closed_office.person("U0ANN").reply(CHANNEL, None, "hello")
        heard = await app.until(lambda heard: heard if len(heard) == 4 else None)
    assert len({h.body["event_id"] for h in heard}) == 1
    retries = [h.headers.get("X-Slack-Retry-Num") for h in heard]
    assert retries == [None, "1", "2", "3"]
    assert {h.headers.get("X-Slack-Retry-Reason") for h in heard[1:]} == {"http_error"}


async def test_an_event_is_given_up_after_three_retries(closed_office: Office) -> None:
    async with closed_office.slack(**FAST), running(closed_office, App()) as app:
        app.answer = failing(4)
        ann = closed_office.person("U0ANN")
        await ann.reply(CHANNEL, None, "lost")
        await app.until(lambda heard: len(heard) == 4)
        await ann.reply(CHANNEL, None, "heard")
        await app.event("message", text="heard")
        assert [h.event["text"] for h in app.heard] == ["lost"] * 4 + ["heard"]


async def test_an_app_may_say_that_it_wants_no_retry(closed_office: Office) -> None:
    async with closed_office.slack(**FAST), running(closed_office, App()) as app:
        app.answer = failing(1, **{"X-Slack-No-Retry": "1"})
        ann = closed_office.person("U0ANN")
        await ann.reply(CHANNEL, None, "one")
        await app.until(lambda heard: len(heard) == 1)
        await ann.reply(CHANNEL, None, "two")
        await app.event("message", text="two")
        assert [h.event["text"] for h in app.heard] == ["one", "two"]


async def test_what_a_person_did_is_not_delivered_again(closed_office: Office) -> None:
    async with closed_office.slack(**FAST), running(closed_office, App()) as app:
        slack, ann = client(closed_office), closed_office.person("U0ANN")
        posted = await slack.chat_postMessage(channel=CHANNEL, text="a", blocks=[actions(button())])
        app.answer = lambda heard: web.Response(
            status=500 if heard.body.get("type") == "block_actions" else 200
        )
        with pytest.raises(ActRefused, match=r"not_acknowledged.*http_error"):
            await ann.click(CHANNEL, str(posted["ts"]), "a")
        await ann.reply(CHANNEL, None, "later")
        await app.event("message", text="later")
        assert sum(h.body.get("type") == "block_actions" for h in app.heard) == 1


async def test_every_kind_of_event_comes_twice_if_asked_for(closed_office: Office) -> None:
    async with (
        closed_office.slack(standin_repeated_share=1.0),
        running(closed_office, App()) as app,
    ):
        ann = closed_office.person("U0ANN")
        sent = await ann.reply(CHANNEL, None, "<@U0STANDIN> hello")
        await ann.react(CHANNEL, sent["ts"], "eyes")
        await ann.unreact(CHANNEL, sent["ts"], "eyes")
        await ann.edit(CHANNEL, sent["ts"], "changed")
        await ann.delete(CHANNEL, sent["ts"])
        await ann.open_home()
        await ann.direct("psst")
        kinds = await app.until(_twice_each(8))
    assert kinds == {
        ("message", None),
        ("app_mention", None),
        ("reaction_added", None),
        ("reaction_removed", None),
        ("message", "message_changed"),
        ("message", "message_deleted"),
        ("app_home_opened", None),
    }


def _twice_each(events: int) -> Any:
    def look(heard: list[Heard]) -> set[tuple[str, str | None]] | None:
        ids = [h.body["event_id"] for h in heard]
        if len(set(ids)) < events or any(ids.count(one) < 2 for one in ids):
            return None
        return {(h.event["type"], h.event.get("subtype")) for h in heard}

    return look


def test_subscriptions_go_off_under_five_percent_of_a_thousand_in_an_hour() -> None:
    clock = Clock()
    health = Health(clock)
    for number in range(999):
        health.count(is_acknowledged=number % 21 == 0)
    assert not health.is_off
    health.count(is_acknowledged=False)
    assert health.is_off
    health.switch_on()
    assert not health.is_off


def test_deliveries_of_the_hour_before_do_not_count() -> None:
    clock = Clock()
    health = Health(clock, least=10)
    for _ in range(9):
        health.count(is_acknowledged=False)
    clock.now += 3601
    health.count(is_acknowledged=False)
    assert (health.is_off, health.seen()["delivered_last_hour"]) == (False, 1)


async def test_switched_off_nothing_is_delivered_and_the_state_says_so(
    closed_office: Office,
) -> None:
    url = f"http://127.0.0.1:{closed_office.slack_port}/standin/state"

    async def is_on() -> bool:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return bool((await answer.json())["subscriptions"]["on"])

    changes = {"standin_switch_off_events": 4, **FAST}
    async with closed_office.slack(**changes), running(closed_office, App()) as app:
        ann = closed_office.person("U0ANN")
        app.answer = failing(4)
        await ann.reply(CHANNEL, None, "lost")
        await app.until(lambda heard: len(heard) == 4)
        await ann.wait_for(lambda: _not(is_on()))
        await ann.reply(CHANNEL, None, "unheard")
        await ann.administer("switch_on")
        await ann.reply(CHANNEL, None, "heard")
        await app.event("message", text="heard")
        assert "unheard" not in [h.event["text"] for h in app.heard]


async def _not(value: Any) -> bool:
    return not await value


@asynccontextmanager
async def socket_app(office: Office) -> AsyncIterator[tuple[list[SocketModeRequest], Any]]:
    """An app on a socket, with Slack's own client, that acknowledges everything."""
    heard: list[SocketModeRequest] = []

    async def listen(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        heard.append(request)
        response = SocketModeResponse(envelope_id=request.envelope_id)
        await socket.send_socket_mode_response(response)

    socket = SocketModeClient("xapp-standin", web_client=client(office, "xapp-standin"))
    socket.socket_mode_request_listeners.append(listen)
    await socket.connect()
    try:
        yield heard, socket
    finally:
        await socket.close()


async def test_events_interactions_and_commands_come_on_a_socket(alone: Office) -> None:
    ann = alone.person("U0ANN")
    async with socket_app(alone) as (heard, _):
        posted = await client(alone).chat_postMessage(
            channel=CHANNEL, text="a", blocks=[actions(button())]
        )
        await ann.click(CHANNEL, str(posted["ts"]), "a")
        await ann.slash("/retrain", channel=CHANNEL)
        await ann.reply(CHANNEL, None, "hello")
        async with asyncio.timeout(5):
            while len(heard) < 4:  # noqa: ASYNC110 - Slack's client has nothing else to wait for
                await asyncio.sleep(0.01)
    assert {r.type for r in heard} == {"events_api", "interactive", "slash_commands"}


async def test_a_socket_is_opened_anew_when_slack_asks(alone: Office) -> None:
    ann = alone.person("U0ANN")
    async with socket_app(alone) as (heard, socket):
        first = socket.current_session
        assert (await ann.administer("refresh_sockets"))["closed"] == 1
        async with asyncio.timeout(5):
            while socket.current_session is first:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await ann.slash("/retrain", channel=CHANNEL)
    assert [r.type for r in heard] == ["slash_commands"]


async def test_a_socket_needs_the_app_s_token(alone: Office) -> None:
    assert await code(client(alone).apps_connections_open(app_token="xoxb-standin")) == (
        "not_allowed_token_type"
    )
    opened = await client(alone).apps_connections_open(app_token="xapp-standin")
    url = str(opened["url"]).replace("ws://", "http://")
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        async with session.get(url) as again:
            assert again.status == 401
