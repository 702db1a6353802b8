"""Several workspaces: how the app gets into them, for how long, and what it may do there."""

from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.standin.refusal import Refused
from tests.bot.alone import TOKEN, Api, App, client, code, refusal, running
from tests.bot.office import CHANNEL, Office

APP = {"client_id": "standin.client", "client_secret": "standin"}
OTHER = "T0OTHER"


async def installed(office: Office, team: str = OTHER) -> dict[str, Any]:
    ann = office.person("U0ANN")
    code = (await ann.administer("install", team=team))["code"]
    answer = await client(office, "").oauth_v2_access(**APP, code=code)
    return dict(answer.data)  # type: ignore[arg-type]


async def test_a_redirect_brings_back_the_state_and_a_code_that_works_once(alone: Office) -> None:
    url = URL(f"http://127.0.0.1:{alone.slack_port}/oauth/v2/authorize").with_query(
        client_id=APP["client_id"],
        scope="chat:write,commands",
        state="secret",
        team=OTHER,
        redirect_uri="http://127.0.0.1:1/back",
    )
    async with aiohttp.ClientSession() as session:
        async with session.get(url, allow_redirects=False) as answer:
            back = URL(answer.headers["Location"])
        async with session.get(url.update_query(scope=""), allow_redirects=False) as answer:
            assert (answer.status, await answer.text()) == (400, "no_scopes")
        unknown = url.update_query(scope="admin")
        async with session.get(unknown, allow_redirects=False) as answer:
            assert (answer.status, await answer.text()) == (400, "invalid_scope: admin")
    assert (back.path, back.query["state"]) == ("/back", "secret")
    slack, given = client(alone, ""), {**APP, "code": back.query["code"]}
    wrong = "http://127.0.0.1:1/elsewhere"
    assert await code(slack.oauth_v2_access(**given, redirect_uri=wrong)) == "bad_redirect_uri"
    answer = await slack.oauth_v2_access(**given, redirect_uri="http://127.0.0.1:1/back")
    assert (answer["team"]["id"], answer["scope"]) == (OTHER, "chat:write,commands")
    assert await code(slack.oauth_v2_access(**given)) == "code_already_used"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_id": "wrong"}, "invalid_client_id"),
        ({"code": "wrong"}, "invalid_code"),
        ({"grant_type": "refresh_token", "refresh_token": "wrong"}, "invalid_refresh_token"),
        ({"grant_type": "wishing"}, "invalid_grant_type"),
    ],
)
async def test_nobody_else_gets_a_token(alone: Office, given: dict[str, str], error: str) -> None:
    assert await code(client(alone, "").oauth_v2_access(**{**APP, **given})) == error


async def test_a_token_opens_its_own_workspace_only(alone: Office) -> None:
    token = (await installed(alone))["access_token"]
    there, here = client(alone, token), client(alone)
    assert (await there.auth_test())["team_id"] == OTHER
    await there.chat_postMessage(channel=CHANNEL, text="there")
    await here.chat_postMessage(channel=CHANNEL, text="here")
    ann = alone.person("U0ANN")
    assert [m["text"] for m in await ann.messages(CHANNEL)] == ["here"]
    other = type(ann)("U0ANN", f"http://127.0.0.1:{alone.slack_port}", team=OTHER)
    assert [m["text"] for m in await other.messages(CHANNEL)] == ["there"]
    async with running(alone, App()) as app:
        await other.reply(CHANNEL, None, "hello")
        await app.event("message", text="hello")
    assert app.heard[0].body["team_id"] == OTHER
    assert app.heard[0].body["authorizations"][0]["user_id"] != "U0STANDIN"


