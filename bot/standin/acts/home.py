"""Opening the app's Home."""

from bot.standin.client import Client
from bot.standin.views import external
from bot.standin.workspace import Json


async def open_home(client: Client, *, user: str, tab: str = "home") -> Json:
    """Open Home; the app is told, with the view that is there already."""
    workspace = client.workspace
    workspace.user(user)
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": workspace.direct_channel(user),
        "tab": tab,
        "event_ts": workspace.new_ts(),
    }
    known = workspace.homes.get(user)
    if known is not None and tab == "home":
        event["view"] = external(known)
    return {"event_id": client.tell(event)}
