"""What a person typed in Slack as the plain words that a customer reads.

Slack sends its formatted text as `rich_text` blocks, in which standard emoji carry their character
and lists their shape; `text`, where there are none, says less. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot import wording
from bot.text import entity, spoken

Json = Mapping[str, Any]

_BULLETS = "•◦▪"


def words_of(message: Json) -> str:
    """The words of a message."""
    typed = [b for b in message.get("blocks") or () if b.get("type") == "rich_text"]
    if not typed:
        return spoken(message.get("text") or "")
    parts = [_part(part) for block in typed for part in block.get("elements") or ()]
    return "\n".join(part for part in parts if part.strip()).strip()


def _part(part: Json) -> str:
    """A paragraph, list, quotation or piece of code."""
    if part.get("type") == "rich_text_list":
        return "\n".join(_items(part))
    words = _line(part.get("elements") or ())
    if part.get("type") == "rich_text_quote":
        return "\n".join(f"> {line}" for line in words.splitlines())
    return words.strip("\n")


def _items(part: Json) -> Iterable[str]:
    depth, first = int(part.get("indent") or 0), int(part.get("offset") or 0) + 1
    for number, item in enumerate(part.get("elements") or (), start=first):
        mark = f"{number}." if part.get("style") == "ordered" else _BULLETS[min(depth, 2)]
        yield f"{'  ' * depth}{mark} {_line(item.get('elements') or ())}"


def _line(elements: Iterable[Json]) -> str:
    return "".join(_word(element) for element in elements)


def _word(element: Json) -> str:
    match element.get("type"):
        case "text":
            return str(element.get("text") or "")
        case "emoji":
            return _emoji(element)
        case "link":
            return entity(str(element.get("url") or ""), label=str(element.get("text") or ""))
        case "date":
            return str(element.get("fallback") or element.get("text") or "")
        case "color":
            return str(element.get("value") or "")
        case "user" | "usergroup":
            return f"@{wording.replies.COLLEAGUE}"
        case "channel":
            return f"#{wording.replies.CHANNEL}"
        case "broadcast":
            return f"@{element.get('range') or wording.replies.COLLEAGUE}"
        case _:
            return str(element.get("text") or "")


def _emoji(element: Json) -> str:
    """The character of a standard emoji; a workspace's own means nothing to others."""
    points = str(element.get("unicode") or "")
    try:
        return "".join(chr(int(point, 16)) for point in points.split("-")) if points else ""
    except (ValueError, OverflowError):
        return ""
