"""Rules for the newer blocks: alerts, cards, tables, charts, tasks and plans."""

from collections.abc import Callable
from typing import Any

from bot.standin.block_rules.elements import element
from bot.standin.block_rules.layout import rich_text
from bot.standin.block_rules.texts import (
    Json,
    Problems,
    items,
    known,
    listed,
    number,
    one_of,
    size,
    string,
    text,
)

_IMAGE = frozenset({"image"})
_BUTTON = frozenset({"button", "icon_button"})
_MOST_IN_TABLE = 10_000


def alert(block: Json) -> Problems:
    """A notice."""
    yield from known(block, "block_id", "text", "level")
    yield from text(block, "text", 200)
    yield from one_of(block, "level", "default", "info", "warning", "error", "success")


def card(block: Json) -> Problems:
    """A card."""
    names = ("hero_image", "icon", "title", "subtitle", "body", "subtext", "actions")
    yield from known(block, "block_id", *names)
    if not any(block.get(name) for name in ("hero_image", "title", "actions", "body")):
        yield "a card needs hero_image, title, actions or body"
    for name, most in (("title", 150), ("subtitle", 150), ("body", 200), ("subtext", 200)):
        yield from text(block, name, most, required=False)
    for name in ("hero_image", "icon"):
        if block.get(name) is not None:
            yield from element(block[name], allowed=_IMAGE)
    if block.get("actions") is not None:
        yield from listed(block["actions"], "actions", 1, 3)
    for button in items(block.get("actions")):
        yield from element(button, allowed=_BUTTON)


def carousel(block: Json) -> Problems:
    """Cards beside each other."""
    yield from known(block, "block_id", "elements")
    yield from listed(block.get("elements"), "elements", 1, 10)
    for one in items(block.get("elements")):
        is_card = isinstance(one, dict) and one.get("type") == "card"
        yield from card(one) if is_card else ("a carousel holds cards only",)


def table(block: Json) -> Problems:
    """A table."""
    yield from known(block, "block_id", "rows", "column_settings")
    yield from _rows(block, 1, 100, kinds=("raw_text", "rich_text", "raw_number"))
    settings = block.get("column_settings")
    if settings is not None:
        yield from listed(settings, "column_settings", 0, 20)
    for column in items(settings):
        if column is not None:
            yield from known(column, "align", "is_wrapped")
            yield from one_of(column, "align", "left", "center", "right")


def data_table(block: Json) -> Problems:
    """A table that can be sorted."""
    names = ("rows", "page_size", "caption", "row_header_column_index")
    yield from known(block, "block_id", *names)
    yield from _rows(block, 2, 101, kinds=("raw_text", "rich_text", "raw_number"))
    yield from number(block, "page_size", 1, 100)
    yield from string(block, "caption", 3000)
    if len({len(items(row)) for row in items(block.get("rows"))}) > 1:
        yield "all rows must have the same number of values"


def _rows(block: Json, least: int, most: int, *, kinds: tuple[str, ...]) -> Problems:
    rows = block.get("rows")
    yield from listed(rows, "rows", least, most)
    total = 0
    for row in items(rows):
        yield from listed(row, "row", 1, 20)
        for cell in items(row):
            kind = cell.get("type") if isinstance(cell, dict) else None
            if kind not in kinds:
                yield f"unsupported cell: {kind}"
            elif kind == "rich_text":
                yield from rich_text(cell)
            elif kind == "raw_text":
                yield from string(cell, "text", _MOST_IN_TABLE)
            total += _letters(cell)
    if total > _MOST_IN_TABLE:
        yield f"a table's cells must hold no more than {_MOST_IN_TABLE} characters"


def _letters(node: Any) -> int:
    if isinstance(node, list):
        return sum(_letters(item) for item in node)
    if not isinstance(node, dict):
        return 0
    own = size(node["text"]) if isinstance(node.get("text"), str) else 0
    return own + _letters(node.get("elements"))


def data_visualization(block: Json) -> Problems:
    """A chart."""
    yield from known(block, "block_id", "title", "chart")
    yield from string(block, "title", 50)
    chart = block.get("chart")
    if not isinstance(chart, dict):
        yield "missing required field: chart"
        return
    kind = chart.get("type")
    if kind == "pie":
        yield from listed(chart.get("segments"), "segments", 1, 12)
        for segment in items(chart.get("segments")):
            yield from string(segment, "label", 20)
            if not segment.get("value", 0) > 0:
                yield "a segment's value must be more than 0"
    elif kind in ("bar", "line", "area"):
        yield from _series(chart)
    else:
        yield f"unsupported chart: {kind}"


def _series(chart: Json) -> Problems:
    axis = chart.get("axis_config") or {}
    yield from listed(axis.get("categories"), "categories", 1, 20)
    for name in ("x_label", "y_label"):
        yield from string(axis, name, 50, required=False)
    for category in items(axis.get("categories")):
        yield from string({"category": category}, "category", 20)
    yield from listed(chart.get("series"), "series", 1, 12)
    for series in items(chart.get("series")):
        yield from string(series, "name", 20)
        points = [point.get("label") for point in items(series.get("data"))]
        if points != axis.get("categories"):
            yield "a series needs a value for every category"


def task_card(block: Json) -> Problems:
    """A step of the app's work."""
    names = ("task_id", "title", "details", "output", "sources", "status")
    yield from known(block, "block_id", *names)
    yield from string(block, "task_id", 255)
    yield from string(block, "title", 3000)
    yield from one_of(block, "status", "pending", "in_progress", "complete", "error")
    for name in ("details", "output"):
        given = block.get(name)
        if given is not None:
            is_rich = isinstance(given, dict) and given.get("type") == "rich_text"
            yield from rich_text(given) if is_rich else (f"{name} must be rich_text",)
    for source in items(block.get("sources")):
        yield from string(source, "url", 3000)
        yield from string(source, "text", 3000)


def plan(block: Json) -> Problems:
    """The steps of the app's work."""
    yield from known(block, "block_id", "title", "tasks")
    yield from string(block, "title", 3000)
    for one in items(block.get("tasks")):
        is_task = isinstance(one, dict) and one.get("type", "task_card") == "task_card"
        yield from task_card(one) if is_task else ("a plan holds task cards only",)


CARDS: dict[str, Callable[[Json], Problems]] = {
    "alert": alert,
    "card": card,
    "carousel": carousel,
    "table": table,
    "data_table": data_table,
    "data_visualization": data_visualization,
    "task_card": task_card,
    "plan": plan,
}
