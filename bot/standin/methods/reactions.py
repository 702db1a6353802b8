"""`reactions.*`: emoji on messages."""

import re

from bot.standin.methods.call import TIER_2, TIER_3, Call, Method
from bot.standin.refusal import Refused
from bot.standin.workspace import Json

_NAME = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


def add(call: Call) -> Json:
    """React to a message."""
    channel, name = _item(call)
    if call.workspace.channels[channel]["is_archived"]:
        raise Refused("is_archived")
    user = call.workspace.bot_user
    call.workspace.react(channel, call.given["timestamp"], name=name, user=user)
    return {}


def remove(call: Call) -> Json:
    """Take one's own reaction away."""
    channel, name = _item(call)
    user = call.workspace.bot_user
    call.workspace.unreact(channel, call.given["timestamp"], name=name, user=user)
    return {}


def get(call: Call) -> Json:
    """What people reacted with."""
    channel = call.own_channel()
    message = call.workspace.message(channel, call.given.get("timestamp"))
    return {"type": "message", "channel": channel, "message": message}


def _item(call: Call) -> tuple[str, str]:
    if not call.given.get("channel") or not call.given.get("timestamp"):
        raise Refused("no_item_specified")
    channel = call.own_channel()
    name = str(call.given.get("name") or "").strip(":")
    if not _NAME.fullmatch(name):
        raise Refused("invalid_name")
    return channel, name


METHODS = {
    "reactions.add": Method(add, TIER_3, ("reactions:write",)),
    "reactions.remove": Method(remove, TIER_2, ("reactions:write",)),
    "reactions.get": Method(get, TIER_3, ("reactions:read",)),
}
