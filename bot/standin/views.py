"""Views as Slack keeps and shows them: modals in stacks, and a Home for each person. No I/O."""

import json
import secrets
from typing import Any

from bot.standin.block_rules import view_problems
from bot.standin.given import parsed, with_ids
from bot.standin.refusal import Refused
from bot.standin.slack_files import check_files
from bot.standin.workspace import APP, Json, Workspace

_MOST_BYTES = 250_000


def checked(workspace: Workspace, view: Any, *, kind: str) -> Json:
    """A view that Slack would take, as a modal or as a Home.

    Raises:
        Refused: with everything that is wrong with it.
    """
    view = parsed(view, code="invalid_arguments")
    wrong = view_problems(view)
    if not wrong and view["type"] != kind:
        wrong = [f"a view of type {view['type']} cannot stand here [json-pointer:/view/type]"]
    if wrong:
        raise Refused("invalid_arguments", messages=wrong)
    check_files(workspace, view["blocks"], code="invalid_arguments")
    if len(json.dumps(view)) > _MOST_BYTES:
        raise Refused("view_too_large")
    return dict(view)


def open_view(workspace: Workspace, user: str, view: Any, *, on: Json | None = None) -> Json:
    """Open a modal, on another one where that is given."""
    new = checked(workspace, view, kind="modal")
    if on is not None:
        workspace.modals.check_room_on(on)
    view_id = f"V{secrets.token_hex(5).upper()}"
    under = {
        "root_view_id": on["root_view_id"] if on else view_id,
        "previous_view_id": on["id"] if on else None,
    }
    return _put(workspace, user, {**new, **under, "id": view_id})


def update_view(workspace: Workspace, known: Json, view: Any) -> Json:
    """Replace an open modal's content; what was typed stays where its field stays."""
    new = checked(workspace, view, kind="modal")
    kept = {name: known[name] for name in ("root_view_id", "previous_view_id", "id")}
    return _put(workspace, known["user"], {**new, **kept})


def publish_home(workspace: Workspace, user: str, view: Any) -> Json:
    """Set a person's Home."""
    view_id = (workspace.homes.get(user) or {}).get("id") or f"VHOME{user}"
    new = checked(workspace, view, kind="home")
    shown = _shown(workspace, user, {**new, "root_view_id": view_id, "id": view_id})
    _check_external_id(workspace, shown)
    workspace.homes[user] = shown
    workspace.touch("home", user)
    return shown


def _put(workspace: Workspace, user: str, view: Json) -> Json:
    shown = _shown(workspace, user, view)
    _check_external_id(workspace, shown)
    workspace.modals.put(shown)
    workspace.touch()
    return shown


def _check_external_id(workspace: Workspace, view: Json) -> None:
    if not view["external_id"]:
        return
    others = [*workspace.modals.open.values(), *workspace.homes.values()]
    if any(o["external_id"] == view["external_id"] and o["id"] != view["id"] for o in others):
        raise Refused("duplicate_external_id")


def _shown(workspace: Workspace, user: str, view: Json) -> Json:
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "previous_view_id": None,
        "clear_on_close": False,
        "notify_on_close": False,
        "submit": None,
        "close": None,
        **view,
        "blocks": with_ids(view["blocks"]),
        "team_id": workspace.team,
        "app_id": APP,
        "app_installed_team_id": workspace.team,
        "bot_id": workspace.bot,
        "hash": f"{int(workspace.clock())}.{secrets.token_hex(4)}",
        "user": user,
    }


def close(workspace: Workspace, view_id: str) -> None:
    """Take the modal on top away."""
    workspace.modals.take_away(view_id)
    workspace.touch()


def external(view: Json) -> Json:
    """A view as apps see it: whose it is stands beside it and not in it."""
    return {name: value for name, value in view.items() if name != "user"}
