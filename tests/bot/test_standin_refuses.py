"""The stand-in is as strict as Slack: it refuses what Slack would."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.standin.block_rules import problems, view_problems
from bot.standin.people import ActRefused
from bot.standin.refusal import Refused
from bot.standin.web_api import WebApi
from bot.standin.workspace import Workspace
from tests.bot.office import CHANNEL, Office


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def workspace(clock: Clock | None = None) -> Workspace:
    made = Workspace(clock or Clock())
    made.add_channel(CHANNEL)
    made.user("U0ANN")
    return made


def api(clock: Clock | None = None) -> WebApi:
    return WebApi(workspace(clock), "http://127.0.0.1:1")


def text(words: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": words}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": text("Go"), **changes}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


SECTION = {"type": "section", "text": text("words")}
OPTION = {"text": text("One"), "value": "1"}
TYPED = {"type": "plain_text_input", "action_id": "t"}
INPUT = {"type": "input", "label": text("L"), "element": TYPED}
MODAL = {"type": "modal", "title": text("T"), "submit": text("S"), "blocks": [INPUT]}


@pytest.mark.parametrize(
    "blocks",
    [
        "not a list",
        ["not a block"],
        [SECTION] * 51,
        [{"type": "no_such_block"}],
        [{"type": "section"}],
        [{"type": "section", "text": text("")}],
        [{"type": "section", "text": text("a" * 3001)}],
        [{"type": "section", "text": text("😀" * 1501)}],
        [{"type": "section", "text": text("a", kind="html")}],
        [{"type": "section", "fields": [text("a")] * 11}],
        [{"type": "section", "fields": [text("a" * 2001)]}],
        [{"type": "header", "text": text("a" * 151)}],
        [{"type": "header", "text": text("a", kind="mrkdwn")}],
        [{"type": "context", "elements": [text("a")] * 11}],
        [{"type": "context", "elements": []}],
        [{"type": "markdown", "text": "a" * 12_001}],
        [{"type": "markdown", "text": "a" * 7000}] * 2,
        [{"type": "image", "alt_text": "a"}],
        [{"type": "image", "image_url": "https://a.example", "alt_text": "a" * 2001}],
        [actions()],
        [actions(*[button(action_id=f"a{i}") for i in range(26)])],
        [actions(button(), button())],
        [actions(button(text=text("a" * 76)))],
        [actions(button(text=text("a", kind="mrkdwn")))],
        [actions(button(value="a" * 2001))],
        [actions(button(action_id="a" * 256))],
        [actions(button(style="loud"))],
        [actions(button(confirm={"title": text("a" * 101)}))],
        [actions({"type": "static_select", "options": [OPTION] * 101})],
        [actions({"type": "static_select", "options": []})],
        [actions({"type": "checkboxes", "options": [OPTION] * 11})],
        [actions(TYPED)],
        [INPUT],
        [{**SECTION, "block_id": "b" * 256}],
        [{**SECTION, "block_id": "b"}, {**SECTION, "block_id": "b"}],
    ],
)
def test_blocks_past_a_limit_are_refused(blocks: Any) -> None:
    assert problems(blocks, most=50)
    with pytest.raises(Refused, match="invalid_blocks"):
        api().call("chat.postMessage", {"channel": CHANNEL, "blocks": blocks})


@pytest.mark.parametrize(
    "blocks",
    [
        [SECTION] * 50,
        [{"type": "section", "text": text("a" * 3000)}],
        [{"type": "header", "text": text("a" * 150)}, {"type": "divider"}],
        [actions(*[button(action_id=f"a{i}", value="v" * 2000) for i in range(25)])],
        [{"type": "markdown", "text": "a" * 12_000}],
    ],
)
def test_blocks_at_a_limit_are_taken(blocks: Any) -> None:
    assert problems(blocks, most=50) == []


@pytest.mark.parametrize(
    "change",
    [
        {"title": text("a" * 25)},
        {"title": None},
        {"submit": None},
        {"close": text("a" * 25)},
        {"private_metadata": "a" * 3001},
        {"callback_id": "a" * 256},
        {"blocks": [SECTION] * 101},
        {"blocks": [{**INPUT, "element": {**TYPED, "max_length": 3001}}]},
        {"blocks": [{**INPUT, "element": {**TYPED, "initial_value": "a" * 3001}}]},
        {"blocks": [{**INPUT, "label": text("a" * 2001)}]},
        {"type": "poster"},
    ],
)
def test_views_past_a_limit_are_refused(change: dict[str, Any]) -> None:
    assert view_problems(MODAL) == []
    assert view_problems({**MODAL, **change})


def test_a_trigger_opens_one_view_within_three_seconds() -> None:
    clock = Clock()
    slack = api(clock)
    first = slack.workspace.new_trigger("U0ANN")
    slack.call("views.open", {"trigger_id": first, "view": MODAL})
    with pytest.raises(Refused, match="exchanged_trigger_id"):
        slack.call("views.open", {"trigger_id": first, "view": MODAL})
    late = slack.workspace.new_trigger("U0ANN")
    clock.now += 3.1
    with pytest.raises(Refused, match="expired_trigger_id"):
        slack.call("views.open", {"trigger_id": late, "view": MODAL})
    with pytest.raises(Refused, match="invalid_trigger_id"):
        slack.call("views.open", {"trigger_id": "made up", "view": MODAL})


@pytest.mark.parametrize(
    ("method", "given", "code"),
    [
        ("chat.shout", {}, "unknown_method"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "a"}, "channel_not_found"),
        ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "a", "thread_ts": "1.1"}, "cannot_reply"),
        ("chat.postMessage", {"channel": CHANNEL, "blocks": "{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "a", "metadata": "{}x"}, "invalid_meta"),
        ("chat.update", {"channel": CHANNEL, "ts": "1.1", "text": "a"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": CHANNEL, "user": "U9", "text": "a"}, "user_not_in"),
        ("conversations.replies", {"channel": CHANNEL, "ts": "1.1"}, "thread_not_found"),
        ("reactions.add", {"channel": CHANNEL, "timestamp": "1.1", "name": "a"}, "message_not"),
        ("views.update", {"view_id": "V1", "view": MODAL}, "not_found"),
        ("files.completeUploadExternal", {"files": '[{"id": "F1"}]'}, "file_not_found"),
        ("users.info", {"user": "U9"}, "user_not_found"),
    ],
)
def test_calls_that_slack_would_not_take_get_its_error(
    method: str, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused, match=code):
        api().call(method, given)


def test_an_update_without_blocks_removes_them_and_long_texts_are_cut() -> None:
    slack = api()
    posted = slack.call(
        "chat.postMessage", {"channel": CHANNEL, "text": "a" * 50_000, "blocks": [SECTION]}
    )
    message = slack.workspace.messages[posted["channel"]][posted["ts"]]
    assert (len(message["text"]), len(message["blocks"])) == (40_000, 1)
    slack.call("chat.update", {"channel": posted["channel"], "ts": posted["ts"], "text": "b"})
    assert (message["text"], message["blocks"]) == ("b", [])


def test_metadata_is_shown_only_to_those_who_ask_for_it() -> None:
    slack = api()
    metadata = {"event_type": "understudy", "event_payload": {"key": "k"}}
    slack.call("chat.postMessage", {"channel": CHANNEL, "text": "a", "metadata": metadata})
    hidden = slack.call("conversations.history", {"channel": CHANNEL})
    shown = slack.call("conversations.history", {"channel": CHANNEL, "include_all_metadata": "1"})
    assert "metadata" not in hidden["messages"][0]
    assert shown["messages"][0]["metadata"] == metadata


def test_pages_are_cut_at_the_limit() -> None:
    slack = api()
    for index in range(5):
        slack.call("chat.postMessage", {"channel": CHANNEL, "text": str(index)})
    page = slack.call("conversations.history", {"channel": CHANNEL, "limit": 3})
    cursor = page["response_metadata"]["next_cursor"]
    rest = slack.call("conversations.history", {"channel": CHANNEL, "limit": 3, "cursor": cursor})
    assert [m["text"] for m in page["messages"] + rest["messages"]] == ["4", "3", "2", "1", "0"]


@pytest.fixture
async def slack(closed_office: Office) -> AsyncIterator[Office]:
    """The stand-in alone, at Slack's own rates."""
    async with closed_office.slack(
        standin_messages_per_second=1.0,
        standin_retry_seconds=(),
        standin_bot_url="http://127.0.0.1:9",
    ):
        yield closed_office


