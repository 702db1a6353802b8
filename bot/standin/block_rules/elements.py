"""Rules for elements: what can be pressed, chosen and typed, and where it may stand."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from bot.standin.block_rules.options import confirm, options, options_or_groups
from bot.standin.block_rules.texts import (
    Json,
    Problems,
    flag,
    known,
    listed,
    number,
    one_of,
    string,
    text,
)

_LONGEST_INPUT = 3000


def element(given: Any, *, allowed: frozenset[str]) -> Problems:
    """What is wrong with an element where only some kinds may stand."""
    if not isinstance(given, dict):
        yield "an element must be an object"
        return
    kind = str(given.get("type"))
    if kind not in allowed:
        yield f"unsupported element here: {kind}"
        return
    names, rules = _ELEMENTS[kind]
    yield from known(given, "action_id", *names)
    yield from string(given, "action_id", 255, required=False)
    yield from text(given, "placeholder", 150, required=False, plain=True)
    yield from flag(given, "focus_on_load")
    yield from confirm(given)
    yield from rules(given)


def _button(given: Json) -> Problems:
    yield from text(given, "text", 75, plain=True)
    yield from string(given, "value", 2000, required=False)
    yield from string(given, "url", 3000, required=False)
    yield from string(given, "accessibility_label", 75, required=False)
    yield from one_of(given, "style", "primary", "danger")


def _icon_button(given: Json) -> Problems:
    yield from one_of({"icon": given.get("icon", "")}, "icon", "trash")
    yield from text(given, "text", 75, plain=True)
    yield from string(given, "value", 2000, required=False)
    yield from string(given, "accessibility_label", 75, required=False)
    if given.get("visible_to_user_ids") is not None:
        yield from listed(given["visible_to_user_ids"], "visible_to_user_ids", 1, 10)


def _feedback_buttons(given: Json) -> Problems:
    for name in ("positive_button", "negative_button"):
        button = given.get(name)
        if not isinstance(button, dict):
            yield f"missing required field: {name}"
            continue
        yield from known(button, "text", "value", "accessibility_label")
        yield from text(button, "text", 75, plain=True)
        yield from string(button, "value", 2000)
        yield from string(button, "accessibility_label", 75, required=False)


def _menu(given: Json) -> Problems:
    yield from options_or_groups(given)


def _several(given: Json) -> Problems:
    yield from options_or_groups(given)
    yield from number(given, "max_selected_items", 1, 100)


def _overflow(given: Json) -> Problems:
    yield from options(given, 5, plain=True, with_url=True)


def _few(given: Json) -> Problems:
    yield from options(given, 10, plain=False)


def _people(given: Json) -> Problems:
    yield from number(given, "max_selected_items", 1, 100)


def _outside(given: Json) -> Problems:
    yield from number(given, "min_query_length", 0, 150)
    yield from number(given, "max_selected_items", 1, 100)


def _typed(given: Json) -> Problems:
    yield from number(given, "max_length", 1, _LONGEST_INPUT)
    yield from number(given, "min_length", 0, _LONGEST_INPUT)
    yield from flag(given, "multiline")
    longest = given.get("max_length", _LONGEST_INPUT)
    if isinstance(longest, int):
        yield from string(given, "initial_value", longest, required=False, may_be_empty=True)
    least = given.get("min_length", 0)
    if isinstance(longest, int) and isinstance(least, int) and least > longest:
        yield "min_length must not be more than max_length"


def _short(given: Json) -> Problems:
    yield from string(given, "initial_value", _LONGEST_INPUT, required=False)


def _number(given: Json) -> Problems:
    if not isinstance(given.get("is_decimal_allowed"), bool):
        yield "missing required field: is_decimal_allowed"
    yield from string(given, "initial_value", _LONGEST_INPUT, required=False)
    yield from string(given, "min_value", _LONGEST_INPUT, required=False)
    yield from string(given, "max_value", _LONGEST_INPUT, required=False)


def _files(given: Json) -> Problems:
    yield from number(given, "max_files", 1, 10)


def _date(given: Json) -> Problems:
    yield from _like(given, "initial_date", r"\d{4}-\d{2}-\d{2}")


def _time(given: Json) -> Problems:
    yield from _like(given, "initial_time", r"\d{2}:\d{2}")


def _moment(given: Json) -> Problems:
    yield from number(given, "initial_date_time", 10**9, 10**10 - 1)


def _like(given: Json, name: str, pattern: str) -> Problems:
    if given.get(name) is not None and not re.fullmatch(pattern, str(given[name])):
        yield f"{name} has the wrong form"


def image(given: Json) -> Problems:
    """An image, in a block of its own or beside something."""
    if not given.get("image_url") and not given.get("slack_file"):
        yield "an image needs image_url or slack_file"
    yield from string(given, "image_url", 3000, required=False)
    yield from _reachable(given.get("image_url"))
    yield from string(given, "alt_text", 2000)


def _reachable(url: Any) -> Problems:
    """Slack fetches images itself, so it must be able to reach them."""
    if url is None:
        return
    parts = urlsplit(str(url))
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        yield "image_url must be an address on the web"
    elif host == "localhost" or host.startswith(("127.", "10.", "192.168.")):
        yield "downloading image failed"


def _anything(_: Json) -> Problems:
    yield from ()


_CHOICE = ("options", "option_groups", "placeholder", "confirm", "focus_on_load")
_PICK = ("placeholder", "confirm", "focus_on_load")
_TYPE = ("initial_value", "placeholder", "dispatch_action_config", "focus_on_load")
_FILTERED = ("default_to_current_conversation", "filter", "response_url_enabled")
_FEW = ("options", "confirm", "focus_on_load")
_BUTTON = ("text", "value", "accessibility_label", "confirm")

_ELEMENTS: dict[str, tuple[tuple[str, ...], Callable[[Json], Problems]]] = {
    "button": ((*_BUTTON, "url", "style"), _button),
    "icon_button": ((*_BUTTON, "icon", "visible_to_user_ids"), _icon_button),
    "feedback_buttons": (("positive_button", "negative_button"), _feedback_buttons),
    "workflow_button": (("text", "workflow", "style", "accessibility_label"), _anything),
    "image": (("image_url", "slack_file", "alt_text"), image),
    "static_select": ((*_CHOICE, "initial_option"), _menu),
    "multi_static_select": ((*_CHOICE, "initial_options", "max_selected_items"), _several),
    "external_select": ((*_PICK, "initial_option", "min_query_length"), _outside),
    "multi_external_select": (
        (*_PICK, "initial_options", "min_query_length", "max_selected_items"),
        _outside,
    ),
    "users_select": ((*_PICK, "initial_user"), _people),
    "multi_users_select": ((*_PICK, "initial_users", "max_selected_items"), _people),
    "channels_select": ((*_PICK, "initial_channel", "response_url_enabled"), _people),
    "multi_channels_select": ((*_PICK, "initial_channels", "max_selected_items"), _people),
    "conversations_select": ((*_PICK, *_FILTERED, "initial_conversation"), _people),
    "multi_conversations_select": (
        (*_PICK, *_FILTERED, "initial_conversations", "max_selected_items"),
        _people,
    ),
    "overflow": (("options", "confirm"), _overflow),
    "checkboxes": ((*_FEW, "initial_options"), _few),
    "radio_buttons": ((*_FEW, "initial_option"), _few),
    "datepicker": ((*_PICK, "initial_date"), _date),
    "timepicker": ((*_PICK, "initial_time", "timezone"), _time),
    "datetimepicker": (("initial_date_time", "confirm", "focus_on_load"), _moment),
    "plain_text_input": ((*_TYPE, "multiline", "min_length", "max_length"), _typed),
    "email_text_input": (_TYPE, _short),
    "url_text_input": (_TYPE, _short),
    "number_input": ((*_TYPE, "is_decimal_allowed", "min_value", "max_value"), _number),
    "rich_text_input": (_TYPE, _anything),
    "file_input": (("filetypes", "max_files"), _files),
}
_TYPING = frozenset(kind for kind in _ELEMENTS if kind.endswith("_input"))
_PRESSING = frozenset({"button", "workflow_button", "overflow"})
CONTEXT_ACTIONS = frozenset({"icon_button", "feedback_buttons"})
ACTIONS = frozenset(_ELEMENTS) - _TYPING - CONTEXT_ACTIONS - {"image"}
ACCESSORIES = ACTIONS - {"datetimepicker"} | {"image"}
INPUTS = frozenset(_ELEMENTS) - _PRESSING - CONTEXT_ACTIONS - {"image"}
