"""Rules for the smallest parts: strings, texts, lists, numbers and names of properties."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
Problems = Iterator[str]

_TEXT = {"plain_text": ("emoji",), "mrkdwn": ("verbatim",)}


def size(text: str) -> int:
    """Length in UTF-16 units, the strictest count that Slack could make."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def known(holder: Json, *names: str) -> Problems:
    """Slack takes no property that it does not know."""
    for name in holder:
        if name != "type" and name not in names:
            yield f"invalid additional property: {name}"


def text(
    holder: Json, name: str, most: int, *, required: bool = True, plain: bool = False
) -> Problems:
    """A text object: its kind and its length."""
    value = holder.get(name)
    if value is None:
        if required:
            yield f"missing required field: {name}"
        return
    if not isinstance(value, dict) or value.get("type") not in _TEXT:
        yield f"{name} must be a text object"
        return
    if plain and value["type"] != "plain_text":
        yield f"{name} must be plain_text"
        return
    yield from known(value, "text", *_TEXT[value["type"]])
    yield from string({name: value.get("text")}, name, most)


def string(
    holder: Json, name: str, most: int, *, required: bool = True, may_be_empty: bool = False
) -> Problems:
    """A string and its length."""
    value = holder.get(name)
    if value is None:
        if required:
            yield f"missing required field: {name}"
    elif not isinstance(value, str):
        yield f"{name} must be a string"
    elif size(value) > most:
        yield f"{name} must be less than {most + 1} characters"
    elif not value and not may_be_empty:
        yield f"{name} must be more than 0 characters"


def listed(value: Any, name: str, least: int, most: int) -> Problems:
    """A list and how much it holds."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        yield f"{name} must be a list"
    elif not least <= len(value) <= most:
        yield f"{name} must hold {least} to {most} items, not {len(value)}"


def items(value: Any) -> list[Any]:
    """What a list holds; nothing where it is none."""
    return value if isinstance(value, list) else []


def number(holder: Json, name: str, least: int, most: int) -> Problems:
    """A whole number that may be left out."""
    value = holder.get(name)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (is_number and least <= value <= most):
        yield f"{name} must be between {least} and {most}"


def one_of(holder: Json, name: str, *words: str) -> Problems:
    """A word out of a fixed set, that may be left out."""
    value = holder.get(name)
    if value is not None and value not in words:
        yield f"{name} must be one of {', '.join(words)}, not {value}"


def flag(holder: Json, name: str) -> Problems:
    """True or false, or left out."""
    if not isinstance(holder.get(name, False), bool):
        yield f"{name} must be true or false"


def unique(values: Sequence[Any], name: str) -> Problems:
    """Names that must not repeat."""
    given = [value for value in values if value]
    if len(given) != len(set(given)):
        yield f"{name} must be unique"