async def call(
    office: Office, method: str, *, token: str | None = "xoxb-standin", **given: Any
) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"http://127.0.0.1:{office.slack_port}/api/{method}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=given, headers=headers) as answer,
    ):
        return answer.status, await answer.json(), dict(answer.headers)


@pytest.mark.parametrize(
    ("token", "code"),
    [(None, "not_authed"), ("xoxb-other", "invalid_auth"), ("xapp-standin", "not_allowed_token")],
)
async def test_tokens_are_checked(slack: Office, token: str | None, code: str) -> None:
    _, answer, _ = await call(slack, "auth.test", token=token)
    assert not answer["ok"]
    assert answer["error"].startswith(code)


async def test_a_socket_needs_the_apps_token(slack: Office) -> None:
    _, refused, _ = await call(slack, "apps.connections.open")
    assert refused["error"] == "not_allowed_token_type"
    _, opened, _ = await call(slack, "apps.connections.open", token="xapp-standin")
    assert opened["url"].startswith("ws://127.0.0.1:")


async def test_more_than_about_a_message_a_second_is_answered_429(slack: Office) -> None:
    answers = [await call(slack, "chat.postMessage", channel=CHANNEL, text="a") for _ in range(6)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 200, 429, 429]
    _, body, headers = answers[-1]
    assert body["error"] == "ratelimited"
    assert int(headers["Retry-After"]) >= 1


