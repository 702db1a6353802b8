"""In a channel that is shared with another organisation, its people read but do not act."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from bot.process import Bot
from bot.standin.delivery import signed
from bot.workspaces.strangers import Strangers
from records.ids import new_id
from records.tables import Escalation, Flag, Turn
from tests.bot.office import CHANNEL, Office, found, offering

TEAM, OTHER, EVIL = "T0STANDIN", "T0OTHER", "U0EVIL"
FLAG = "triangular_flag_on_post"


FORM, JSON = "application/x-www-form-urlencoded", "application/json"


async def deliver(office: Office, sent: str, kind: str) -> None:
    """Send the bot what Slack sends."""
    headers = signed("standin", sent, timestamp=int(time.time())) | {"Content-Type": kind}
    url = f"http://127.0.0.1:{office.bot_port}/slack/events"
    async with ClientSession() as client, client.post(url, data=sent, headers=headers) as answer:
        assert answer.status == 200


async def happens(office: Office, event: dict[str, Any], *, shared: bool = True) -> str:
    """Something happens in a channel that is shared; returns the event's id."""
    event_id = new_id("Ev")
    body = {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A0STANDIN",
        "event_id": event_id,
        "event_time": int(time.time()),
        "is_ext_shared_channel": shared,
        "event": {"event_ts": f"{time.time():.6f}", **event},
    }
    await deliver(office, json.dumps(body), JSON)
    return event_id


