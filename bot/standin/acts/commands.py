"""Slash commands and message shortcuts."""

import time

from bot.standin.client import Client, acknowledged
from bot.standin.events import without_metadata
from bot.standin.given import checked_blocks
from bot.standin.refusal import Refused
from bot.standin.workspace import APP, Json


async def shortcut(client: Client, *, user: str, callback_id: str, channel: str, ts: str) -> Json:
    """Choose a message shortcut."""
    known = client.manifest.shortcuts
    if known is not None and callback_id not in known:
        raise Refused("no_such_shortcut", messages=[callback_id])
    workspace = client.workspace
    where = workspace.channel(channel)
    message = workspace.message(where, ts)
    thread_ts = message.get("thread_ts")
    payload = {
        "type": "message_action",
        "callback_id": callback_id,
        "channel": client.channel(where),
        "message": without_metadata(message),
        "message_ts": ts,
        "action_ts": f"{time.time():.6f}",
        "response_url": client.response_urls.new(workspace, where, user, thread_ts=thread_ts),
    }
    await client.interact(payload, user=user)
    return {"acknowledged": True}


async def slash(
    client: Client,
    *,
    user: str,
    channel: str,
    command: str,
    text: str = "",
    thread_ts: str | None = None,
) -> Json:
    """Give a slash command; what the app answers is shown to the person."""
    if thread_ts is not None:
        raise Refused("not_supported_in_threads", messages=[f"{command} in a thread"])
    known = client.manifest.commands
    if known is not None and command not in known:
        raise Refused("no_such_command", messages=[command])
    workspace = client.workspace
    where = workspace.channel(channel)
    form = _form(client, user, where, command=command, text=text)
    answer = acknowledged(await client.delivery.command(form))
    body = answer.body if isinstance(answer.body, dict) else {"text": answer.body or ""}
    if not body.get("text") and not body.get("blocks"):
        return {"acknowledged": True}
    content = {"text": body.get("text", ""), "blocks": checked_blocks(body.get("blocks"))}
    if body.get("response_type") == "in_channel":
        author = {"user": workspace.bot_user, "bot_id": workspace.bot, "app_id": APP}
        posted = workspace.post(where, {**author, **content})
        client.tell({**posted, "channel": where})
    else:
        whisper = {"channel": where, "user": user, "thread_ts": None, "is_ephemeral": True}
        workspace.whisper({**whisper, **content})
    return {"acknowledged": True}


def _form(client: Client, user: str, channel: str, *, command: str, text: str) -> dict[str, str]:
    workspace = client.workspace
    return {
        "token": "standin",
        "team_id": workspace.team,
        "team_domain": workspace.name.lower(),
        "channel_id": channel,
        "channel_name": client.channel(channel)["name"],
        "user_id": user,
        "user_name": workspace.user(user)["name"],
        "command": command,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": client.response_urls.new(workspace, channel, user),
        "trigger_id": workspace.modals.new_trigger(user),
    }
