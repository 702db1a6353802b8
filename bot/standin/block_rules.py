"""Slack's documented limits of Block Kit, as a list of what is wrong with given blocks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
_MARKDOWN = 12_000

Json = Mapping[str, Any]
Problems = Iterator[str]


def size(text: str) -> int:
    """Length in UTF-16 units, the strictest count that Slack could make."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def problems(blocks: Any, *, most: int, in_view: bool = False) -> list[str]:
    """Everything that Slack would refuse in these blocks; empty where they are right."""
    if not isinstance(blocks, list):
        return ["must be a list of blocks"]
    found = [] if len(blocks) <= most else [f"no more than {most} items allowed [json-pointer:/]"]
    for index, block in enumerate(blocks):
        wrong = _block(block, in_view=in_view)
        found.extend(f"{problem} [json-pointer:/blocks/{index}]" for problem in wrong)
    ids = [b["block_id"] for b in blocks if isinstance(b, dict) and b.get("block_id")]
    if len(ids) != len(set(ids)):
        found.append("block_id must be unique [json-pointer:/blocks]")
    markdown = sum(
        size(str(b.get("text", "")))
        for b in blocks
        if isinstance(b, dict) and b.get("type") == "markdown"
    )
    if markdown > _MARKDOWN:
        found.append(f"markdown is longer than {_MARKDOWN} characters in all")
    return found


def _block(block: Any, *, in_view: bool) -> Problems:
    if not isinstance(block, dict):
        yield "a block must be an object"
        return
    kind = block.get("type")
    rules = _BLOCKS.get(str(kind))
    if rules is None:
        yield f"unsupported type: {kind}"
        return
    yield from _string(block, "block_id", 255, required=False)
    if kind == "input" and not in_view:
        yield "input blocks are not allowed in a message here"
    yield from rules(block)


def _section(block: Json) -> Problems:
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        yield "a section needs text or fields"
    yield from _text(block, "text", 3000, required=False)
    if fields is not None:
        yield from _list(fields, "fields", 1, 10)
        for index, _ in enumerate(fields[:10]):
            yield from _text({"fields": fields[index]}, "fields", 2000)
    if block.get("accessory") is not None:
        yield from _element(block["accessory"], allowed=_ACCESSORIES)


def _header(block: Json) -> Problems:
    yield from _text(block, "text", 150, plain=True)


def _divider(_: Json) -> Problems:
    yield from ()


def _context(block: Json) -> Problems:
    elements = block.get("elements")
    yield from _list(elements, "elements", 1, 10)
    for element in elements if isinstance(elements, list) else []:
        if isinstance(element, dict) and element.get("type") == "image":
            yield from _image(element)
        else:
            yield from _text({"element": element}, "element", 3000)


def _actions(block: Json) -> Problems:
    elements = block.get("elements")
    yield from _list(elements, "elements", 1, 25)
    items = elements if isinstance(elements, list) else []
    for element in items:
        yield from _element(element, allowed=_ACTIONS)
    ids = [e.get("action_id") for e in items if isinstance(e, dict) and e.get("action_id")]
    if len(ids) != len(set(ids)):
        yield "action_id must be unique in its block"


def _image(block: Json) -> Problems:
    if not block.get("image_url") and not block.get("slack_file"):
        yield "an image needs image_url or slack_file"
    yield from _string(block, "image_url", 3000, required=False)
    yield from _string(block, "alt_text", 2000)
    yield from _text(block, "title", 2000, required=False, plain=True)


def _markdown(block: Json) -> Problems:
    yield from _string(block, "text", _MARKDOWN)


def _rich_text(block: Json) -> Problems:
    yield from _list(block.get("elements"), "elements", 1, 1000)


def _input(block: Json) -> Problems:
    yield from _text(block, "label", 2000, plain=True)
    yield from _text(block, "hint", 2000, required=False, plain=True)
    yield from _element(block.get("element"), allowed=_INPUTS)


_BLOCKS: dict[str, Callable[[Json], Problems]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "input": _input,
}


def _element(element: Any, *, allowed: frozenset[str]) -> Problems:
    if not isinstance(element, dict):
        yield "an element must be an object"
        return
    kind = str(element.get("type"))
    if kind not in allowed:
        yield f"unsupported element here: {kind}"
        return
    yield from _string(element, "action_id", 255, required=False)
    yield from _text(element, "placeholder", 150, required=False, plain=True)
    if element.get("confirm") is not None:
        yield from _confirm(element["confirm"])
    yield from _ELEMENTS[kind](element)