async def pressed(office: Office, user: str, *, their_team: str, team: str) -> str | None:
    """Somebody presses *Take over*; who has the conversation then."""
    escalation, _ = office.escalated()
    card = await found(office.person("U0ANN"), offering("take_over"))
    action = {
        "type": "button",
        "action_id": "take_over",
        "block_id": "b",
        "value": escalation,
        "action_ts": "1.0",
    }
    body = {
        "type": "block_actions",
        "team": {"id": team, "domain": "x"},
        "user": {"id": user, "team_id": their_team, "username": "e", "name": "e"},
        "api_app_id": "A0STANDIN",
        "trigger_id": "1.2.3",
        "channel": {"id": "C0SUPPORT", "name": CHANNEL},
        "message": card,
        "container": {
            "type": "message",
            "message_ts": card["ts"],
            "channel_id": "C0SUPPORT",
        },
        "actions": [action],
    }
    await deliver(office, urlencode({"payload": json.dumps(body)}), FORM)
    with office.database.read() as session:
        return session.get_one(Escalation, escalation).owner


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What people are told privately."""
    words: list[str] = []

    post: Any = AsyncWebClient.chat_postMessage

    async def note(self: AsyncWebClient, **given: Any) -> None:
        words.append(given["text"])

    async def note_direct(self: AsyncWebClient, **given: Any) -> Any:
        is_direct = given["channel"].startswith("D")
        return await note(self, **given) if is_direct else await post(self, **given)

    monkeypatch.setattr(AsyncWebClient, "chat_postEphemeral", note)
    monkeypatch.setattr(AsyncWebClient, "chat_postMessage", note_direct)
    return words


@pytest.mark.parametrize("team", [TEAM, OTHER])
async def test_a_stranger_of_a_shared_channel_is_refused_in_words(
    office: Office, told: list[str], team: str
) -> None:
    assert await pressed(office, EVIL, their_team=OTHER, team=team) is None
    assert "another organisation" in told[0]


async def test_who_is_of_the_team_acts(office: Office, told: list[str]) -> None:
    assert await pressed(office, "U0ANN", their_team=TEAM, team=TEAM) == "U0ANN"
    assert told == []


@pytest.mark.parametrize("role", ["operators", "reviewers"])
async def test_a_stranger_whom_the_file_names_acts(closed_office: Office, role: str) -> None:
    slack = closed_office.assistant.slack.model_copy(update={role: (EVIL,)})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    async with closed_office.open():
        assert await pressed(closed_office, EVIL, their_team=OTHER, team=TEAM) == EVIL


class Grid(AsyncWebClient):
    """Slack, as it tells of organisations."""

    own: str | None = "E0OURS"
    theirs: str | None = "E0OURS"
    asked = 0

    async def auth_test(self, **given: Any) -> Any:
        return {"team_id": TEAM, "enterprise_id": self.own}

    async def users_info(self, **given: Any) -> Any:
        self.asked += 1
        return {"user": {"id": given["user"], "enterprise_user": {"enterprise_id": self.theirs}}}


BODY = {"user": {"id": "U0EVE", "team_id": OTHER}, "enterprise": {"id": "E0OURS"}}


@pytest.mark.parametrize(
    ("own", "theirs", "stranger"),
    [
        ("E0OURS", "E0OURS", False),
        ("E0OURS", "E0THEIRS", True),
        ("E0OURS", None, True),
        (None, None, True),
        (None, "E0THEIRS", True),
    ],
)
async def test_a_workspace_of_the_same_enterprise_grid_is_no_other_organisation(
    own: str | None, theirs: str | None, stranger: bool
) -> None:
    client = Grid()
    client.own, client.theirs = own, theirs
    strangers = Strangers()
    for _ in range(2):
        found = await strangers.is_one(BODY, team=TEAM, client=client, assistants=[])
        assert found is stranger
    assert client.asked == (0 if own is None else 1)


@pytest.mark.parametrize("body", [{}, {"user": "U0ANN"}, {"user": {"id": "U0ANN"}}])
async def test_a_request_that_names_no_workspace_is_let_in(body: dict[str, Any]) -> None:
    assert not await Strangers().is_one(body, team=TEAM, client=Grid(), assistants=[])


def reaction(user: str, ts: str, *, name: str = FLAG, **more: Any) -> dict[str, Any]:
    """Slack does not say of which workspace somebody is who reacts."""
    item = {"type": "message", "channel": "C0SUPPORT", "ts": ts}
    return {"type": "reaction_added", "user": user, "reaction": name, "item": item, **more}


def written(user: str, ts: str, *, root: str | None = None, **more: Any) -> dict[str, Any]:
    words = {"type": "message", "channel": "C0SUPPORT", "user": user, "ts": ts, "text": "Hello!"}
    return {**words, **({"thread_ts": root} if root else {}), "user_team": OTHER, **more}


def recorded(office: Office) -> list[str]:
    """What came of what people did."""
    with office.database.read() as session:
        turns = [turn.content for turn in session.scalars(select(Turn)) if turn.author]
        return turns + [flag.agent for flag in session.scalars(select(Flag))]


async def test_a_strangers_flag_emoji_flags_nothing_and_they_are_told(
    office: Office, told: list[str]
) -> None:
    office.escalated()
    card = await found(office.person("U0ANN"), offering("take_over"))
    await happens(office, reaction(EVIL, card["ts"], name="tada"))  # no business of ours
    await office.settled(await happens(office, reaction(EVIL, card["ts"])))
    assert recorded(office) == []
    assert len(told) == 1
    assert "another organisation" in told[0]


async def test_a_colleagues_flag_emoji_counts_in_a_shared_channel(
    office: Office, told: list[str]
) -> None:
    office.escalated()
    card = await found(office.person("U0ANN"), offering("take_over"))
    await office.settled(await happens(office, reaction("U0ANN", card["ts"])))
    assert recorded(office) == ["U0ANN"]
    assert "another organisation" not in "".join(told)


async def test_a_strangers_words_in_a_thread_stay_there_and_they_are_told_once(
    office: Office, told: list[str]
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    for number in range(3):
        said = written(EVIL, f"{float(card['ts']) + 9 + number:.6f}", root=card["ts"])
        await happens(office, said)
    last = await ann.reply(CHANNEL, card["ts"], "From Ann.")
    await office.said(last["ts"])
    assert recorded(office) == ["From Ann."]
    assert len(told) == 1
    assert "the customer does not get it" in told[0]


@pytest.mark.parametrize(
    "where",
    [
        {"type": "app_mention", "text": "<@U0UNDERSTUDY> Where is my card?"},
        {"channel": "D0EVIL", "channel_type": "im"},
        {"channel": "D0EVIL", "channel_type": "im", "thread_ts": "1.000001"},
    ],
)
async def test_the_assistant_does_not_answer_a_stranger(
    office: Office, told: list[str], where: dict[str, Any]
) -> None:
    for _ in range(2):  # the second is another event about the same
        event_id = await happens(office, written(EVIL, "2.000001", **where))
    await office.settled("hint:stranger:" + hinted(where))
    with office.database.read() as session:
        assert list(session.scalars(select(Turn))) == []
    await happens(office, written(EVIL, "3.000001", **where))
    assert event_id
    assert "the assistant does not answer" in told[0]


def hinted(where: dict[str, Any]) -> str:
    return f"{where.get('channel', 'C0SUPPORT')}:{where.get('thread_ts', '2.000001')}:{EVIL}"


async def test_what_strangers_say_among_themselves_is_answered_by_nobody(
    office: Office, told: list[str]
) -> None:
    office.escalated()
    card = await found(office.person("U0ANN"), offering("take_over"))
    lane = {"thread_ts": "5.000001"}
    await happens(office, written(EVIL, "5.000001"))
    await happens(office, written(EVIL, "5.000002", **lane))
    await happens(office, {**reaction(EVIL, card["ts"]), "type": "reaction_removed"})
    await office.settled(await happens(office, reaction(EVIL, card["ts"])))
    assert len(told) == 1


async def test_whoever_slack_does_not_tell_of_now_is_heard_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.escalated()
    card = await found(office.person("U0ANN"), offering("take_over"))
    users_info: Any = AsyncWebClient.users_info
    away = [TimeoutError(), TimeoutError()]

    async def sometimes(self: AsyncWebClient, **given: Any) -> Any:
        if away:
            raise away.pop()
        return await users_info(self, **given)

    monkeypatch.setattr(AsyncWebClient, "users_info", sometimes)
    await office.settled(await happens(office, reaction("U0ANN", card["ts"])))
    assert recorded(office) == ["U0ANN"]


@pytest.mark.parametrize(("team", "shown"), [(TEAM, True), (OTHER, False)])
async def test_a_stranger_is_shown_no_home(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch, team: str, shown: bool
) -> None:
    seen, homes = asyncio.Event(), []

    async def whose(self: AsyncWebClient, **given: Any) -> Any:
        if not shown:
            seen.set()
        return {"user": {"id": given["user"], "team_id": team}}

    async def publish(self: AsyncWebClient, **given: Any) -> Any:
        homes.append(given["user_id"])
        seen.set()
        return {"view": {"hash": "1"}}

    monkeypatch.setattr(AsyncWebClient, "users_info", whose)
    monkeypatch.setattr(AsyncWebClient, "views_publish", publish)
    opening = {"type": "app_home_opened", "user": EVIL, "channel": "D0EVIL", "tab": "home"}
    async with closed_office.open(), asyncio.timeout(10):
        await happens(closed_office, opening, shared=False)
        await seen.wait()
    assert homes == [EVIL] * shown  # the bot has ended what it had begun


async def test_a_strangers_command_is_refused_in_words(office: Office, told: list[str]) -> None:
    where = {"channel_id": "C0SUPPORT", "channel_name": CHANNEL, "team_id": OTHER}
    form = {"command": "/versions", "text": "", "user_id": EVIL, "trigger_id": "1.2.x", **where}
    await deliver(office, urlencode(form), FORM)
    assert "another organisation" in told[0]


async def test_what_a_stranger_wrote_while_no_bot_was_there_stays_in_its_thread(
    closed_office: Office, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, read = closed_office, asyncio.Event()
    office.escalated()
    ann = office.person("U0ANN")
    async with office.slack(standin_retry_seconds=()):
        async with Bot(office.bot_settings, office.desk):
            card = await office.taken_by(ann)
        await ann.reply(CHANNEL, card["ts"], "From elsewhere.")
        replies: Any = AsyncWebClient.conversations_replies

        async def from_elsewhere(self: AsyncWebClient, **given: Any) -> Any:
            page = await replies(self, **given)
            read.set()
            return {**page.data, "messages": [m | {"user_team": OTHER} for m in page["messages"]]}

        monkeypatch.setattr(AsyncWebClient, "conversations_replies", from_elsewhere)
        async with Bot(office.bot_settings, office.desk), asyncio.timeout(10):
            await read.wait()
            monkeypatch.undo()
            last = await ann.reply(CHANNEL, card["ts"], "From Ann.")
            await office.said(last["ts"])
    assert recorded(office) == ["From Ann."]
    assert "another organisation" not in "".join(told)
