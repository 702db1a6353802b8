"""The stand-in goes on after a restart, and stays quick through a long day."""

import time

from tests.bot.alone import HOME, Api, Modals, actions, button, client, running
from tests.bot.office import CHANNEL, Office


async def test_the_workspace_is_there_again_after_a_restart(closed_office: Office) -> None:
    ann = closed_office.person("U0ANN")
    async with closed_office.slack():
        slack = client(closed_office)
        first = await slack.chat_postMessage(channel=CHANNEL, text="one")
        ts = str(first["ts"])
        await slack.chat_postMessage(channel=CHANNEL, text="inside", thread_ts=ts)
        await ann.react(CHANNEL, ts, "eyes")
        await slack.views_publish(user_id="U0ANN", view=HOME)
        await ann.reply(CHANNEL, None, "gone", files=[{"name": "a.txt", "content": "kept"}])
        gone = (await ann.messages(CHANNEL))[-1]
    async with closed_office.slack():
        (file,) = gone["files"]
        assert await ann.download(file) == b"kept"
        await ann.delete(CHANNEL, gone["ts"])
    async with closed_office.slack():
        second = await slack.chat_postMessage(channel=CHANNEL, text="two")
        messages = await ann.messages(CHANNEL)
        assert [m["text"] for m in messages] == ["one", "two"]
        assert (messages[0]["reply_count"], messages[0]["reactions"][0]["name"]) == (1, "eyes")
        assert [m["text"] for m in await ann.thread(CHANNEL, ts)] == ["one", "inside"]
        assert await ann.home() is not None
    assert float(second["ts"]) > float(first["ts"])


async def test_modals_do_not_outlive_a_restart(closed_office: Office) -> None:
    ann = closed_office.person("U0ANN")
    async with closed_office.slack(), running(closed_office, Modals(closed_office)) as app:
        await app.open(ann)
        assert await ann.open_view() is not None
    async with closed_office.slack():
        assert await ann.open_view() is None


def test_a_long_day_makes_nothing_slow() -> None:
    slack = Api()
    heads = [slack.post(text=f"escalation {n}", blocks=[actions(button())]) for n in range(500)]
    for head in heads:
        for n in range(10):
            slack.post(text=f"turn {n}", thread_ts=head)
    started = time.perf_counter()
    for head in heads[-50:]:
        slack.call("conversations.replies", channel=CHANNEL, ts=head)
        slack.call("conversations.history", channel=CHANNEL, oldest=heads[-1], limit=10)
        slack.call("chat.update", channel=CHANNEL, ts=head, text="changed")
        slack.post(text="one more", thread_ts=head)
    seconds = (time.perf_counter() - started) / 200
    assert seconds < 0.002
