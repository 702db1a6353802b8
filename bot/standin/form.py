"""What people enter: from an entry to the state that Slack sends, and what cannot be entered.

Entries go by the action id of their field: text, an option's value, a list of options' values or
people, or True for the only option of a group of check boxes.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bot.standin.block_rules import size
from bot.standin.refusal import Refused

Json = dict[str, Any]
Entry = Any

_NO_STATE = {"button", "overflow", "feedback_buttons", "icon_button", "image", "workflow_button"}


def elements_of(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Every element that can be acted on, with its block."""
    for block in blocks:
        inside = [block.get("accessory"), block.get("element"), *(block.get("elements") or [])]
        for element in inside:
            if isinstance(element, dict) and element.get("action_id"):
                yield block, element
        for below in ("child_blocks", "actions"):
            yield from _nested(block, below)


def _nested(block: Json, name: str) -> Iterator[tuple[Json, Json]]:
    for item in block.get(name) or []:
        if isinstance(item, dict) and item.get("action_id"):
            yield block, item
        elif isinstance(item, dict):
            yield from elements_of([item])


def element_of(blocks: Iterable[Json], action_id: str, *, value: str | None = None) -> Any:
    """The element with this action id, and this value where one is named; None without one."""
    for block, element in elements_of(blocks):
        fits = value is None or element.get("value") == value
        if element["action_id"] == action_id and fits:
            return block, element
    return None


def state_of(element: Json, entered: Entry) -> Json:
    """The state of an element after somebody has entered this.

    Raises:
        Refused: it takes no such thing.
    """
    kind = str(element["type"])
    if kind not in _STATES:
        raise Refused("not_a_field", messages=[kind])
    return {"type": kind, **_STATES[kind](element, entered)}


def current_state(blocks: Iterable[Json], draft: Json) -> Json:
    """`state.values` of a message or view: what was entered, else what was there at first."""
    values: Json = {}
    for block, element in elements_of(blocks):
        if element["type"] in _NO_STATE:
            continue
        name, block_id = element["action_id"], block["block_id"]
        entered = (draft.get(block_id) or {}).get(name)
        state = entered if _fits(element, entered) else state_of(element, _first(element))
        values.setdefault(block_id, {})[name] = state
    return values


def _fits(element: Json, entered: Json | None) -> bool:
    """Whether what was entered still suits the field: an update may have changed it."""
    if not entered or entered["type"] != element["type"]:
        return False
    chosen = entered.get("selected_option")
    return chosen is None or "options" not in element or chosen in element["options"]


def filled_in(blocks: Iterable[Json], entries: dict[str, Entry], draft: Json) -> Json:
    """A modal's `state.values` when it is sent; what is not entered keeps what it has.

    Raises:
        Refused: a field that isn't there, an option that isn't offered, or a field left empty.
    """
    fields = [pair for pair in elements_of(blocks) if pair[1]["type"] not in _NO_STATE]
    unknown = sorted(set(entries) - {element["action_id"] for _, element in fields})
    if unknown:
        raise Refused("no_such_field", messages=unknown)
    for block, element in fields:
        name = element["action_id"]
        if name in entries:
            draft.setdefault(block["block_id"], {})[name] = state_of(element, entries[name])
    values = current_state((block for block, _ in fields), draft)
    for block, element in fields:
        name = element["action_id"]
        must = block["type"] == "input" and not block.get("optional")
        if must and _is_empty(values[block["block_id"]][name]):
            raise Refused("field_required", messages=[str(name)])
    return values


def _is_empty(state: Json) -> bool:
    return not any(value for key, value in state.items() if key != "type")


def _first(element: Json) -> Entry:
    for name in ("initial_options", "initial_option"):
        if element.get(name):
            initial = element[name]
            several = isinstance(initial, list)
            return [o["value"] for o in initial] if several else initial["value"]
    return next((v for k, v in element.items() if k.startswith("initial_")), None)


def _typed(element: Json, entered: Entry) -> Json:
    value = str(entered) if entered else None
    name = str(element.get("action_id"))
    if value is not None and size(value) > element.get("max_length", 3000):
        raise Refused("too_long", messages=[name])
    if value is not None and size(value) < element.get("min_length", 0):
        raise Refused("too_short", messages=[name])
    return {"value": value}


def _number(element: Json, entered: Entry) -> Json:
    if entered in (None, ""):
        return {"value": None}
    pattern = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
    if not re.fullmatch(pattern, str(entered)):
        raise Refused("not_a_number", messages=[str(entered)])
    low, high = element.get("min_value"), element.get("max_value")
    below = low is not None and float(entered) < float(low)
    if below or (high is not None and float(entered) > float(high)):
        raise Refused("out_of_range", messages=[str(entered)])
    return {"value": str(entered)}


def _chosen(element: Json, entered: Entry) -> Json:
    return {"selected_option": _option(element, str(entered)) if entered else None}


def _ticked(element: Json, entered: Entry) -> Json:
    options = list(_options(element))
    wanted = [o["value"] for o in options] if entered is True else _several(entered)
    most = element.get("max_selected_items", len(options))
    if len(wanted) > most:
        raise Refused("too_many_chosen", messages=[str(element.get("action_id"))])
    return {"selected_options": [_option(element, value) for value in wanted]}


def _several(entered: Entry) -> list[str]:
    if not entered:
        return []
    return [str(v) for v in entered] if isinstance(entered, list) else [str(entered)]


def _options(element: Json) -> Iterator[Json]:
    yield from element.get("options") or []
    for group in element.get("option_groups") or []:
        yield from group["options"]


def _option(element: Json, value: str) -> Json:
    for option in _options(element):
        if option["value"] == value:
            return option
    raise Refused("no_such_option", messages=[value])


def _one(name: str, pattern: str = r".+") -> Callable[[Json, Entry], Json]:
    def state(_: Json, entered: Entry) -> Json:
        value = str(entered) if entered else None
        if value is not None and not re.fullmatch(pattern, value):
            raise Refused("no_such_value", messages=[value])
        return {name: value}

    return state


def _many(name: str) -> Callable[[Json, Entry], Json]:
    return lambda _, entered: {name: _several(entered)}


_STATES: dict[str, Callable[[Json, Entry], Json]] = {
    "plain_text_input": _typed,
    "email_text_input": _one("value", r"[^@\s]+@[^@\s]+"),
    "url_text_input": _one("value", r"\w+://\S+"),
    "number_input": _number,
    "static_select": _chosen,
    "radio_buttons": _chosen,
    "overflow": _chosen,
    "checkboxes": _ticked,
    "multi_static_select": _ticked,
    "users_select": _one("selected_user", r"[UW]\w+"),
    "multi_users_select": _many("selected_users"),
    "channels_select": _one("selected_channel", r"[CG]\w+"),
    "multi_channels_select": _many("selected_channels"),
    "conversations_select": _one("selected_conversation", r"[CGDUW]\w+"),
    "multi_conversations_select": _many("selected_conversations"),
    "datepicker": _one("selected_date", r"\d{4}-\d{2}-\d{2}"),
    "timepicker": _one("selected_time", r"\d{2}:\d{2}"),
    "datetimepicker": lambda _, entered: {"selected_date_time": int(entered) if entered else None},
}
