"""The app gets what its manifest asks for, and no more."""

from pathlib import Path

import pytest
import yaml

from bot.standin.manifest import Manifest
from bot.standin.people import ActRefused
from tests.bot.alone import Api, App, client, code, running
from tests.bot.office import CHANNEL, Office

GIVEN = {
    "features": {
        "slash_commands": [{"command": "/known"}],
        "shortcuts": [{"callback_id": "known"}],
    },
    "oauth_config": {"scopes": {"bot": ["channels:history", "reactions:read", "im:read"]}},
    "settings": {
        "event_subscriptions": {
            "bot_events": ["message.channels", "message.im", "message.groups", "app_home_opened"]
        }
    },
}


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(GIVEN))
    return Manifest.read(path)


def test_events_need_a_subscription_a_scope_and_the_app_s_presence(manifest: Manifest) -> None:
    slack = Api()
    secret = slack.workspace.add_channel("secret", is_private=True)
    direct = slack.workspace.direct_channel("U0ANN")
    here = {"type": "message", "channel": slack.channel}
    assert manifest.wants(slack.workspace, here)
    assert manifest.wants(slack.workspace, {"type": "app_home_opened", "channel": direct})
    for event in (
        {"type": "message", "channel": secret},  # subscribed, without the scope
        {"type": "message", "channel": direct},
        {"type": "reaction_added", "item": {"channel": slack.channel}},  # the other way round
        {"type": "app_mention", "channel": slack.channel},
        {"type": "app_uninstalled"},
    ):
        assert not manifest.wants(slack.workspace, event)
    slack.workspace.change_channel(slack.channel, is_member=False)
    assert not manifest.wants(slack.workspace, here)


async def test_by_default_the_app_s_own_manifest_counts(closed_office: Office) -> None:
    ann = closed_office.person("U0ANN")
    async with closed_office.slack(), running(closed_office, App()) as app:
        slack = client(closed_office)
        posted = await slack.chat_postMessage(channel=CHANNEL, text="a")
        assert set(posted.headers["X-OAuth-Scopes"].split(",")) == Manifest.read().scopes
        assert await code(slack.conversations_join(channel="C0SUPPORT")) == "missing_scope"
        with pytest.raises(ActRefused, match="no_such_command"):
            await ann.slash("/dance", channel=CHANNEL)
        with pytest.raises(ActRefused, match="no_such_shortcut"):
            await ann.shortcut("dance", CHANNEL, str(posted["ts"]))
        await ann.slash("/retrain", channel=CHANNEL)
        await ann.shortcut("flag_answer", CHANNEL, str(posted["ts"]))
        await ann.administer("kick", channel=CHANNEL)
        assert await code(slack.chat_postMessage(channel=CHANNEL, text="a")) == "not_in_channel"
        await ann.reply(CHANNEL, None, "among ourselves")
        await ann.administer("invite", channel=CHANNEL)
        await ann.reply(CHANNEL, None, "hello")
        await app.event("message", text="hello")
        assert "among ourselves" not in str([h.body for h in app.heard])
