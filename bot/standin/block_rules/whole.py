"""Rules for messages and views as a whole."""

from typing import Any

from bot.standin.block_rules.cards import CARDS
from bot.standin.block_rules.layout import LAYOUT
from bot.standin.block_rules.texts import (
    Problems,
    flag,
    items,
    known,
    size,
    string,
    text,
    unique,
)

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
_MARKDOWN = 12_000
_RULES = {**LAYOUT, **CARDS}
_MESSAGES_ONLY = frozenset(
    {"markdown", "context_actions", "table", "data_table", "data_visualization"}
    | {"task_card", "plan"}
)
_VIEW = ("blocks", "private_metadata", "callback_id", "external_id")
_MODAL = ("title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled")


def problems(blocks: Any, *, most: int, in_view: bool = False) -> list[str]:
    """Everything that Slack would refuse in these blocks; empty where they are right."""
    if not isinstance(blocks, list):
        return ["must be a list of blocks"]
    found = [] if len(blocks) <= most else [f"no more than {most} items allowed [json-pointer:/]"]
    for index, block in enumerate(blocks):
        wrong = _block(block, in_view=in_view)
        found.extend(f"{problem} [json-pointer:/blocks/{index}]" for problem in wrong)
    objects = [block for block in blocks if isinstance(block, dict)]
    found += unique([block.get("block_id") for block in objects], "block_id")
    markdown = [b.get("text") for b in objects if b.get("type") == "markdown"]
    if sum(size(str(words)) for words in markdown) > _MARKDOWN:
        found.append(f"markdown is longer than {_MARKDOWN} characters in all")
    if sum(block.get("type") == "table" for block in objects) > 1:
        found.append("only_one_table_allowed")
    return found


def _block(block: Any, *, in_view: bool) -> Problems:
    if not isinstance(block, dict):
        yield "a block must be an object"
        return
    kind = str(block.get("type"))
    if kind not in _RULES:
        yield f"unsupported type: {kind}"
        return
    yield from string(block, "block_id", 255, required=False)
    if kind == "input" and not in_view:
        yield "input blocks are not allowed in a message here"
    if kind in _MESSAGES_ONLY and in_view:
        yield f"{kind} blocks are allowed in messages only"
    yield from _RULES[kind](block)


def view_problems(view: Any) -> list[str]:
    """Everything that Slack would refuse in a modal or Home view."""
    if not isinstance(view, dict):
        return ["view must be an object"]
    if view.get("type") not in ("modal", "home"):
        return [f"unsupported view type: {view.get('type')}"]
    is_modal = view["type"] == "modal"
    found = list(known(view, *_VIEW, *_MODAL) if is_modal else known(view, *_VIEW))
    found += string(view, "callback_id", 255, required=False, may_be_empty=True)
    found += string(view, "external_id", 255, required=False, may_be_empty=True)
    found += string(view, "private_metadata", 3000, required=False, may_be_empty=True)
    blocks = view.get("blocks")
    if blocks == []:
        found.append("a view needs at least one block")
    found += problems(blocks, most=VIEW_BLOCKS, in_view=True)
    objects = [block for block in items(blocks) if isinstance(block, dict)]
    if is_modal:
        found += _modal(view, has_input=any(b.get("type") == "input" for b in objects))
    return found + _focus(objects)


def _modal(view: dict[str, Any], *, has_input: bool) -> list[str]:
    found = list(text(view, "title", 24, plain=True))
    for name in ("submit", "close"):
        found += text(view, name, 24, required=False, plain=True)
    for name in ("clear_on_close", "notify_on_close", "submit_disabled"):
        found += flag(view, name)
    if has_input and not view.get("submit"):
        found.append("a modal with inputs needs submit")
    return found


def _focus(blocks: list[dict[str, Any]]) -> list[str]:
    elements = [e for b in blocks for e in [b.get("element"), *items(b.get("elements"))]]
    focused = [e for e in elements if isinstance(e, dict) and e.get("focus_on_load")]
    return ["only one element may have focus_on_load"] if len(focused) > 1 else []
