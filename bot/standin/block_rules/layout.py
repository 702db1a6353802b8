"""Rules for the blocks that every app uses."""

from collections.abc import Callable
from typing import Any

from bot.standin.block_rules.elements import (
    ACCESSORIES,
    ACTIONS,
    CONTEXT_ACTIONS,
    INPUTS,
    element,
    image,
)
from bot.standin.block_rules.texts import (
    Json,
    Problems,
    flag,
    items,
    known,
    listed,
    string,
    text,
    unique,
)

_RICH = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
_IN_RICH = ("text", "link", "emoji", "user", "usergroup", "channel", "broadcast", "color", "date")


def section(block: Json) -> Problems:
    """Text, fields, and something beside them."""
    yield from known(block, "block_id", "text", "fields", "accessory", "expand")
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        yield "a section needs text or fields"
    yield from text(block, "text", 3000, required=False)
    if fields is not None:
        yield from listed(fields, "fields", 1, 10)
        for field in items(fields):
            yield from text({"fields": field}, "fields", 2000)
    if block.get("accessory") is not None:
        yield from element(block["accessory"], allowed=ACCESSORIES)


def header(block: Json) -> Problems:
    """A large line."""
    yield from known(block, "block_id", "text", "level")
    yield from text(block, "text", 150, plain=True)


def divider(block: Json) -> Problems:
    """A line."""
    yield from known(block, "block_id")


def context(block: Json) -> Problems:
    """Small words and images."""
    yield from known(block, "block_id", "elements")
    yield from listed(block.get("elements"), "elements", 1, 10)
    for given in items(block.get("elements")):
        if isinstance(given, dict) and given.get("type") == "image":
            yield from element(given, allowed=frozenset({"image"}))
        else:
            yield from text({"element": given}, "element", 3000)


def actions(block: Json) -> Problems:
    """Things to press and choose."""
    yield from _elements(block, 25, ACTIONS)


def context_actions(block: Json) -> Problems:
    """Small things to press under a message."""
    yield from _elements(block, 5, CONTEXT_ACTIONS)


def _elements(block: Json, most: int, allowed: frozenset[str]) -> Problems:
    yield from known(block, "block_id", "elements")
    yield from listed(block.get("elements"), "elements", 1, most)
    given = items(block.get("elements"))
    for one in given:
        yield from element(one, allowed=allowed)
    yield from unique([e.get("action_id") for e in given if isinstance(e, dict)], "action_id")


def image_block(block: Json) -> Problems:
    """An image with its description."""
    yield from known(block, "block_id", "image_url", "slack_file", "alt_text", "title")
    yield from image(block)
    yield from text(block, "title", 2000, required=False, plain=True)


def markdown(block: Json) -> Problems:
    """Text in Markdown."""
    yield from known(block, "block_id", "text")
    yield from string(block, "text", 12_000)


def rich_text(block: Json) -> Problems:
    """Text in parts, each with its own style."""
    yield from known(block, "block_id", "elements")
    yield from listed(block.get("elements"), "elements", 1, 1000)
    for part in items(block.get("elements")):
        yield from _rich_part(part)


def _rich_part(part: Any) -> Problems:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in _RICH:
        yield f"unsupported rich text element: {kind}"
        return
    for inner in items(part.get("elements")):
        inner_kind = inner.get("type") if isinstance(inner, dict) else None
        if kind == "rich_text_list":
            yield from _rich_part(inner)
        elif inner_kind not in _IN_RICH:
            yield f"unsupported rich text element: {inner_kind}"
        elif inner_kind == "text":
            yield from string(inner, "text", 1_000_000)


def input_block(block: Json) -> Problems:
    """A field with its name."""
    yield from known(block, "block_id", "label", "element", "hint", "optional", "dispatch_action")
    yield from text(block, "label", 2000, plain=True)
    yield from text(block, "hint", 2000, required=False, plain=True)
    yield from flag(block, "optional")
    yield from flag(block, "dispatch_action")
    yield from element(block.get("element"), allowed=INPUTS)


LAYOUT: dict[str, Callable[[Json], Problems]] = {
    "section": section,
    "header": header,
    "divider": divider,
    "context": context,
    "actions": actions,
    "context_actions": context_actions,
    "image": image_block,
    "markdown": markdown,
    "rich_text": rich_text,
    "input": input_block,
}
