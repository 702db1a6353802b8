"""The stand-in's page: channels and threads to read. Pure; all that people wrote is escaped."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape, unescape

from bot.standin.people import buttons_of, text_of
from bot.standin.workspace import Json, Workspace

_NEWEST = 50
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}article{border-left:3px solid #8888;padding:0 .8rem;margin:.8rem 0}"
    "article article{margin-left:1rem}small{opacity:.7}p{margin:.2rem 0;white-space:pre-wrap}"
)


def page(workspace: Workspace) -> str:
    """The whole page, the newest messages of each channel first."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<title>Stand-in for Slack</title>",
        f"<style>{_STYLE}</style><h1>Stand-in for Slack</h1>",
        "<p>Nothing here reaches Slack. Set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET to work in a "
        "real workspace. This page is for reading; buttons are pressed through the control API "
        "under <code>/standin/</code> (bot/standin/people.py).</p>",
    ]
    for channel in workspace.channels.values():
        heads = workspace.in_channel(channel["id"])
        parts.append(f"<h2>#{escape(channel['name'])} <small>{len(heads)} messages</small></h2>")
        parts += [_thread(workspace, channel["id"], head) for head in heads[: -_NEWEST - 1 : -1]]
    return "".join(parts)


def _thread(workspace: Workspace, channel: str, head: Json) -> str:
    replies = workspace.in_thread(channel, head["ts"])[1:]
    return _message(head, "".join(_message(reply) for reply in replies))


def _message(message: Json, inside: str = "") -> str:
    at = datetime.fromtimestamp(float(message["ts"]), UTC).strftime("%Y-%m-%d %H:%M:%S")
    lines = "".join(f"<p>{escape(unescape(line))}</p>" for line in _once(text_of(message)))
    offered = ", ".join(escape(name) for name in buttons_of(message))
    buttons = f"<p><small>buttons: {offered}</small></p>" if offered else ""
    who = escape(str(message.get("user", "app")))
    return f"<article><small>{who} · {at}</small>{lines}{buttons}{inside}</article>"


def _once(text: str) -> Iterable[str]:
    return dict.fromkeys(line for line in text.splitlines() if line.strip())
