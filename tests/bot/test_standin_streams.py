"""Messages that grow while they are written, as Slack allows them to."""

from typing import Any

import pytest

from bot.standin.refusal import Refused
from tests.bot.alone import SECTION, Api, client
from tests.bot.office import CHANNEL, Office

FOR_ANN = {"recipient_user_id": "U0ANN", "recipient_team_id": "T0STANDIN"}


def thread(slack: Api) -> dict[str, str]:
    return {"channel": CHANNEL, "thread_ts": slack.post(text="head")}


def started(slack: Api, **given: Any) -> dict[str, Any]:
    answer = slack.call("chat.startStream", **thread(slack), **FOR_ANN, **given)
    return {"channel": CHANNEL, "ts": answer["ts"]}


def shown(slack: Api, place: dict[str, Any]) -> dict[str, Any]:
    return dict(slack.workspace.message(slack.channel, place["ts"]))


def test_a_stream_grows_until_it_is_stopped() -> None:
    slack = Api()
    place = started(slack, markdown_text="one ")
    slack.call("chat.appendStream", **place, markdown_text="two ")
    slack.call("chat.stopStream", **place, markdown_text="three", blocks=[SECTION])
    message = shown(slack, place)
    assert (message["text"], message["streaming"]) == ("one two three", "completed")
    assert [b["type"] for b in message["blocks"]] == ["markdown", "section"]
    for method in ("chat.appendStream", "chat.stopStream"):
        with pytest.raises(Refused, match="message_not_in_streaming_state"):
            slack.call(method, **place, markdown_text="four")


def test_a_stream_needs_a_thread_and_in_a_channel_somebody_to_read_it() -> None:
    slack = Api()
    with pytest.raises(Refused, match="invalid_arguments"):
        slack.call("chat.startStream", channel=CHANNEL, **FOR_ANN)
    for name in FOR_ANN:
        less = {key: value for key, value in FOR_ANN.items() if key != name}
        with pytest.raises(Refused, match=f"missing_{name}"):
            slack.call("chat.startStream", **thread(slack), **less)
    with pytest.raises(Refused, match="user_not_found"):
        slack.call("chat.startStream", **thread(slack), **{**FOR_ANN, "recipient_user_id": "U9"})
    direct = slack.call("conversations.open", users="U0ANN")["channel"]["id"]
    head = slack.call("chat.postMessage", channel=direct, text="a")["ts"]
    assert slack.call("chat.startStream", channel=direct, thread_ts=head)["ok"]


def test_a_stream_is_no_longer_than_twelve_thousand_characters() -> None:
    slack = Api()
    place = started(slack, markdown_text="a" * 6_000)
    slack.call("chat.appendStream", **place, markdown_text="a" * 6_000)
    with pytest.raises(Refused, match="msg_too_long"):
        slack.call("chat.appendStream", **place, markdown_text="a")
    with pytest.raises(Refused, match="msg_too_long"):
        started(slack, markdown_text="a" * 12_001)


def test_a_stream_ends_by_itself_after_five_minutes() -> None:
    slack = Api()
    place = started(slack)
    slack.clock.now += 299
    slack.call("chat.appendStream", **place, markdown_text="a")
    slack.clock.now += 2
    with pytest.raises(Refused, match="message_not_in_streaming_state"):
        slack.call("chat.appendStream", **place, markdown_text="b")
    assert shown(slack, place)["streaming"] == "errored"


def test_only_the_app_s_own_stream_can_be_written_to() -> None:
    slack = Api()
    posted = slack.workspace.post(slack.channel, {"user": "U0ANN", "text": "a"})
    with pytest.raises(Refused, match="message_not_owned_by_app"):
        slack.call("chat.appendStream", channel=CHANNEL, ts=posted["ts"], markdown_text="b")
    ts = slack.post(text="a")
    with pytest.raises(Refused, match="message_not_in_streaming_state"):
        slack.call("chat.appendStream", channel=CHANNEL, ts=ts, markdown_text="b")


def test_a_message_that_still_grows_is_not_updated() -> None:
    slack = Api()
    place = started(slack)
    with pytest.raises(Refused, match="streaming_state_conflict"):
        slack.call("chat.update", **place, text="b")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "no_text"),
        ({"chunks": [{"type": "dance"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "markdown_text"}]}, "invalid_chunks"),
        ({"chunks": "{"}, "invalid_chunks"),
    ],
)
def test_what_cannot_be_appended_is_refused(given: dict[str, Any], error: str) -> None:
    slack = Api()
    with pytest.raises(Refused, match=error):
        slack.call("chat.appendStream", **started(slack), **given)


def test_a_stream_is_ended_with_blocks_that_slack_would_take() -> None:
    slack = Api()
    place = started(slack, markdown_text="a")
    with pytest.raises(Refused, match="invalid_blocks"):
        slack.call("chat.stopStream", **place, blocks=[{"type": "section"}])
    with pytest.raises(Refused, match="invalid_blocks"):
        slack.call("chat.stopStream", **place, blocks=[SECTION] * 50)
    assert shown(slack, place)["streaming"] == "in_progress"


async def test_slack_s_own_streaming_helper_works(closed_office: Office) -> None:
    async with closed_office.slack():
        slack = client(closed_office)
        head = await slack.chat_postMessage(channel=CHANNEL, text="head")
        channel = str(head["channel"])
        stream = await slack.chat_stream(
            channel=channel, thread_ts=str(head["ts"]), buffer_size=8, **FOR_ANN
        )
        for word in ("Cards ", "take ", "a ", "year."):
            await stream.append(markdown_text=word)
        await stream.stop(blocks=[SECTION])
        answer = (await closed_office.person("U0ANN").thread(channel, str(head["ts"])))[1]
    assert (answer["text"], answer["streaming"]) == ("Cards take a year.", "completed")
