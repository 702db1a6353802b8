"""The stand-in's page shows channels and threads, and runs nothing that people wrote."""

import time

from bot.standin.page import page
from bot.standin.workspace import Workspace


def test_a_thread_is_shown_with_its_replies_and_nothing_of_it_is_markup() -> None:
    workspace = Workspace(time.time)
    channel = workspace.add_channel("support")
    head = workspace.post(channel, {"text": "Escalation <b>one</b>", "user": "UBOT"})
    workspace.post(channel, {"text": "&lt;script&gt;", "user": "U0ANN"}, thread_ts=head["ts"])
    shown = page(workspace)
    assert "Nothing here reaches Slack" in shown
    assert "Escalation &lt;b&gt;one&lt;/b&gt;" in shown
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert shown.index("Escalation") < shown.index("&lt;script")
