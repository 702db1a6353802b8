"""What is done about the app and its channels: by people who may, and by Slack itself."""

from bot.standin.client import Client
from bot.standin.workspace import Json


async def channel(client: Client, *, name: str, is_private: bool = False) -> Json:
    """Make a channel with the app in it."""
    return {"channel": client.workspace.add_channel(name, is_private=is_private)}


async def invite(client: Client, *, channel: str, user: str | None = None) -> Json:
    """Invite the app, or a person, to a channel."""
    workspace = client.workspace
    where = workspace.channel(channel)
    who = user or workspace.bot_user
    if who == workspace.bot_user:
        workspace.change_channel(where, is_member=True)
    else:
        away = [u for u in workspace.channels[where].get("absent", []) if u != who]
        workspace.change_channel(where, absent=away)
    return _tell_of_member(client, "member_joined_channel", user=who, channel=where)


async def kick(client: Client, *, channel: str, user: str | None = None) -> Json:
    """Take the app, or a person, out of a channel."""
    workspace = client.workspace
    where = workspace.channel(channel)
    who = user or workspace.bot_user
    if who == workspace.bot_user:
        workspace.change_channel(where, is_member=False)
    else:
        away = workspace.channels[where].get("absent", [])
        workspace.change_channel(where, absent=[*away, who])
    return _tell_of_member(client, "member_left_channel", user=who, channel=where)


def _tell_of_member(client: Client, kind: str, *, user: str, channel: str) -> Json:
    event = {"type": kind, "user": user, "channel": channel, "team": client.workspace.team}
    return {"event_id": client.tell({**event, "event_ts": client.workspace.new_ts()})}


async def archive(client: Client, *, channel: str, is_archived: bool = True) -> Json:
    """Archive a channel, or bring it back."""
    where = client.workspace.channel(channel)
    client.workspace.change_channel(where, is_archived=is_archived)
    return {}


async def usergroup(client: Client, *, id: str, users: list[str], handle: str = "") -> Json:  # noqa: A002 - Slack's word
    """Set who is in a group."""
    for user in users:
        client.workspace.user(user)
    client.workspace.usergroups[id] = {
        "id": id,
        "team_id": client.workspace.team,
        "name": handle or id.lower(),
        "handle": handle or id.lower(),
        "users": users,
        "user_count": len(users),
    }
    client.workspace.touch("usergroup", id)
    return {}


async def install(client: Client) -> Json:
    """Allow the app into a workspace; returns the code to be redirected with."""
    code = client.tokens.new_code(client.workspace.team, client.manifest.scopes)
    return {"code": code, "team": client.workspace.team}


async def uninstall(client: Client) -> Json:
    """Take the app out of the workspace."""
    for token in client.tokens.of_team(client.workspace.team):
        token.was_uninstalled = True
    client.tokens.is_unkept = True
    told = _tell_of_tokens(client)
    client.tell({"type": "app_uninstalled"})
    return told


async def revoke(client: Client) -> Json:
    """Make the workspace's tokens worthless."""
    for token in client.tokens.of_team(client.workspace.team):
        token.is_revoked = True
    client.tokens.is_unkept = True
    return _tell_of_tokens(client)


def _tell_of_tokens(client: Client) -> Json:
    tokens = {"oauth": [], "bot": [client.workspace.bot_user]}
    return {"event_id": client.tell({"type": "tokens_revoked", "tokens": tokens})}


async def switch_on(client: Client) -> Json:
    """Switch the app's subscriptions on again."""
    client.health.switch_on()
    client.workspace.touch()
    return {}


async def refresh_sockets(client: Client, *, reason: str = "refresh_requested") -> Json:
    """Ask the app to open new sockets, as Slack does now and then."""
    return {"closed": await client.delivery.sockets.refresh(reason=reason)}


async def repeat(client: Client, *, event_id: str) -> Json:
    """Deliver an event once more, as Slack does when an acknowledgement got lost."""
    return {"repeated": client.delivery.repeat(event_id)}
