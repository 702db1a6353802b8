"""Modals and Homes in the stand-in: who may open them, how deep they lie, what may be sent."""

from typing import Any

import pytest

from bot.standin.people import ActRefused
from bot.standin.refusal import Refused
from tests.bot.alone import (
    HOME,
    INPUT,
    MODAL,
    OPTION,
    SECTION,
    TYPED,
    Api,
    App,
    Modals,
    actions,
    button,
    client,
    code,
    option,
    running,
    text,
)
from tests.bot.office import Office


def opened(slack: Api, user: str = "U0ANN", **changes: Any) -> dict[str, Any]:
    trigger = slack.workspace.modals.new_trigger(user)
    view: dict[str, Any] = slack.call("views.open", trigger_id=trigger, view={**MODAL, **changes})
    return dict(view["view"])


def test_a_trigger_opens_one_view_within_three_seconds() -> None:
    slack = Api()
    first = slack.workspace.modals.new_trigger("U0ANN")
    slack.call("views.open", trigger_id=first, view=MODAL)
    with pytest.raises(Refused, match="exchanged_trigger_id"):
        slack.call("views.open", trigger_id=first, view=MODAL)
    late = slack.workspace.modals.new_trigger("U0ANN")
    slack.clock.now += 3.1
    with pytest.raises(Refused, match="expired_trigger_id"):
        slack.call("views.open", trigger_id=late, view=MODAL)
    with pytest.raises(Refused, match="invalid_trigger_id"):
        slack.call("views.open", trigger_id="made up", view=MODAL)


def test_three_views_lie_on_each_other_and_no_more() -> None:
    slack = Api()
    view = opened(slack)
    for _ in range(2):
        trigger = slack.workspace.modals.new_trigger("U0ANN", view_id=view["id"])
        view = slack.call("views.push", trigger_id=trigger, view=MODAL)["view"]
    assert view["previous_view_id"] != view["root_view_id"]
    trigger = slack.workspace.modals.new_trigger("U0ANN", view_id=view["id"])
    with pytest.raises(Refused, match="push_limit_reached"):
        slack.call("views.push", trigger_id=trigger, view=MODAL)


def test_a_view_is_pushed_only_on_one_that_is_open() -> None:
    slack = Api()
    trigger = slack.workspace.modals.new_trigger("U0ANN")
    with pytest.raises(Refused, match="not_found"):
        slack.call("views.push", trigger_id=trigger, view=MODAL)


def test_a_view_that_changed_meanwhile_is_not_overwritten() -> None:
    slack = Api()
    view = opened(slack)
    slack.call("views.update", view_id=view["id"], view=MODAL, hash=view["hash"])
    with pytest.raises(Refused, match="hash_conflict"):
        slack.call("views.update", view_id=view["id"], view=MODAL, hash=view["hash"])
    home = slack.call("views.publish", user_id="U0ANN", view=HOME)["view"]
    slack.call("views.publish", user_id="U0ANN", view=HOME, hash=home["hash"])
    with pytest.raises(Refused, match="hash_conflict"):
        slack.call("views.publish", user_id="U0ANN", view=HOME, hash=home["hash"])


@pytest.mark.parametrize(
    ("method", "given", "error"),
    [
        ("views.update", {"view_id": "V1", "view": MODAL}, "not_found"),
        ("views.update", {"view": MODAL}, "invalid_arguments"),
        ("views.publish", {"user_id": "U9", "view": HOME}, "invalid_arguments"),
        ("views.publish", {"user_id": "U0ANN", "view": MODAL}, "invalid_arguments"),
    ],
)
def test_views_that_are_nowhere_are_not_changed(
    method: str, given: dict[str, Any], error: str
) -> None:
    with pytest.raises(Refused, match=error):
        Api().call(method, **given)


def test_an_external_id_stands_once_and_finds_its_view() -> None:
    slack = Api()
    opened(slack, external_id="mine")
    with pytest.raises(Refused, match="duplicate_external_id"):
        opened(slack, "U0BEN", external_id="mine")
    changed = {**MODAL, "external_id": "mine", "title": text("New")}
    view = slack.call("views.update", external_id="mine", view=changed)["view"]
    assert view["title"]["text"] == "New"


def test_a_view_past_250_kb_is_refused() -> None:
    slack = Api()
    big = [{"type": "section", "text": text("a" * 3000)}] * 90
    with pytest.raises(Refused, match="view_too_large"):
        slack.call("views.publish", user_id="U0ANN", view={**HOME, "blocks": big})


async def test_what_is_sent_holds_what_was_entered(alone: Office) -> None:
    ann = alone.person("U0ANN")
    reason = {
        "type": "input",
        "block_id": "r",
        "label": text("Reason"),
        "element": {"type": "static_select", "action_id": "r", "options": [OPTION, option("2")]},
    }
    async with running(alone, Modals(alone)) as app:
        await app.open(ann, blocks=[INPUT, reason])
        assert await ann.choose("r", "2") == {"ok": True, "dispatched": False}
        await ann.submit({"t": "words"})
        sent = await app.interaction("view_submission")
    assert sent["view"]["state"]["values"] == {
        "i": {"t": {"type": "plain_text_input", "value": "words"}},
        "r": {"r": {"type": "static_select", "selected_option": option("2")}},
    }
    assert await ann.open_view() is None


