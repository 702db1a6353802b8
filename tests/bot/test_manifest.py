"""The app's manifest offers what the bot listens to, and asks for no right that it does not use."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.wording.machine import SCOPES
from tests.bot.registered import registered

ROOT = Path(__file__).resolve().parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "deploy/slack/manifest.yaml").read_text())
BOT = [path for path in (ROOT / "bot").rglob("*.py") if "standin" not in path.parts]

HISTORY = {"channels:history", "groups:history"}
CALLS: dict[str, set[str]] = {
    "apps_connections_open": set(),
    "auth_test": set(),
    "chat_appendStream": {"chat:write"},
    "chat_delete": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_startStream": {"chat:write"},
    "chat_stopStream": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": HISTORY,
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_list": {"channels:read", "groups:read"},
    "conversations_members": {"channels:read", "groups:read"},
    "conversations_replies": HISTORY,
    "files_upload_v2": {"files:write"},
    "oauth_v2_access": set(),
    "reactions_add": {"reactions:write"},
    "reactions_remove": {"reactions:write"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
    "views_push": set(),
    "views_update": set(),
}
"""Web API methods and the scopes that Slack's documentation of each names for a bot."""

EVENTS: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "reaction_added": {"reactions:read"},
    "reaction_removed": {"reactions:read"},
    "tokens_revoked": set(),
}
"""Events and the scopes that they need."""


def calls() -> Iterator[str]:
    """The Web API methods that the bot's code names."""
    known = {name for name in dir(AsyncWebClient) if "_" in name.strip("_")}
    for path in BOT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in known:
                yield node.attr


def heard() -> set[str]:
    """Types of the events that the bot listens to."""
    asked = registered()["event"]
    return {event if isinstance(event, str) else event["type"] for event in asked}


def test_every_command_that_is_listened_to_is_offered_and_no_other() -> None:
    offered = [command["command"] for command in MANIFEST["features"]["slash_commands"]]
    assert sorted(offered) == sorted(registered()["command"])


def test_every_shortcut_that_is_listened_to_is_offered_and_no_other() -> None:
    offered = [shortcut["callback_id"] for shortcut in MANIFEST["features"]["shortcuts"]]
    assert sorted(offered) == sorted(registered()["shortcut"])


def test_every_event_that_is_listened_to_is_asked_for_and_no_other() -> None:
    asked = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert {event.partition(".")[0] for event in asked} == heard()
    assert sorted(asked) == sorted(set(asked))


def test_app_home_is_on_if_its_opening_is_listened_to() -> None:
    home = MANIFEST["features"]["app_home"]
    assert home["home_tab_enabled"] is ("app_home_opened" in heard())
    can_write = home["messages_tab_enabled"] and not home["messages_tab_read_only_enabled"]
    asked = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert can_write is ("message.im" in asked)


def test_the_scopes_are_those_that_calls_and_events_need_and_no_more() -> None:
    used = {scope for call in calls() for scope in CALLS[call]}
    used |= {
        scope
        for event in MANIFEST["settings"]["event_subscriptions"]["bot_events"]
        for scope in EVENTS[event]
    }
    used.add("commands")  # for slash commands and message shortcuts
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == used
    assert "user" not in MANIFEST["oauth_config"]["scopes"]


def test_people_who_install_it_by_oauth_are_asked_for_the_same_scopes() -> None:
    assert sorted(SCOPES) == sorted(MANIFEST["oauth_config"]["scopes"]["bot"])


@pytest.mark.parametrize("call", sorted(set(calls())))
def test_each_call_is_in_the_table_of_scopes(call: str) -> None:
    assert call in CALLS


def test_texts_keep_to_slacks_limits() -> None:
    features = MANIFEST["features"]
    assert all(len(command["description"]) <= 2000 for command in features["slash_commands"])
    assert all(len(shortcut["name"]) <= 24 for shortcut in features["shortcuts"])
    assert all(len(shortcut["description"]) <= 150 for shortcut in features["shortcuts"])
    assert len(MANIFEST["display_information"]["description"]) <= 140
