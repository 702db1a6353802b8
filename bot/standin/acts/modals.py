"""Sending and closing modals."""

from typing import Any

from bot.standin import views
from bot.standin.client import Client
from bot.standin.form import filled_in
from bot.standin.refusal import Refused
from bot.standin.workspace import Json


async def submit(
    client: Client, *, user: str, values: dict[str, Any], view_id: str | None = None
) -> Json:
    """Send the modal that is open; errors of the app's come back and it stays open."""
    view = _open(client, user, view_id)
    if not view.get("submit"):
        raise Refused("view_cannot_be_submitted")
    draft = client.workspace.modals.draft(view["id"])
    state = {"values": filled_in(view["blocks"], values, draft)}
    payload = {
        "type": "view_submission",
        "view": {**views.external(view), "state": state},
        "response_urls": [],
    }
    body = await client.interact(payload, user=user, view_id=view["id"])
    return {"acknowledged": True, **_after(client, view, body)}


def _after(client: Client, view: Json, body: Json) -> Json:
    """What becomes of a modal that was sent."""
    action = body.get("response_action")
    workspace = client.workspace
    if action == "errors":
        return {"errors": _checked_errors(view, body.get("errors"))}
    if action == "update":
        views.update_view(workspace, view, body.get("view"))
    elif action == "push":
        views.open_view(workspace, view["user"], body.get("view"), on=view)
    elif action == "clear":
        workspace.modals.clear(view["root_view_id"])
        workspace.touch()
    elif action is not None:
        raise Refused("invalid_response_action", messages=[str(action)])
    else:
        views.close(workspace, view["id"])
    return {}


def _checked_errors(view: Json, errors: Any) -> Json:
    """The app's errors, which must stand at inputs of the modal."""
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise Refused("invalid_errors", messages=["no errors were given"])
    unknown = sorted(set(errors) - inputs)
    if unknown:
        raise Refused("invalid_errors", messages=[f"no input block {name}" for name in unknown])
    return errors


async def close(client: Client, *, user: str, whole_stack: bool = False) -> Json:
    """Close the open modal without sending it; with `whole_stack` also those under it."""
    view = _open(client, user, None)
    whole_stack = whole_stack or bool(view["clear_on_close"])
    modals = client.workspace.modals
    closed = modals.clear(view["root_view_id"]) if whole_stack else [view]
    views.close(client.workspace, view["id"])
    for gone in reversed(closed):
        if gone["notify_on_close"]:
            shown = views.external(gone)
            payload = {"type": "view_closed", "view": shown, "is_cleared": whole_stack}
            await client.interact(payload, user=user)
    return {}


def _open(client: Client, user: str, view_id: str | None) -> Json:
    modals = client.workspace.modals
    view = modals.open.get(view_id) if view_id else modals.top(user)
    if view is None or view["user"] != user:
        raise Refused("no_open_view")
    return view
