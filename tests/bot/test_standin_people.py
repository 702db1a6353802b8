"""What people do in the stand-in, what Slack's client would not let them do, and what is told."""

from typing import Any

import aiohttp
import pytest

from bot.standin.people import ActRefused
from tests.bot.alone import OPTION, App, actions, button, client, option, running
from tests.bot.office import CHANNEL, Office
from tests.bot.test_standin_blocks import FEEDBACK


async def post(office: Office, *blocks: dict[str, Any]) -> str:
    posted = await client(office).chat_postMessage(channel=CHANNEL, text="a", blocks=list(blocks))
    return str(posted["ts"])


async def test_what_a_person_cannot_do_in_slack_is_refused(alone: Office) -> None:
    ann = alone.person("U0ANN")
    ts = await post(alone, actions(button(value="v")))
    for act, error in (
        (ann.click(CHANNEL, ts, "b"), "no_such_button"),
        (ann.click(CHANNEL, ts, "a", value="w"), "no_such_button"),
        (ann.click(CHANNEL, "1.1", "a"), "message_not_found"),
        (ann.click(CHANNEL, ts, "a"), r"not_acknowledged.*connection_failed"),
        (ann.choose("s", "1", channel=CHANNEL, ts=ts), "no_such_field"),
        (ann.feedback(CHANNEL, ts, "a", "v"), "no_such_button"),
        (ann.press("a"), "no_open_view"),
        (ann.press("a", home=True), "no_home"),
        (ann.submit({}), "no_open_view"),
        (ann.close(), "no_open_view"),
        (ann.reply("C0NOWHERE", None, "hello"), "channel_not_found"),
        (ann.edit(CHANNEL, ts, "mine now"), "cant_update_message"),
        (ann.delete(CHANNEL, ts), "cant_delete_message"),
        (ann.unreact(CHANNEL, ts, "eyes"), "no_reaction"),
        (ann.administer("slash", user="U0ANN", channel=CHANNEL, command="/a", thread_ts=ts),
         "not_supported_in_threads"),
        (ann.administer("dance"), "404"),
        (ann.administer("read"), "invalid_act"),
    ):  # fmt: skip
        with pytest.raises((ActRefused, aiohttp.ClientResponseError), match=error):
            await act


async def test_only_what_is_offered_can_be_chosen(alone: Office) -> None:
    ann = alone.person("U0ANN")
    ts = await post(
        alone,
        actions(
            {"type": "static_select", "action_id": "s", "options": [OPTION]},
            {"type": "overflow", "action_id": "o", "options": [OPTION, option("2")]},
            {"type": "users_select", "action_id": "u"},
            {"type": "datepicker", "action_id": "d"},
            {"type": "checkboxes", "action_id": "c", "options": [OPTION, option("2")]},
        ),
    )
    for action, entered in (("s", "2"), ("o", "3"), ("u", "nobody"), ("d", "tomorrow"), ("c", "9")):
        with pytest.raises(ActRefused, match="no_such_"):
            await ann.choose(action, entered, channel=CHANNEL, ts=ts)
    async with running(alone, App()) as app:
        for action, entered, chosen in (
            ("s", "1", {"selected_option": OPTION}),
            ("o", "2", {"selected_option": option("2")}),
            ("u", "U0BEN", {"selected_user": "U0BEN"}),
            ("d", "2026-01-31", {"selected_date": "2026-01-31"}),
            ("c", ["1", "2"], {"selected_options": [OPTION, option("2")]}),
        ):
            await ann.choose(action, entered, channel=CHANNEL, ts=ts)
            told = (await app.interaction("block_actions"))["actions"][0]
            assert chosen.items() <= told.items()
        (state,) = (await app.interaction("block_actions"))["state"]["values"].values()
    assert state["u"]["selected_user"] == "U0BEN"
    assert "o" not in state


async def test_feedback_is_told_with_the_value_of_the_thumb(alone: Office) -> None:
    ann = alone.person("U0ANN")
    ts = await post(alone, {"type": "context_actions", "elements": [FEEDBACK]})
    with pytest.raises(ActRefused, match="no_such_button"):
        await ann.feedback(CHANNEL, ts, "f", "middling")
    async with running(alone, App()) as app:
        await ann.feedback(CHANNEL, ts, "f", "bad")
        told = (await app.interaction("block_actions"))["actions"][0]
    assert (told["type"], told["value"]) == ("feedback_buttons", "bad")


async def test_edits_and_deletions_are_told_as_slack_tells_them(alone: Office) -> None:
    ann = alone.person("U0ANN")
    async with running(alone, App()) as app:
        head = await ann.reply(CHANNEL, None, "head")
        sent = await ann.reply(CHANNEL, head["ts"], "first")
        await ann.edit(CHANNEL, sent["ts"], "second")
        changed = await app.event("message", subtype="message_changed")
        assert changed["message"]["text"] == "second"
        assert changed["message"]["edited"]["user"] == "U0ANN"
        assert changed["message"]["thread_ts"] == head["ts"]
        assert changed["previous_message"]["text"] == "first"
        await ann.delete(CHANNEL, head["ts"])
        stone = await app.event("message", subtype="message_changed", message=_Stone())
        assert stone["previous_message"]["text"] == "head"
        await ann.delete(CHANNEL, sent["ts"])
        deleted = await app.event("message", subtype="message_deleted")
    assert (deleted["deleted_ts"], deleted["channel_type"]) == (sent["ts"], "channel")
    assert deleted["previous_message"]["text"] == "second"