async def test_arguments_are_taken_from_query_form_and_json(slack: Office) -> None:
    url = f"http://127.0.0.1:{slack.slack_port}/api/chat.postMessage"
    headers = {"Authorization": "Bearer xoxb-standin"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, params={"channel": CHANNEL}, data={"text": "by form"}) as answer,
    ):
        assert (await answer.json())["message"]["text"] == "by form"


async def test_what_a_person_cannot_do_in_slack_is_refused(slack: Office) -> None:
    ann = slack.person("U0ANN")
    blocks = [actions(button(value="v"))]
    _, posted, _ = await call(slack, "chat.postMessage", channel=CHANNEL, blocks=blocks)
    with pytest.raises(ActRefused, match="no_such_button"):
        await ann.click(CHANNEL, posted["ts"], "b")
    with pytest.raises(ActRefused, match="message_not_found"):
        await ann.click(CHANNEL, "1.1", "a")
    with pytest.raises(ActRefused, match=r"not_acknowledged.*connection_failed"):
        await ann.click(CHANNEL, posted["ts"], "a")
    with pytest.raises(ActRefused, match="no_open_view"):
        await ann.submit({})
    with pytest.raises(ActRefused, match="channel_not_found"):
        await ann.reply("C0NOWHERE", None, "hello")


async def test_an_upload_must_have_the_length_that_was_said(slack: Office) -> None:
    _, answer, _ = await call(slack, "files.getUploadURLExternal", filename="a.png", length=3)
    async with (
        aiohttp.ClientSession() as session,
        session.post(answer["upload_url"], data=b"four") as upload,
    ):
        assert upload.status == 400
    files = [{"id": answer["file_id"]}]
    _, refused, _ = await call(slack, "files.completeUploadExternal", files=files)
    assert refused["error"] == "file_not_uploaded"


async def test_the_workspace_is_there_again_after_a_restart(closed_office: Office) -> None:
    async with closed_office.slack():
        _, first, _ = await call(closed_office, "chat.postMessage", channel=CHANNEL, text="one")
    async with closed_office.slack():
        _, second, _ = await call(closed_office, "chat.postMessage", channel=CHANNEL, text="two")
        messages = await closed_office.person("U0ANN").messages(CHANNEL)
    assert [m["text"] for m in messages] == ["one", "two"]
    assert float(second["ts"]) > float(first["ts"])
