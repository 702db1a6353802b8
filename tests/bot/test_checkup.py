"""What the bot lacks in Slack is said in words, in the log and by /health, and stops nothing."""

from typing import Any

import aiohttp
import pytest

from bot.app import web_client
from bot.standin.people import text_of
from bot.wording.machine import SCOPES
from bot.workspaces.checkup import Checkup
from bot.workspaces.workspaces import OneWorkspace
from records.assistant import SlackRoute
from records.states import EscalationReason
from tests.bot.office import CHANNEL, Office, found, offering, told


def checkup(office: Office, **slack: Any) -> Checkup:
    options = office.assistant.slack.model_copy(update=slack)
    assistant = office.assistant.model_copy(update={"slack": options})
    workspace = OneWorkspace(web_client(office.bot_settings, "xoxb-standin"))
    return Checkup(workspace, {assistant.name: assistant})


async def test_nothing_is_said_where_nothing_is_missing(closed_office: Office) -> None:
    async with closed_office.slack():
        look = checkup(closed_office)
        await look.look()
    assert look.problems == []


async def test_missing_rights_are_named_with_what_they_are_for(
    closed_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    scopes = tuple(scope for scope in SCOPES if scope not in ("reactions:write", "files:write"))
    async with closed_office.slack(standin_scopes=scopes):
        look = checkup(closed_office)
        await look.look()
        await look.look()
    (sentence,) = look.problems
    assert "files:write (plots, long transcripts), reactions:write" in sentence
    assert "deploy/slack/manifest.yaml" in sentence
    assert caplog.text.count("lacks rights") == 1


async def test_a_channel_that_is_not_there_is_named_with_its_assistant(
    closed_office: Office,
) -> None:
    route = SlackRoute(channel="night-shift", reasons=(EscalationReason.ENGINE,))
    async with closed_office.slack():
        look = checkup(closed_office, routes=(route,))
        await look.look()
    (sentence,) = look.problems
    assert "sees no channel #night-shift" in sentence
    assert "/invite @Understudy" in sentence


@pytest.mark.parametrize(
    ("act", "words"),
    [("kick", "not in the channel #support"), ("archive", "channel #support is archived")],
)
async def test_a_channel_where_the_bot_cannot_speak_is_named(
    closed_office: Office, act: str, words: str
) -> None:
    async with closed_office.slack():
        await closed_office.person("U0ANN").administer(act, channel=CHANNEL)
        look = checkup(closed_office)
        await look.look()
    assert words in look.problems[0]


async def test_another_workspaces_token_is_explained(closed_office: Office) -> None:
    async with closed_office.slack():
        workspace = OneWorkspace(web_client(closed_office.bot_settings, "xoxb-standin"))
        await workspace.introduce()
        options = closed_office.assistant.slack.model_copy(update={"workspace": "T0OTHER"})
        assistant = closed_office.assistant.model_copy(update={"slack": options})
        look = Checkup(workspace, {assistant.name: assistant})
        await look.look()
    assert "belongs to the workspace T0OTHER" in str(look.problems)


async def test_health_tells_what_to_mend_and_the_bot_goes_on(closed_office: Office) -> None:
    scopes = tuple(scope for scope in SCOPES if scope != "usergroups:read")
    async with closed_office.open(standin_scopes=scopes):
        closed_office.escalated()
        await found(closed_office.person("U0ANN"), offering("take_over"))
        url = f"http://127.0.0.1:{closed_office.bot_port}/health"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            health = await answer.json()
    assert (answer.status, health["ok"]) == (200, True)
    assert "usergroups:read" in health["problems"][0]


async def test_who_is_in_no_group_that_can_be_read_learns_which_right_is_missing(
    closed_office: Office,
) -> None:
    scopes = tuple(scope for scope in SCOPES if scope != "usergroups:read")
    options = closed_office.assistant.slack.model_copy(update={"operators": ("S0TEAM",)})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": options})
    async with closed_office.open(standin_scopes=scopes):
        ann = closed_office.person("U0ANN")
        await ann.slash("/retrain", channel=CHANNEL)
        said = await told(ann, "Slack does not say who is in <!subteam^S0TEAM>")
    assert "lacks a scope (usergroups:read)" in text_of(said)


async def test_an_app_that_was_removed_is_said_to_be_until_it_is_installed_again(
    closed_office: Office,
) -> None:
    workspace = OneWorkspace(web_client(closed_office.bot_settings, "xoxb-standin"))
    look = Checkup(workspace, {"support": closed_office.assistant})
    async with closed_office.slack():
        await workspace.introduce()
        await workspace.leave("T0STANDIN", at=0.0)
        ann = closed_office.person("U0ANN")
        assert "was removed from its workspace" in str(look.problems)
        await ann.administer("uninstall")
        await look.look()
        assert "was removed from its workspace" in str(look.problems)
    async with closed_office.slack(home=closed_office.home / "installed-again"):
        await look.look()
    assert look.problems == []
