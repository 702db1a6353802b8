"""What the page shows to one person at one moment, in one answer. No I/O."""

from bot.standin import looks
from bot.standin.events import without_metadata
from bot.standin.looks import Query
from bot.standin.workspace import Json, Workspace

_NEWEST = "50"


def screen(workspace: Workspace, query: Query) -> Json:
    """The workspace as a person (`user`) sees it, with a `channel` and a `thread` open in it."""
    user = query.get("user", "")
    me = {"user": user}
    shown = looks.view(workspace, me)
    return {
        **looks.state(workspace, me),
        "me": user,
        "channel": _channel(workspace, query),
        "thread": _thread(workspace, query),
        "whispers": looks.ephemerals(workspace, me)["messages"],
        "modal": shown,
        "home": looks.home(workspace, me)["view"],
    }


def _channel(workspace: Workspace, query: Query) -> Json | None:
    """The newest messages of the open channel; none where nothing was ever said in it."""
    where = workspace.find_channel(query.get("channel", ""))
    if where is None:
        return None
    limit = query.get("newest", _NEWEST)
    seen = looks.messages(workspace, {"channel": where, "limit": limit})
    offered = looks.prompts(workspace, {"channel": where})["said"]
    return {"id": where, **seen, "messages": _public(seen["messages"]), "said": offered}


def _thread(workspace: Workspace, query: Query) -> Json | None:
    """The open thread; none where its head is gone."""
    where = workspace.find_channel(query.get("channel", ""))
    ts = query.get("thread", "")
    if where is None or workspace.logs[where].get(ts) is None:
        return None
    seen = looks.thread(workspace, {"channel": where, "ts": ts})
    return {"ts": ts, **seen, "messages": _public(seen["messages"])}


def _public(messages: list[Json]) -> list[Json]:
    return [without_metadata(message) for message in messages]
