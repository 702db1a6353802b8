"""Pressing buttons and choosing things, in messages, modals and Home."""

import time
from typing import Any

from bot.standin.client import Client
from bot.standin.events import without_metadata
from bot.standin.form import current_state, element_of, elements_of, state_of
from bot.standin.refusal import Refused
from bot.standin.views import external
from bot.standin.workspace import Json


async def click(
    client: Client, *, user: str, channel: str, ts: str, action_id: str, value: str | None = None
) -> Json:
    """Press a button that stands in a message now."""
    place = _in_message(client, user, channel, ts)
    block, element = _button(place, action_id, value)
    return await _dispatch(client, user, place, _action(block, element))


async def press(
    client: Client,
    *,
    user: str,
    action_id: str,
    value: str | None = None,
    view_id: str | None = None,
    home: bool = False,
) -> Json:
    """Press a button in the open modal or in Home."""
    place = _in_view(client, user, view_id, home=home)
    block, element = _button(place, action_id, value)
    return await _dispatch(client, user, place, _action(block, element))


async def feedback(
    client: Client, *, user: str, channel: str, ts: str, action_id: str, value: str
) -> Json:
    """Press one of a pair of feedback buttons."""
    place = _in_message(client, user, channel, ts)
    found = element_of(place["blocks"], action_id)
    if found is None or found[1]["type"] != "feedback_buttons":
        raise Refused("no_such_button", messages=[action_id])
    block, element = found
    for name in ("positive_button", "negative_button"):
        if element[name]["value"] == value:
            return await _dispatch(client, user, place, _action(block, element, **element[name]))
    raise Refused("no_such_button", messages=[value])


async def choose(
    client: Client,
    *,
    user: str,
    action_id: str,
    option: Any,
    channel: str | None = None,
    ts: str | None = None,
    view_id: str | None = None,
    home: bool = False,
) -> Json:
    """Choose something; the app is told where Slack would tell it."""
    if channel is not None:
        place = _in_message(client, user, channel, str(ts))
    else:
        place = _in_view(client, user, view_id, home=home)
    found = element_of(place["blocks"], action_id)
    if found is None:
        raise Refused("no_such_field", messages=[action_id])
    block, element = found
    state = state_of(element, option)
    if element["type"] != "overflow":
        draft = client.workspace.modals.draft(place["draft"])
        draft.setdefault(block["block_id"], {})[action_id] = state
    client.workspace.touch()
    if block["type"] == "input" and not block.get("dispatch_action"):
        return {"dispatched": False}
    return await _dispatch(client, user, place, _action(block, element, **state))


def _in_message(client: Client, user: str, channel: str, ts: str) -> Json:
    """A message as a place to do something in, whether all see it or only this person."""
    where = client.workspace.channel(channel)
    whispered = client.workspace.whispered(user, ts)
    message = whispered or client.workspace.message(where, ts)
    container = {
        "type": "message",
        "message_ts": ts,
        "channel_id": where,
        "is_ephemeral": whispered is not None,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    thread = message.get("thread_ts")
    urls = client.response_urls
    given = {
        "container": container,
        "channel": client.channel(where),
        "response_url": urls.new(client.workspace, where, user, ts=ts, thread_ts=thread),
    }
    if whispered is None:
        given["message"] = without_metadata(message)
    blocks = message.get("blocks") or []
    return {"blocks": blocks, "given": given, "draft": f"{user}/{where}/{ts}", "view": None}


def _in_view(client: Client, user: str, view_id: str | None, *, home: bool) -> Json:
    """A modal or Home as a place to do something in."""
    modals = client.workspace.modals
    if home:
        view = client.workspace.homes.get(user)
    else:
        view = modals.open.get(view_id) if view_id else modals.top(user)
    if view is None or view["user"] != user:
        raise Refused("no_home" if home else "no_open_view")
    container = {"type": "view", "view_id": view["id"]}
    return {
        "blocks": view["blocks"],
        "given": {"container": container},
        "draft": view["id"],
        "view": view,
    }


def _button(place: Json, action_id: str, value: str | None) -> tuple[Json, Json]:
    """The button in a place; refused where it isn't there (any more)."""
    for block, element in elements_of(place["blocks"]):
        fits = value is None or element.get("value") == value
        pressed = element["type"] in ("button", "icon_button")
        if pressed and element["action_id"] == action_id and fits:
            return block, element
    raise Refused("no_such_button", messages=[action_id])


def _action(block: Json, element: Json, **entered: Any) -> Json:
    shown: Json = {k: element[k] for k in ("text", "value", "placeholder", "style") if k in element}
    return {
        **shown,
        **entered,
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": f"{time.time():.6f}",
    }


async def _dispatch(client: Client, user: str, place: Json, action: Json) -> Json:
    """Tell the app; the state holds what this person has entered there so far."""
    draft = client.workspace.modals.draft(place["draft"])
    state = {"values": current_state(place["blocks"], draft)}
    view = place["view"]
    payload = {"type": "block_actions", **place["given"], "actions": [action]}
    if view is None:
        payload["state"] = state
    else:
        payload["view"] = {**external(view), "state": state}
    in_modal = view["id"] if view is not None and view["type"] == "modal" else None
    await client.interact(payload, user=user, view_id=in_modal)
    return {"acknowledged": True}
