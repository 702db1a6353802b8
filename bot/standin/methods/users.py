"""`users.*` and `usergroups.*`: who is there, and who belongs together."""

from bot.standin.methods.call import TIER_2, TIER_4, Call, Method
from bot.standin.refusal import Refused
from bot.standin.workspace import Json


def info(call: Call) -> Json:
    """One person."""
    user = call.workspace.users.get(str(call.given.get("user")))
    if user is None:
        raise Refused("user_not_found")
    return {"user": user}


def list_users(call: Call) -> Json:
    """Everybody."""
    found = list(call.workspace.users.values())
    return {"members": found, "response_metadata": {"next_cursor": ""}}


def list_groups(call: Call) -> Json:
    """The groups that people are in."""
    groups = call.workspace.usergroups.values()
    if call.flag("include_users"):
        return {"usergroups": list(groups)}
    return {"usergroups": [{k: v for k, v in g.items() if k != "users"} for g in groups]}


def list_group_users(call: Call) -> Json:
    """Who is in a group."""
    group = call.workspace.usergroups.get(str(call.given.get("usergroup")))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": group["users"]}


METHODS = {
    "users.info": Method(info, TIER_4, ("users:read",)),
    "users.list": Method(list_users, TIER_2, ("users:read",)),
    "usergroups.list": Method(list_groups, TIER_2, ("usergroups:read",)),
    "usergroups.users.list": Method(list_group_users, TIER_2, ("usergroups:read",)),
}
