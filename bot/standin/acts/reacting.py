"""Reactions of people."""

from bot.standin.client import Client
from bot.standin.workspace import Json


async def react(client: Client, *, user: str, channel: str, ts: str, name: str) -> Json:
    """React to a message."""
    where = client.workspace.channel(channel)
    client.workspace.user(user)
    client.workspace.react(where, ts, name=name, user=user)
    return _tell(client, "reaction_added", user=user, channel=where, ts=ts, name=name)


async def unreact(client: Client, *, user: str, channel: str, ts: str, name: str) -> Json:
    """Take one's reaction away."""
    where = client.workspace.channel(channel)
    client.workspace.unreact(where, ts, name=name, user=user)
    return _tell(client, "reaction_removed", user=user, channel=where, ts=ts, name=name)


def _tell(client: Client, kind: str, *, user: str, channel: str, ts: str, name: str) -> Json:
    author = client.workspace.message(channel, ts).get("user")
    event = {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": channel, "ts": ts},
        "item_user": author,
        "event_ts": client.workspace.new_ts(),
    }
    return {"event_id": client.tell(event)}