class _Stone:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and other.get("subtype") == "tombstone"


async def test_nothing_was_said_in_a_conversation_that_was_never_opened(alone: Office) -> None:
    ann = alone.person("U0ANN")
    assert await ann.messages(ann.dm()) == []


async def test_a_mention_is_told_twice_and_a_direct_message_once(alone: Office) -> None:
    ann = alone.person("U0ANN")
    async with running(alone, App()) as app:
        sent = await ann.reply(CHANNEL, None, "<@U0STANDIN> help")
        assert (await app.event("app_mention"))["ts"] == sent["ts"]
        assert (await app.event("message"))["ts"] == sent["ts"]
        await ann.direct("<@U0STANDIN> psst")
        direct = await app.event("message", channel=ann.dm())
        await ann.reply(CHANNEL, None, "last")
        await app.event("message", text="last")
    assert direct["channel_type"] == "im"
    assert sum(h.event["type"] == "app_mention" for h in app.heard) == 1


async def test_reactions_are_told_with_the_author_of_what_they_stand_at(alone: Office) -> None:
    ann = alone.person("U0ANN")
    ts = await post(alone, actions(button()))
    async with running(alone, App()) as app:
        await ann.react(CHANNEL, ts, "eyes")
        added = await app.event("reaction_added")
        await ann.unreact(CHANNEL, ts, "eyes")
        removed = await app.event("reaction_removed")
    for event in (added, removed):
        assert (event["item_user"], event["item"]["ts"]) == ("U0STANDIN", ts)


async def test_an_answer_to_an_interaction_goes_where_it_came_from_five_times(
    alone: Office,
) -> None:
    ann = alone.person("U0ANN")
    ts = await post(alone, actions(button()))
    async with running(alone, App()) as app, aiohttp.ClientSession() as session:
        await ann.click(CHANNEL, ts, "a")
        url = (await app.interaction("block_actions"))["response_url"]

        async def answer(**given: Any) -> int:
            async with session.post(url, json=given) as response:
                return response.status

        assert await answer(text="done", replace_original=True) == 200
        assert (await ann.messages(CHANNEL))[-1]["text"] == "done"
        assert await answer(text="only you") == 200
        assert [m["text"] for m in await ann.ephemerals()] == ["only you"]
        assert await answer(blocks=[{"type": "section"}]) == 404
        assert await answer(text="all", response_type="in_channel") == 200
        assert await answer(delete_original=True) == 200
        assert await answer(text="once more") == 404
    assert [m["text"] for m in await ann.messages(CHANNEL)] == ["all"]


async def test_people_have_names_and_anybody_else_has_an_id(alone: Office) -> None:
    slack = client(alone)
    members = (await slack.users_list())["members"]
    named = {m["id"]: m["real_name"] for m in members}
    assert (named["U0ANN"], named["U0BEN"]) == ("Ann Archer", "Ben Okafor")
    await alone.person("U0ZOE").reply(CHANNEL, None, "hello")
    assert (await slack.users_info(user="U0ZOE"))["user"]["name"] == "zoe"


async def test_groups_are_who_was_put_in_them(alone: Office) -> None:
    ann = alone.person("U0ANN")
    await ann.set_usergroup("S0AGENTS", ["U0ANN", "U0BEN"])
    slack = client(alone)
    assert (await slack.usergroups_users_list(usergroup="S0AGENTS"))["users"] == ["U0ANN", "U0BEN"]
    assert [g["id"] for g in (await slack.usergroups_list())["usergroups"]] == ["S0AGENTS"]


async def test_unread_counts_are_a_person_s_own(alone: Office) -> None:
    ann, ben = alone.person("U0ANN"), alone.person("U0BEN")
    for words in ("one", "two"):
        await ann.reply(CHANNEL, None, words)
    await ann.administer("read", user="U0ANN", channel=CHANNEL)

    async def unread(user: str) -> int:
        url = f"http://127.0.0.1:{alone.slack_port}/standin/state"
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params={"user": user}) as answer,
        ):
            channels = (await answer.json())["channels"]
        return int(next(c["unread"] for c in channels if c["name"] == CHANNEL))

    assert (await unread("U0ANN"), await unread(ben.user_id)) == (0, 2)


async def test_a_look_sees_everything_although_only_changes_are_sent(alone: Office) -> None:
    ann, ben = alone.person("U0ANN"), alone.person("U0BEN")
    head = await ben.reply(CHANNEL, None, "head")
    reply = await ben.reply(CHANNEL, head["ts"], "first")
    gone = await ben.reply(CHANNEL, None, "gone")

    async def seen() -> tuple[list[str], list[str]]:
        channel = [m["text"] for m in await ann.messages(CHANNEL)]
        return channel, [m["text"] for m in await ann.thread(CHANNEL, head["ts"])]

    assert await seen() == (["head", "gone"], ["head", "first"])
    await ben.edit(CHANNEL, reply["ts"], "second")
    await ben.delete(CHANNEL, gone["ts"])
    await ben.reply(CHANNEL, None, "new")
    assert await seen() == (["head", "new"], ["head", "second"])
    await ben.delete(CHANNEL, reply["ts"])
    assert await seen() == (["head", "new"], ["head"])
    assert [m["text"] for m in await ann.messages(CHANNEL, newest=1)] == ["new"]
