"""`views.*`: modals and Homes."""

from bot.standin import views
from bot.standin.methods.call import TIER_4, Call, Method
from bot.standin.refusal import Refused
from bot.standin.views import external
from bot.standin.workspace import Json


def open_view(call: Call) -> Json:
    """Open a modal, with a trigger that is fresh and unused."""
    new = views.checked(call.workspace, call.given.get("view"), kind="modal")
    trigger = call.workspace.modals.use_trigger(call.given.get("trigger_id"))
    on = call.workspace.modals.open.get(trigger.view_id or "")
    return {"view": external(views.open_view(call.workspace, trigger.user, new, on=on))}


def push(call: Call) -> Json:
    """Lay a modal on the one in which the person did something."""
    new = views.checked(call.workspace, call.given.get("view"), kind="modal")
    trigger = call.workspace.modals.use_trigger(call.given.get("trigger_id"))
    on = call.workspace.modals.open.get(trigger.view_id or "")
    if on is None:
        raise Refused("not_found")
    return {"view": external(views.open_view(call.workspace, trigger.user, new, on=on))}


def update(call: Call) -> Json:
    """Replace an open view's content."""
    known = _known(call)
    given_hash = call.given.get("hash")
    if given_hash and given_hash != known["hash"]:
        raise Refused("hash_conflict")
    if known["type"] == "home":
        shown = views.publish_home(call.workspace, known["user"], call.given.get("view"))
    else:
        shown = views.update_view(call.workspace, known, call.given.get("view"))
    return {"view": external(shown)}


def _known(call: Call) -> Json:
    everything = [*call.workspace.modals.open.values(), *call.workspace.homes.values()]
    view_id, own_id = call.given.get("view_id"), call.given.get("external_id")
    if not view_id and not own_id:
        raise Refused("invalid_arguments", messages=["view_id or external_id is needed"])
    for view in everything:
        if view["id"] == view_id or (own_id and view["external_id"] == own_id):
            return view
    raise Refused("not_found")


def publish(call: Call) -> Json:
    """Set a person's Home."""
    user = call.text("user_id")
    if user not in call.workspace.users:
        raise Refused("invalid_arguments", messages=["invalid `user_id`"])
    known, given_hash = call.workspace.homes.get(user), call.given.get("hash")
    if given_hash and (known is None or known["hash"] != given_hash):
        raise Refused("hash_conflict")
    return {"view": external(views.publish_home(call.workspace, user, call.given.get("view")))}


METHODS = {
    "views.open": Method(open_view, TIER_4),
    "views.push": Method(push, TIER_4),
    "views.update": Method(update, TIER_4),
    "views.publish": Method(publish, TIER_4),
}
