"""What people see of a workspace: for the page, for `Person`, and for whoever looks. No I/O."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence

from bot.standin.message_log import MessageLog, root_of
from bot.standin.workspace import Json, Workspace

Query = Mapping[str, str]
_ALL = 10**9


def state(workspace: Workspace, query: Query) -> Json:
    """Channels, people, direct messages, and what a person has not read (`user`)."""
    user = query.get("user", "")
    return {
        "team": {"id": workspace.team, "name": workspace.name},
        "bot": {"user": workspace.bot_user, "bot_id": workspace.bot},
        "channels": [_with_counts(workspace, c, user) for c in _channels(workspace, user)],
        "users": list(workspace.users.values()),
        "usergroups": list(workspace.usergroups.values()),
    }


def _channels(workspace: Workspace, user: str) -> list[Json]:
    """What stands in a person's list: all channels, and the conversation with the app."""
    seen = workspace.channels.values()
    return [c for c in seen if not c["is_im"] or not user or c["user"] == user]


def _with_counts(workspace: Workspace, channel: Json, user: str) -> Json:
    heads = workspace.logs[channel["id"]].heads()
    seen = workspace.seen.get(user, {}).get(channel["id"], "") if user else ""
    return {
        **channel,
        "messages": len(heads),
        "latest": heads[-1] if heads else None,
        "unread": len(heads) - bisect_right(heads, seen),
    }


def messages(workspace: Workspace, query: Query) -> Json:
    """A channel without its threads' replies, oldest first; at most the `limit` newest ones.

    `before` and `after` are times of messages: only what is older or newer is shown. `since` is the
    `version` of an earlier look: only what has changed after it is shown, if that is known.
    """
    log = workspace.logs[_channel(workspace, query)]
    heads = log.heads()
    changes = _changes(log, heads, query)
    if changes is not None:
        return changes
    first = bisect_right(heads, query.get("after", ""))
    last = len(heads)
    while last > first and query.get("before") and heads[last - 1] >= query["before"]:
        last -= 1
    first = max(first, last - int(query.get("limit", _ALL)))
    return {"messages": log.messages(heads[first:last]), "older": first, "version": log.version}


def _changes(log: MessageLog, times: Sequence[str], query: Query) -> Json | None:
    """What has changed of these messages since a version; None where all must be shown."""
    changed = log.changed_since(query.get("since", ""))
    if changed is None:
        return None
    there = sorted(ts for ts in changed if _stands(times, ts))
    gone = sorted(ts for ts in changed if log.get(ts) is None)
    return {"messages": log.messages(there), "gone": gone, "version": log.version}


def _stands(times: Sequence[str], ts: str) -> bool:
    index = bisect_left(times, ts)
    return index < len(times) and times[index] == ts


def thread(workspace: Workspace, query: Query) -> Json:
    """A thread, its head first, and what the app says of its work on it; `since` as above."""
    channel = _channel(workspace, query)
    log = workspace.logs[channel]
    root = root_of(workspace.message(channel, query.get("ts", "")))
    times = log.thread(root)
    changes = _changes(log, times, query)
    seen = changes or {"messages": log.messages(times), "version": log.version}
    return {**seen, "said": _said(workspace, f"{channel}/{root}")}


def prompts(workspace: Workspace, query: Query) -> Json:
    """What the app offers to ask, in a conversation with it."""
    return {"said": _said(workspace, f"{_channel(workspace, query)}/")}


def _said(workspace: Workspace, thread: str) -> Json:
    """What the app says of its work on a thread; what it is doing is believed for two minutes."""
    said = workspace.threads.get(thread, {})
    if workspace.clock() > said.get("status_until", 0.0):
        return {name: value for name, value in said.items() if name != "status"}
    return said


def view(workspace: Workspace, query: Query) -> Json:
    """The modal that a person has open, on top, and how many lie under it."""
    found = workspace.modals.top(query.get("user", ""))
    below = len(workspace.modals.stack(found["root_view_id"])) - 1 if found else 0
    draft = workspace.modals.draft(found["id"]) if found else {}
    return {"view": found, "below": below, "entered": draft}


def home(workspace: Workspace, query: Query) -> Json:
    """A person's Home, where the app has published one, and what was chosen in it."""
    found = workspace.homes.get(query.get("user", ""))
    return {"view": found, "entered": workspace.modals.draft(found["id"]) if found else {}}


def ephemerals(workspace: Workspace, query: Query) -> Json:
    """What only one person was told, oldest first, in one channel where that is named."""
    heard = workspace.whispers.get(query.get("user", ""), [])
    if query.get("channel"):
        where = workspace.channel(query["channel"])
        heard = [message for message in heard if message["channel"] == where]
    return {"messages": heard}


def channels(workspace: Workspace, _: Query) -> Json:
    """All channels and conversations."""
    return {"channels": list(workspace.channels.values())}


def _channel(workspace: Workspace, query: Query) -> str:
    """The channel that is looked at; a conversation with the app is opened by looking at it."""
    named = query.get("channel", "")
    if named.startswith(("D0U", "D0W")):
        return workspace.direct_channel(named.removeprefix("D0"))
    return workspace.channel(named)


LOOKS: dict[str, Callable[[Workspace, Query], Json]] = {
    "state": state,
    "messages": messages,
    "thread": thread,
    "prompts": prompts,
    "view": view,
    "home": home,
    "ephemerals": ephemerals,
    "channels": channels,
}
