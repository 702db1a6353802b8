"""In a channel that is shared with another organisation, its people read but do not act."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.standin.delivery import signed
from bot.workspaces.strangers import Strangers
from records.tables import Escalation
from tests.bot.office import CHANNEL, Office, found, offering

TEAM, OTHER, EVIL = "T0STANDIN", "T0OTHER", "U0EVIL"


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
    sent = urlencode({"payload": json.dumps(body)})
    headers = signed("standin", sent, timestamp=int(time.time()))
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    url = f"http://127.0.0.1:{office.bot_port}/slack/events"
    async with ClientSession() as client, client.post(url, data=sent, headers=headers) as answer:
        assert answer.status == 200
    with office.database.read() as session:
        return session.get_one(Escalation, escalation).owner


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What people are told privately."""
    words: list[str] = []

    async def note(self: AsyncWebClient, **given: Any) -> None:
        words.append(given["text"])

    monkeypatch.setattr(AsyncWebClient, "chat_postEphemeral", note)
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
    assert client.asked == (0 if own is None else 1 if not stranger else 2)


@pytest.mark.parametrize("body", [{}, {"user": "U0ANN"}, {"user": {"id": "U0ANN"}}])
async def test_a_request_that_names_no_workspace_is_let_in(body: dict[str, Any]) -> None:
    assert not await Strangers().is_one(body, team=TEAM, client=Grid(), assistants=[])