async def test_a_rotating_token_is_renewed_once(closed_office: Office) -> None:
    async with closed_office.slack(standin_token_seconds=43_200.0):
        given = await installed(closed_office)
        assert given["access_token"].startswith("xoxe.xoxb-")
        assert given["expires_in"] == 43_200
        slack = client(closed_office, "")
        renewal = {**APP, "grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        renewed = await slack.oauth_v2_access(**renewal)
        assert renewed["refresh_token"] != given["refresh_token"]
        assert await code(slack.oauth_v2_access(**renewal)) == "invalid_refresh_token"
        new = client(closed_office, str(renewed["access_token"]))
        assert (await new.auth_test())["team_id"] == OTHER


async def test_a_token_that_lives_for_ever_is_exchanged_for_one_that_rotates(
    closed_office: Office,
) -> None:
    async with closed_office.slack(standin_token_seconds=43_200.0):
        slack = client(closed_office)
        given = await slack.oauth_v2_exchange(token=TOKEN, **APP)
        assert given["refresh_token"]
        assert await code(slack.auth_test()) == "token_revoked"


def test_a_rotating_token_ends_after_its_time() -> None:
    slack = Api()
    slack.tokens.lifetime_seconds = 43_200
    token = slack.tokens.issue(slack.workspace.team, frozenset())["access_token"]
    slack.clock.now += 43_199
    assert slack.call("auth.test", token=token)["ok"]
    slack.clock.now += 1
    with pytest.raises(Refused, match="token_expired"):
        slack.call("auth.test", token=token)


def test_a_code_is_too_old_after_ten_minutes() -> None:
    slack = Api()
    given = {"code": slack.tokens.new_code(OTHER, frozenset())}
    slack.clock.now += 601
    with pytest.raises(Refused, match="invalid_code"):
        slack.call("oauth.v2.access", **given)


async def test_a_removed_app_is_told_and_its_tokens_open_nothing(alone: Office) -> None:
    token = (await installed(alone))["access_token"]
    async with running(alone, App()) as app:
        await alone.person("U0ANN").administer("uninstall", team=OTHER)
        assert (await app.event("tokens_revoked"))["tokens"]["bot"]
        await app.event("app_uninstalled")
    assert {h.body["team_id"] for h in app.heard} == {OTHER}
    assert await code(client(alone, token).auth_test()) == "account_inactive"
    assert (await client(alone).auth_test())["ok"]


async def test_a_revoked_token_opens_nothing(alone: Office) -> None:
    token = (await installed(alone))["access_token"]
    slack = client(alone, token)
    async with running(alone, App()) as app:
        assert (await slack.auth_revoke())["revoked"]
        await app.event("tokens_revoked")
    assert await code(slack.auth_test()) == "token_revoked"


async def test_an_app_may_take_itself_out(alone: Office) -> None:
    slack = client(alone, (await installed(alone))["access_token"])
    wrong = {**APP, "client_secret": "wrong"}
    assert await code(slack.apps_uninstall(**wrong)) == "bad_client_secret"
    await slack.apps_uninstall(**APP)
    assert await code(slack.auth_test()) == "account_inactive"


async def test_installations_outlive_a_restart(closed_office: Office) -> None:
    async with closed_office.slack():
        token = (await installed(closed_office))["access_token"]
    async with closed_office.slack():
        assert (await client(closed_office, token).auth_test())["team_id"] == OTHER


async def test_a_method_needs_its_scope(closed_office: Office) -> None:
    async with closed_office.slack(standin_scopes=("chat:write", "channels:history")):
        slack = client(closed_office)
        posted = await slack.chat_postMessage(channel=CHANNEL, text="a")
        await slack.conversations_history(channel=CHANNEL)
        error = await refusal(
            slack.reactions_add(channel=CHANNEL, timestamp=str(posted["ts"]), name="eyes")
        )
        assert error.response["error"] == "missing_scope"
        assert error.response["needed"] == "reactions:write"
        assert error.response["provided"] == "channels:history,chat:write"
        for call in (
            slack.users_list(),
            slack.usergroups_users_list(usergroup="S1"),
            slack.conversations_open(users="U0ANN"),
            slack.conversations_list(),
            slack.files_getUploadURLExternal(filename="a.png", length=1),
            slack.assistant_threads_setTitle(channel_id="D1", thread_ts="1.1", title="a"),
            slack.chat_postMessage(channel=CHANNEL, text="a", username="Somebody"),
        ):
            assert await code(call) == "missing_scope"


async def test_each_kind_of_conversation_has_its_own_scope(closed_office: Office) -> None:
    async with closed_office.slack(standin_scopes=("chat:write", "channels:history", "im:write")):
        slack, ann = client(closed_office), closed_office.person("U0ANN")
        await ann.administer("channel", name="secret", is_private=True)
        direct = await slack.conversations_open(users="U0ANN")
        for channel, needed in (("secret", "groups:history"), (ann.dm(), "im:history")):
            error = await refusal(slack.conversations_history(channel=channel))
            assert error.response["needed"] == needed
    assert direct["channel"]["id"] == ann.dm()