async def test_a_form_is_not_sent_before_it_is_filled_in(alone: Office) -> None:
    ann = alone.person("U0ANN")
    element = {**TYPED, "max_length": 5, "min_length": 2}
    async with running(alone, Modals(alone)) as app:
        await app.open(ann, blocks=[{**INPUT, "element": element}])
        for entered, error in (
            ({}, "field_required"),
            ({"t": "a"}, "too_short"),
            ({"t": "abcdef"}, "too_long"),
            ({"other": "a"}, "no_such_field"),
        ):
            with pytest.raises(ActRefused, match=error):
                await ann.submit(entered)
        assert not [h for h in app.heard if h.body["type"] == "view_submission"]


async def test_errors_stand_at_fields_that_are_there(alone: Office) -> None:
    ann = alone.person("U0ANN")
    right = {"response_action": "errors", "errors": {"i": "Too short."}}
    async with running(alone, Modals(alone, right)) as app:
        await app.open(ann)
        assert await ann.submit({"t": "a"}) == {"i": "Too short."}
        assert await ann.open_view() is not None
    wrong = {"response_action": "errors", "errors": {"t": "That is an action."}}
    async with running(alone, Modals(alone, wrong)):
        with pytest.raises(ActRefused, match="invalid_errors"):
            await ann.submit({"t": "a"})


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ({"response_action": "clear"}, None),
        ({"response_action": "update", "view": {**MODAL, "title": text("New")}}, "New"),
        ({"response_action": "push", "view": {**MODAL, "title": text("Next")}}, "Next"),
    ],
)
async def test_the_answer_says_what_becomes_of_a_modal(
    alone: Office, answer: dict[str, Any], left: str | None
) -> None:
    ann = alone.person("U0ANN")
    async with running(alone, Modals(alone, answer)) as app:
        await app.open(ann)
        await ann.submit({"t": "a"})
    view = await ann.open_view()
    assert (view["title"]["text"] if view else None) == left


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "update", "view": {**MODAL, "title": text("a" * 25)}},
        {"response_action": "push"},
        {"response_action": "dance"},
    ],
)
async def test_an_answer_that_slack_cannot_show_is_refused(
    alone: Office, answer: dict[str, Any]
) -> None:
    ann = alone.person("U0ANN")
    async with running(alone, Modals(alone, answer)) as app:
        await app.open(ann)
        with pytest.raises(ActRefused, match="invalid_"):
            await ann.submit({"t": "a"})


async def test_what_was_typed_stays_when_the_app_updates_the_view(alone: Office) -> None:
    ann = alone.person("U0ANN")
    noticed = {**INPUT, "dispatch_action": True}
    async with running(alone, Modals(alone)) as app:
        await app.open(ann, blocks=[noticed])
        await ann.choose("t", "kept")
        view = await ann.open_view()
        assert view is not None
        await app.slack.views_update(
            view_id=view["id"], view={**MODAL, "blocks": [noticed, SECTION]}
        )
        await ann.submit({})
        sent = await app.interaction("view_submission")
    assert sent["view"]["state"]["values"]["i"]["t"]["value"] == "kept"


async def test_the_app_is_told_of_a_closed_modal_if_it_asked(alone: Office) -> None:
    ann = alone.person("U0ANN")
    async with running(alone, Modals(alone)) as app:
        await app.open(ann, notify_on_close=True)
        await ann.close()
        closed = await app.interaction("view_closed")
    assert closed["is_cleared"] is False
    assert await ann.open_view() is None


async def test_one_person_s_modal_is_not_another_s(alone: Office) -> None:
    ann, ben = alone.person("U0ANN"), alone.person("U0BEN")
    async with running(alone, Modals(alone)) as app:
        await app.open(ann)
        view = await ann.open_view()
        assert view is not None
        with pytest.raises(ActRefused, match="no_open_view"):
            await ben.submit({"t": "a"}, view_id=view["id"])


async def test_homes_are_told_of_published_and_pressed(alone: Office) -> None:
    ann = alone.person("U0ANN")
    menu = {"type": "static_select", "action_id": "s", "options": [OPTION]}
    home = {**HOME, "blocks": [actions(button(value="v"), menu)]}
    assert await ann.home() is None
    async with running(alone, App()) as app:
        await ann.open_home()
        event = await app.event("app_home_opened")
        assert (event["user"], event["tab"], event["channel"]) == ("U0ANN", "home", ann.dm())
        await client(alone).views_publish(user_id="U0ANN", view=home)
        await ann.choose("s", "1", home=True)
        await ann.press("a", home=True)
        pressed = await app.interaction("block_actions")
    assert pressed["container"]["type"] == "view"
    (state,) = pressed["view"]["state"]["values"].values()
    assert state["s"]["selected_option"] == OPTION
    assert await code(client(alone).views_open(trigger_id="1.2.3", view=MODAL)) == (
        "invalid_trigger_id"
    )
