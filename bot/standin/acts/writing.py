"""Writing, editing and deleting messages, and reading them."""

import base64
import secrets
from typing import Any

from bot.standin.client import Client
from bot.standin.events import message_changed, message_deleted, without_metadata
from bot.standin.methods.files import new_file
from bot.standin.refusal import Refused
from bot.standin.workspace import Json


async def reply(
    client: Client,
    *,
    user: str,
    channel: str,
    text: str,
    thread_ts: str | None = None,
    files: list[Json] | None = None,
    blocks: list[Json] | None = None,
    broadcast: bool = False,
) -> Json:
    """Write a message, in a thread where one is named; a mention is told in two events.

    `blocks` are what Slack's client sends beside the text: what was typed, in its form.
    """
    workspace = client.workspace
    where = _writable(client, channel)
    workspace.user(user)
    message: Json = {
        "client_msg_id": secrets.token_hex(16),
        "user": user,
        "team": workspace.team,
        "text": text,
    }
    if blocks:
        message["blocks"] = blocks
    if files:
        message |= {
            "subtype": "file_share",
            "upload": False,
            "files": _attached(client, user, files),
        }
    posted = workspace.post(where, message, thread_ts=thread_ts, broadcast=broadcast)
    event = {**without_metadata(posted), "channel": where}
    event_id = client.tell(event)
    if f"<@{workspace.bot_user}>" in text and not workspace.channels[where]["is_im"]:
        mention = {k: v for k, v in event.items() if k != "subtype"}
        client.tell({**mention, "type": "app_mention"})
    return {"ts": posted["ts"], "event_id": event_id, "channel": where}


async def direct(
    client: Client,
    *,
    user: str,
    text: str,
    thread_ts: str | None = None,
    files: list[Json] | None = None,
    blocks: list[Json] | None = None,
) -> Json:
    """Write to the app."""
    client.workspace.user(user)
    channel = client.workspace.direct_channel(user)
    return await reply(
        client,
        user=user,
        channel=channel,
        text=text,
        thread_ts=thread_ts,
        files=files,
        blocks=blocks,
    )


async def start_thread(client: Client, *, user: str) -> Json:
    """Begin a new conversation with an app that is an agent, as Slack's own pane does."""
    workspace = client.workspace
    workspace.user(user)
    where = workspace.direct_channel(user)
    author = {
        "user": workspace.bot_user,
        "bot_id": workspace.bot,
        "subtype": "assistant_app_thread",
    }
    head = workspace.post(where, {**author, "text": "New conversation"})
    thread = {"user_id": user, "context": {}, "channel_id": where, "thread_ts": head["ts"]}
    event = {"type": "assistant_thread_started", "assistant_thread": thread}
    return {"ts": head["ts"], "channel": where, "event_id": client.tell(event)}


def _writable(client: Client, channel: str) -> str:
    where = client.workspace.channel(channel)
    if client.workspace.channels[where]["is_archived"]:
        raise Refused("is_archived")
    return where


def _attached(client: Client, user: str, files: list[Json]) -> list[Json]:
    """What a person attached: a name, and its content as text or base64."""
    return [_kept(client, user, given) for given in files]


def _kept(client: Client, user: str, given: Json) -> Json:
    encoded = given.get("base64")
    content = base64.b64decode(encoded) if encoded else str(given.get("content", "")).encode()
    name, length = str(given["name"]), len(content)
    file = new_file(client.workspace, name, length, user=user, url=client.url)
    client.keeping.write_file(f"{client.workspace.team}-{file['id']}", content)
    file["uploaded"] = True
    if given.get("alt_txt"):
        file["alt_txt"] = given["alt_txt"]
    return file


async def edit(
    client: Client,
    *,
    user: str,
    channel: str,
    ts: str,
    text: str,
    blocks: list[Json] | None = None,
) -> Json:
    """Change what one wrote oneself."""
    workspace = client.workspace
    where = _writable(client, channel)
    message = _own(client, user, where, ts, code="cant_update_message")
    before = without_metadata(dict(message))
    message |= {"text": text, "edited": {"user": user, "ts": workspace.new_ts()}}
    message.pop("blocks", None)
    if blocks:
        message["blocks"] = blocks
    workspace.touch_message(where, ts)
    return {"event_id": client.tell(message_changed(workspace, where, message, before=before))}


async def delete(client: Client, *, user: str, channel: str, ts: str) -> Json:
    """Take away what one wrote oneself."""
    workspace = client.workspace
    where = _writable(client, channel)
    message = _own(client, user, where, ts, code="cant_delete_message")
    before = without_metadata(dict(message))
    workspace.delete(where, message)
    if message.get("subtype") == "tombstone":
        event = message_changed(workspace, where, message, before=before)
    else:
        event = message_deleted(workspace, where, before=before)
    return {"event_id": client.tell(event)}


def _own(client: Client, user: str, channel: str, ts: str, *, code: str) -> Json:
    message = client.workspace.message(channel, ts)
    if message.get("user") != user:
        raise Refused(code)
    return message


async def read(client: Client, *, user: str, channel: str, **_: Any) -> Json:
    """Have seen everything in a channel."""
    where = client.workspace.channel(channel)
    heads = client.workspace.logs[where].heads()
    client.workspace.seen.setdefault(user, {})[where] = heads[-1] if heads else ""
    client.workspace.touch("seen", user)
    return {}