def _button(element: Json) -> Problems:
    yield from _text(element, "text", 75, plain=True)
    yield from _string(element, "value", 2000, required=False)
    yield from _string(element, "url", 3000, required=False)
    if element.get("style") not in (None, "primary", "danger"):
        yield f"style must be primary or danger, not {element['style']}"


def _select(element: Json) -> Problems:
    yield from _options(element, 100)


def _few(element: Json) -> Problems:
    yield from _options(element, 10)


def _people_select(_: Json) -> Problems:
    yield from ()


def _text_input(element: Json) -> Problems:
    longest = element.get("max_length", 3000)
    if not isinstance(longest, int) or not 1 <= longest <= 3000:
        yield "max_length must be between 1 and 3000"
        return
    yield from _string(element, "initial_value", longest, required=False)


def _options(element: Json, most: int) -> Problems:
    options = element.get("options")
    yield from _list(options, "options", 1, most)
    items = options if isinstance(options, list) else []
    for option in items:
        if not isinstance(option, dict):
            yield "an option must be an object"
            continue
        yield from _text(option, "text", 75)
        yield from _string(option, "value", 150)
        yield from _text(option, "description", 75, required=False)
    initial = element.get("initial_option")
    if initial is not None and initial not in items:
        yield "initial_option must be one of the options"


_ELEMENTS: dict[str, Callable[[Json], Problems]] = {
    "button": _button,
    "static_select": _select,
    "multi_static_select": _select,
    "overflow": _few,
    "checkboxes": _few,
    "radio_buttons": _few,
    "users_select": _people_select,
    "plain_text_input": _text_input,
}
_ACTIONS = frozenset(_ELEMENTS) - {"plain_text_input"}
_ACCESSORIES = _ACTIONS
_INPUTS = frozenset(_ELEMENTS) - {"button", "overflow"}


def _confirm(confirm: Any) -> Problems:
    if not isinstance(confirm, dict):
        yield "confirm must be an object"
        return
    yield from _text(confirm, "title", 100, plain=True)
    yield from _text(confirm, "text", 300)
    yield from _text(confirm, "confirm", 30, plain=True)
    yield from _text(confirm, "deny", 30, plain=True)


def _text(
    holder: Json, name: str, most: int, *, required: bool = True, plain: bool = False
) -> Problems:
    """A text object: its kind and its length."""
    value = holder.get(name)
    if value is None:
        if required:
            yield f"missing required field: {name}"
        return
    if not isinstance(value, dict) or value.get("type") not in ("plain_text", "mrkdwn"):
        yield f"{name} must be a text object"
    elif plain and value["type"] != "plain_text":
        yield f"{name} must be plain_text"
    else:
        yield from _string({name: value.get("text")}, name, most)


def _string(holder: Json, name: str, most: int, *, required: bool = True) -> Problems:
    value = holder.get(name)
    if value is None:
        if required:
            yield f"missing required field: {name}"
    elif not isinstance(value, str):
        yield f"{name} must be a string"
    elif size(value) > most:
        yield f"{name} must be less than {most + 1} characters"
    elif not value and name != "initial_value":
        yield f"{name} must be more than 0 characters"


def _list(value: Any, name: str, least: int, most: int) -> Problems:
    if not isinstance(value, Sequence) or isinstance(value, str):
        yield f"{name} must be a list"
    elif not least <= len(value) <= most:
        yield f"{name} must hold {least} to {most} items, not {len(value)}"


def view_problems(view: Any) -> list[str]:
    """Everything that Slack would refuse in a modal or Home view."""
    if not isinstance(view, dict):
        return ["view must be an object"]
    found: list[str] = []
    kind = view.get("type")
    if kind not in ("modal", "home"):
        found.append(f"unsupported view type: {kind}")
    if kind == "modal":
        found += _text(view, "title", 24, plain=True)
    for name in ("submit", "close"):
        found += _text(view, name, 24, required=False, plain=True)
    found += _string(view, "callback_id", 255, required=False)
    metadata = view.get("private_metadata")
    if metadata:
        found += _string(view, "private_metadata", 3000)
    blocks = view.get("blocks")
    found += problems(blocks, most=VIEW_BLOCKS, in_view=True)
    has_input = any(isinstance(b, dict) and b.get("type") == "input" for b in blocks or [])
    if kind == "modal" and has_input and not view.get("submit"):
        found.append("a modal with inputs needs submit")
    return found
