"""The stand-in refuses blocks and views that Slack would refuse, and no others."""

from typing import Any

import pytest

from bot.standin.block_rules import problems, view_problems
from bot.standin.refusal import Refused
from tests.bot.alone import (
    HOME,
    INPUT,
    MODAL,
    OPTION,
    SECTION,
    TYPED,
    Api,
    actions,
    button,
    option,
    text,
)

FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "f",
    "positive_button": {"text": text("Good"), "value": "good"},
    "negative_button": {"text": text("Bad"), "value": "bad"},
}
ICON = {"type": "icon_button", "action_id": "i", "icon": "trash", "text": text("Delete")}
CONFIRM = {
    "title": text("Sure?"),
    "text": text("It goes."),
    "confirm": text("Yes"),
    "deny": text("No"),
}
SELECT = {"type": "static_select", "action_id": "s", "options": [OPTION]}
RICH = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}],
}
TASK = {"type": "task_card", "task_id": "1", "title": "Look", "status": "pending"}
CHART = {
    "type": "data_visualization",
    "title": "Cost",
    "chart": {
        "type": "bar",
        "axis_config": {"categories": ["A", "B"]},
        "series": [{"name": "x", "data": [{"label": "A", "value": 1}, {"label": "B", "value": 2}]}],
    },
}


def context_actions(*elements: Any) -> dict[str, Any]:
    return {"type": "context_actions", "elements": list(elements)}


def table(rows: int, columns: int, cell: str = "a") -> dict[str, Any]:
    row = [{"type": "raw_text", "text": cell}] * columns
    return {"type": "table", "rows": [row] * rows}


def image(url: str, alt: str = "a") -> dict[str, Any]:
    return {"type": "image", "image_url": url, "alt_text": alt}


REFUSED: list[Any] = [
    "not a list",
    ["not a block"],
    [SECTION] * 51,
    [{"type": "no_such_block"}],
    [{"type": "section"}],
    [{"type": "section", "text": text("")}],
    [{"type": "section", "text": text("a" * 3001)}],
    [{"type": "section", "text": text("😀" * 1501)}],
    [{"type": "section", "text": text("a", kind="html")}],
    [{"type": "section", "text": {**text("a", kind="mrkdwn"), "emoji": True}}],
    [{"type": "section", "fields": [text("a")] * 11}],
    [{"type": "section", "fields": [text("a" * 2001)]}],
    [{**SECTION, "accessory": TYPED}],
    [{**SECTION, "colour": "red"}],
    [{**SECTION, "block_id": "b" * 256}],
    [{**SECTION, "block_id": "b"}, {**SECTION, "block_id": "b"}],
    [{"type": "header", "text": text("a" * 151)}],
    [{"type": "header", "text": text("a", kind="mrkdwn")}],
    [{"type": "context", "elements": [text("a")] * 11}],
    [{"type": "context", "elements": []}],
    [{"type": "markdown", "text": "a" * 12_001}],
    [{"type": "markdown", "text": "a" * 7000}] * 2,
    [{"type": "image", "alt_text": "a"}],
    [{"type": "image", "image_url": "https://a.example/a.png"}],
    [image("https://a.example/a.png", "a" * 2001)],
    [image("http://127.0.0.1/plot.png")],
    [image("file:///plot.png")],
    [INPUT],
    [actions()],
    [actions(*[button(action_id=f"a{i}") for i in range(26)])],
    [actions(button(), button())],
    [actions(button(text=text("a" * 76)))],
    [actions(button(text=text("a", kind="mrkdwn")))],
    [actions(button(value="a" * 2001))],
    [actions(button(url="https://a.example/" + "a" * 3000))],
    [actions(button(action_id="a" * 256))],
    [actions(button(style="loud"))],
    [actions(button(colour="red"))],
    [actions(button(confirm={**CONFIRM, "title": text("a" * 101)}))],
    [actions(button(confirm={**CONFIRM, "text": text("a" * 301)}))],
    [actions(button(confirm={**CONFIRM, "confirm": text("a" * 31)}))],
    [actions(button(confirm={**CONFIRM, "deny": text("a" * 31)}))],
    [actions(button(confirm={**CONFIRM, "deny": None}))],
    [actions({"type": "no_such_element"})],
    [actions(TYPED)],
    [actions(FEEDBACK)],
    [actions({**SELECT, "options": [option(str(i)) for i in range(101)]})],
    [actions({**SELECT, "options": []})],
    [actions({**SELECT, "options": [option(words="a" * 76)]})],
    [actions({**SELECT, "options": [option(value="a" * 151)]})],
    [actions({**SELECT, "options": [{**OPTION, "text": text("a", kind="mrkdwn")}]})],
    [actions({**SELECT, "options": [{**OPTION, "description": text("a" * 76)}]})],
    [actions({**SELECT, "initial_option": option("2")})],
    [actions({**SELECT, "placeholder": text("a" * 151)})],
    [actions({**SELECT, "option_groups": [{"label": text("a"), "options": [OPTION]}]})],
    [actions({"type": "checkboxes", "options": [OPTION] * 11})],
    [actions({"type": "checkboxes", "options": [OPTION], "initial_options": [option("2")]})],
    [actions({"type": "radio_buttons", "options": [OPTION] * 11})],
    [actions({"type": "overflow", "options": [OPTION] * 6})],
    [actions({"type": "datepicker", "initial_date": "tomorrow"})],
    [context_actions()],
    [context_actions(*[{**ICON, "action_id": f"i{i}"} for i in range(6)])],
    [context_actions(button())],
    [context_actions({**FEEDBACK, "positive_button": None})],
    [context_actions({**FEEDBACK, "positive_button": {"text": text("a"), "value": "a" * 2001}})],
    [context_actions({**FEEDBACK, "positive_button": {"text": text("a" * 76), "value": "a"}})],
    [context_actions({**ICON, "icon": "rocket"})],
    [{"type": "rich_text", "elements": [{"type": "no_such_part"}]}],
    [table(101, 1)],
    [table(1, 21)],
    [table(10, 10, "a" * 101)],
    [table(1, 1), table(1, 1)],
    [{"type": "table", "rows": [[{"type": "mrkdwn", "text": "a"}]]}],
    [{"type": "data_table", "caption": "c", "rows": table(1, 1)["rows"]}],
    [{"type": "alert", "text": text("a" * 201)}],
    [{"type": "alert", "text": text("a"), "level": "loud"}],
    [{"type": "card", "subtitle": text("a")}],
    [{"type": "card", "title": text("a" * 151)}],
    [{"type": "card", "title": text("a"), "actions": [button(action_id=c) for c in "abcd"]}],
    [{"type": "carousel", "elements": [SECTION]}],
    [{**TASK, "status": "perhaps"}],
    [{**TASK, "details": "words"}],
    [{"type": "plan", "title": "p", "tasks": [SECTION]}],
    [{**CHART, "title": "a" * 51}],
    [{**CHART, "chart": {"type": "pie", "segments": [{"label": "a", "value": 0}]}}],
    [{**CHART, "chart": {**CHART["chart"], "axis_config": {"categories": ["A"]}}}],  # type: ignore[dict-item]
]

