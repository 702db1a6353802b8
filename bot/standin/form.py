"""Filling in a modal: from what a person enters to the state that Slack sends, and its refusals."""

from typing import Any

from bot.standin.block_rules import size
from bot.standin.refusal import Refused
from bot.standin.workspace import Json

Entry = str | bool | list[str] | None


def filled_in(view: Json, entries: dict[str, Entry]) -> Json:
    """The view's `state.values`; what is not entered keeps its first value.

    Entries go by the action id of their field: text, an option's value, a list of options'
    values, or True for the only option of a group of check boxes.

    Raises:
        Refused: a field that isn't there, an option that isn't offered, or a field left empty.
    """
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    names = {block["element"].get("action_id") for block in inputs}
    unknown = sorted(set(entries) - names)
    if unknown:
        raise Refused("no_such_field", messages=unknown)
    values: Json = {}
    for block in inputs:
        element = block["element"]
        name = element.get("action_id")
        entered = entries[name] if name in entries else _first(element)
        state = _STATES[element["type"]](element, entered)
        if not block.get("optional") and _is_empty(state):
            raise Refused("field_required", messages=[str(name)])
        values[block["block_id"]] = {name: state}
    return values


def _first(element: Json) -> Entry:
    if element["type"] == "plain_text_input":
        value: str | None = element.get("initial_value")
        return value
    if "initial_options" in element:
        return [option["value"] for option in element["initial_options"]]
    initial = element.get("initial_option")
    return initial["value"] if initial else None


def _is_empty(state: Json) -> bool:
    return not any(value for key, value in state.items() if key != "type")


def _typed(element: Json, entered: Entry) -> Json:
    value = str(entered) if entered else None
    if value is not None and size(value) > element.get("max_length", 3000):
        raise Refused("too_long", messages=[str(element.get("action_id"))])
    return {"type": element["type"], "value": value}


def _chosen(element: Json, entered: Entry) -> Json:
    option = _option(element, str(entered)) if entered else None
    return {"type": element["type"], "selected_option": option}


def _ticked(element: Json, entered: Entry) -> Json:
    if entered is True:
        wanted = [option["value"] for option in element["options"]]
    else:
        wanted = [str(value) for value in entered] if isinstance(entered, list) else []
    options = [_option(element, value) for value in wanted]
    return {"type": element["type"], "selected_options": options}


def _option(element: Json, value: str) -> Any:
    for option in element["options"]:
        if option["value"] == value:
            return option
    raise Refused("no_such_option", messages=[value])


_STATES = {
    "plain_text_input": _typed,
    "static_select": _chosen,
    "radio_buttons": _chosen,
    "checkboxes": _ticked,
    "multi_static_select": _ticked,
}
