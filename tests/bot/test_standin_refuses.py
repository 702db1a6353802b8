"""The stand-in is as strict as Slack: it refuses the calls that Slack would."""

from typing import Any

import aiohttp
import pytest

from bot.standin.refusal import Refused
from tests.bot.alone import SECTION, TOKEN, Api, client, code, refusal
from tests.bot.office import CHANNEL, Office


@pytest.mark.parametrize(
    ("method", "given", "error"),
    [
        ("chat.shout", {}, "unknown_method"),
        ("chat.scheduleMessage", {}, "unknown_method"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "a"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "U0NOBODY", "text": "a"}, "channel_not_found"),
        ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "a", "thread_ts": "1.1"}, "cannot_reply"),
        ("chat.postMessage", {"channel": CHANNEL, "blocks": "{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "a", "metadata": "{}x"}, "invalid_meta"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "a", "metadata": "{}"}, "invalid_meta"),
        ("chat.postMessage", {"channel": CHANNEL, "markdown_text": "a" * 12_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "a", "markdown_text": "a"}, "conflict"),
        ("chat.update", {"channel": CHANNEL, "ts": "1.1", "text": "a"}, "message_not_found"),
        ("chat.delete", {"channel": CHANNEL, "ts": "1.1"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": CHANNEL, "user": "U9", "text": "a"}, "user_not_in"),
        ("chat.getPermalink", {"channel": CHANNEL, "message_ts": "1.1"}, "message_not_found"),
        ("conversations.replies", {"channel": CHANNEL, "ts": "1.1"}, "thread_not_found"),
        ("conversations.history", {"channel": CHANNEL, "oldest": "soon"}, "invalid_ts_oldest"),
        ("conversations.history", {"channel": CHANNEL, "cursor": "made up"}, "invalid_cursor"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("conversations.open", {"users": "U9"}, "user_not_found"),
        ("conversations.list", {"types": "everything"}, "invalid_types"),
        ("reactions.add", {"channel": CHANNEL, "timestamp": "1.1", "name": "a"}, "message_not"),
        ("reactions.add", {"channel": CHANNEL, "name": "a"}, "no_item_specified"),
        ("users.info", {"user": "U9"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S9"}, "no_such_subteam"),
        ("files.info", {"file": "F9"}, "file_not_found"),
        ("assistant.threads.setStatus", {"channel_id": CHANNEL}, "invalid_arguments"),
    ],
)
def test_calls_that_slack_would_not_take_get_its_error(
    method: str, given: dict[str, Any], error: str
) -> None:
    with pytest.raises(Refused, match=error):
        Api().call(method, **given)


def test_an_update_without_blocks_removes_them_and_long_texts_are_cut() -> None:
    slack = Api()
    ts = slack.post(text="a" * 50_000, blocks=[SECTION])
    message = slack.workspace.message(slack.channel, ts)
    assert (len(message["text"]), len(message["blocks"])) == (40_000, 1)
    slack.call("chat.update", channel=CHANNEL, ts=ts, text="b")
    assert (message["text"], message["blocks"]) == ("b", [])


def test_an_updated_text_may_have_four_thousand_characters() -> None:
    slack = Api()
    ts = slack.post(text="a")
    slack.call("chat.update", channel=CHANNEL, ts=ts, text="b" * 4000)
    with pytest.raises(Refused, match="msg_too_long"):
        slack.call("chat.update", channel=CHANNEL, ts=ts, text="b" * 4001)


def test_what_one_person_was_told_cannot_be_changed_by_its_time() -> None:
    slack = Api()
    whisper = slack.call("chat.postEphemeral", channel=CHANNEL, user="U0ANN", text="a")
    for method in ("chat.update", "chat.delete"):
        with pytest.raises(Refused, match="message_not_found"):
            slack.call(method, channel=CHANNEL, ts=whisper["message_ts"], text="b")


def test_people_s_messages_are_not_the_app_s_to_change() -> None:
    slack = Api()
    posted = slack.workspace.post(slack.channel, {"user": "U0ANN", "text": "a"})
    with pytest.raises(Refused, match="cant_update_message"):
        slack.call("chat.update", channel=CHANNEL, ts=posted["ts"], text="b")
    with pytest.raises(Refused, match="cant_delete_message"):
        slack.call("chat.delete", channel=CHANNEL, ts=posted["ts"])


def test_a_channel_that_the_app_is_not_in_is_closed_to_it() -> None:
    slack = Api()
    ts = slack.post(text="a")
    slack.workspace.change_channel(slack.channel, is_member=False)
    for method, given in (
        ("chat.postEphemeral", {"user": "U0ANN", "text": "a"}),
        ("chat.update", {"ts": ts, "text": "a"}),
        ("conversations.history", {}),
        ("conversations.replies", {"ts": ts}),
        ("reactions.add", {"timestamp": ts, "name": "eyes"}),
    ):
        with pytest.raises(Refused, match="not_in_channel"):
            slack.call(method, channel=CHANNEL, **given)
    slack.call("conversations.join", channel=CHANNEL)
    slack.call("reactions.add", channel=CHANNEL, timestamp=ts, name="eyes")


def test_a_private_channel_that_the_app_is_not_in_does_not_exist_for_it() -> None:
    slack = Api()
    secret = slack.workspace.add_channel("secret", is_private=True)
    slack.workspace.change_channel(secret, is_member=False)
    with pytest.raises(Refused, match="channel_not_found"):
        slack.call("chat.postMessage", channel="secret", text="a")
    listed = slack.call("conversations.list", types="public_channel,private_channel")
    assert secret not in [c["id"] for c in listed["channels"]]


def test_nothing_is_written_in_an_archived_channel() -> None:
    slack = Api()
    ts = slack.post(text="a")
    slack.workspace.change_channel(slack.channel, is_archived=True)
    for method, given, error in (
        ("chat.postMessage", {"text": "a"}, "is_archived"),
        ("chat.update", {"ts": ts, "text": "a"}, "is_inactive"),
        ("reactions.add", {"timestamp": ts, "name": "eyes"}, "is_archived"),
    ):
        with pytest.raises(Refused, match=error):
            slack.call(method, channel=CHANNEL, **given)


def test_reactions_stand_once_and_only_one_s_own_are_taken_away() -> None:
    slack = Api()
    item = {"channel": CHANNEL, "timestamp": slack.post(text="a")}
    slack.call("reactions.add", **item, name="eyes")
    with pytest.raises(Refused, match="already_reacted"):
        slack.call("reactions.add", **item, name="eyes")
    with pytest.raises(Refused, match="invalid_name"):
        slack.call("reactions.add", **item, name="no such emoji!")
    slack.call("reactions.remove", **item, name="eyes")
    with pytest.raises(Refused, match="no_reaction"):
        slack.call("reactions.remove", **item, name="eyes")
    assert not slack.call("reactions.get", **item)["message"].get("reactions")


def test_metadata_is_shown_only_to_those_who_ask_for_it() -> None:
    slack = Api()
    metadata = {"event_type": "understudy", "event_payload": {"key": "k"}}
    slack.post(text="a", metadata=metadata)
    hidden = slack.call("conversations.history", channel=CHANNEL)
    shown = slack.call("conversations.history", channel=CHANNEL, include_all_metadata="1")
    assert "metadata" not in hidden["messages"][0]
    assert shown["messages"][0]["metadata"] == metadata


def test_pages_are_cut_at_the_limit_and_between_times() -> None:
    slack = Api()
    times = [slack.post(text=str(index)) for index in range(5)]
    page = slack.call("conversations.history", channel=CHANNEL, limit=3)
    cursor = page["response_metadata"]["next_cursor"]
    rest = slack.call("conversations.history", channel=CHANNEL, limit=3, cursor=cursor)
    assert [m["text"] for m in page["messages"] + rest["messages"]] == ["4", "3", "2", "1", "0"]
    window = {"oldest": times[1], "latest": times[3]}
    between = slack.call("conversations.history", channel=CHANNEL, **window)
    assert [m["text"] for m in between["messages"]] == ["2"]
    both = slack.call("conversations.history", channel=CHANNEL, **window, inclusive="true")
    assert [m["text"] for m in both["messages"]] == ["3", "2", "1"]


def test_a_deleted_head_leaves_a_stone_and_a_deleted_reply_nothing() -> None:
    slack = Api()
    head = slack.post(text="head")
    reply = slack.post(text="reply", thread_ts=head)
    slack.call("chat.delete", channel=CHANNEL, ts=head)
    (stone,) = slack.call("conversations.history", channel=CHANNEL)["messages"]
    assert (stone["subtype"], stone["text"]) == ("tombstone", "This message was deleted.")
    slack.call("chat.delete", channel=CHANNEL, ts=reply)
    thread = slack.call("conversations.replies", channel=CHANNEL, ts=head)["messages"]
    assert [m["ts"] for m in thread] == [head]


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-other", "invalid_auth"), ("xapp-standin", "not_allowed_token_type")]
)
async def test_tokens_are_checked(alone: Office, token: str, error: str) -> None:
    assert await code(client(alone, token).auth_test()) == error


async def test_a_call_without_a_token_is_refused(alone: Office) -> None:
    url = f"http://127.0.0.1:{alone.slack_port}/api/auth.test"
    async with aiohttp.ClientSession() as session, session.post(url) as answer:
        assert (await answer.json())["error"] == "not_authed"


async def test_more_than_about_a_message_a_second_is_answered_429(alone: Office) -> None:
    slack = client(alone)
    for _ in range(4):
        await slack.chat_postMessage(channel=CHANNEL, text="a")
    error = await refusal(slack.chat_postMessage(channel=CHANNEL, text="a"))
    assert (error.response.status_code, error.response["error"]) == (429, "ratelimited")
    assert int(error.response.headers["Retry-After"]) >= 1
    await slack.chat_postMessage(channel="U0ANN", text="another channel is free")


async def test_each_method_has_the_pace_of_its_tier(alone: Office) -> None:
    slack = client(alone)
    for _ in range(20):
        await slack.usergroups_list()
    error = await refusal(slack.usergroups_list())
    assert (error.response.status_code, error.response.headers["Retry-After"]) == (429, "3")
    assert (await slack.users_info(user="U0ANN"))["ok"]


async def test_reading_is_slow_for_apps_outside_of_the_marketplace(closed_office: Office) -> None:
    async with closed_office.slack(standin_histories_a_minute=1.0):
        slack = client(closed_office)
        await slack.conversations_history(channel=CHANNEL)
        assert await code(slack.conversations_history(channel=CHANNEL)) == "ratelimited"


async def test_a_share_of_calls_is_refused_without_need(closed_office: Office) -> None:
    async with closed_office.slack(standin_refused_share=1.0):
        assert await code(client(closed_office).auth_test()) == "ratelimited"


async def test_arguments_are_taken_from_query_form_and_json(alone: Office) -> None:
    url = f"http://127.0.0.1:{alone.slack_port}/api/chat.postMessage"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, params={"channel": CHANNEL}, data={"text": "by form"}) as answer,
    ):
        assert (await answer.json())["message"]["text"] == "by form"