TAKEN: list[Any] = [
    [SECTION] * 50,
    [{"type": "section", "text": text("a" * 3000)}],
    [{**SECTION, "accessory": button(confirm=CONFIRM)}],
    [{"type": "header", "text": text("a" * 150)}, {"type": "divider"}],
    [actions(*[button(action_id=f"a{i}", value="v" * 2000) for i in range(25)])],
    [actions({**SELECT, "initial_option": OPTION, "placeholder": text("Which?")})],
    [actions({"type": "users_select", "action_id": "u"}, {"type": "datepicker"})],
    [actions({"type": "overflow", "options": [option(str(i)) for i in range(5)]})],
    [{"type": "markdown", "text": "a" * 12_000}],
    [context_actions(FEEDBACK, ICON)],
    [RICH, table(100, 20)],
    [{"type": "data_table", "caption": "c", "rows": table(2, 2)["rows"]}],
    [{"type": "alert", "text": text("a" * 200), "level": "warning"}],
    [{"type": "carousel", "elements": [{"type": "card", "title": text("a" * 150)}]}],
    [{"type": "plan", "title": "p", "tasks": [{**TASK, "details": RICH}]}, CHART],
    [image("https://a.example/plot.png", "a" * 2000)],
    [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a"}],
]


@pytest.mark.parametrize("blocks", REFUSED)
def test_blocks_past_a_limit_are_refused(blocks: Any) -> None:
    assert problems(blocks, most=50)
    with pytest.raises(Refused, match="invalid_blocks"):
        Api().call("chat.postMessage", channel="support", blocks=blocks)


@pytest.mark.parametrize("blocks", TAKEN)
def test_blocks_at_a_limit_are_taken(blocks: Any) -> None:
    assert problems(blocks, most=50) == []


@pytest.mark.parametrize(
    "change",
    [
        {"title": text("a" * 25)},
        {"title": None},
        {"submit": None},
        {"submit": text("a" * 25)},
        {"close": text("a" * 25)},
        {"private_metadata": "a" * 3001},
        {"callback_id": "a" * 256},
        {"external_id": "a" * 256},
        {"blocks": []},
        {"blocks": [SECTION] * 101},
        {"blocks": [{**INPUT, "element": {**TYPED, "max_length": 3001}}]},
        {"blocks": [{**INPUT, "element": {**TYPED, "initial_value": "a" * 3001}}]},
        {"blocks": [{**INPUT, "element": {**TYPED, "max_length": 5, "initial_value": "abcdef"}}]},
        {"blocks": [{**INPUT, "element": button()}]},
        {"blocks": [{**INPUT, "label": text("a" * 2001)}]},
        {"blocks": [{**INPUT, "hint": text("a" * 2001)}]},
        {"blocks": [{**INPUT, "optional": "yes"}]},
        {"blocks": [{"type": "markdown", "text": "a"}]},
        {"blocks": [table(1, 1)]},
        {"blocks": [context_actions(ICON)]},
        {"type": "poster"},
        {"id": "V1"},
        {"notify_on_close": "yes"},
    ],
)
def test_views_past_a_limit_are_refused(change: dict[str, Any]) -> None:
    assert view_problems(MODAL) == []
    assert view_problems({**MODAL, **change})


def test_only_one_field_is_in_focus_at_first() -> None:
    focused = [{**INPUT, "block_id": c, "element": {**TYPED, "focus_on_load": True}} for c in "ab"]
    assert view_problems({**MODAL, "blocks": focused[:1]}) == []
    assert view_problems({**MODAL, "blocks": focused})


def test_a_home_has_no_title_and_nothing_to_send() -> None:
    assert view_problems({**HOME, "blocks": [SECTION] * 100}) == []
    assert view_problems({**HOME, "title": text("T")})
    assert view_problems({**HOME, "submit": text("S")})


def test_blocks_and_elements_without_ids_get_some() -> None:
    slack = Api()
    ts = slack.post(blocks=[actions({"type": "button", "text": text("Go")})])
    (block,) = slack.workspace.message(slack.channel, ts)["blocks"]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]
