"""What apps give, taken in: arguments that may be JSON, and blocks that Slack would take. Pure."""

import json
import secrets
from collections.abc import Iterable
from typing import Any

from bot.standin.block_rules import MESSAGE_BLOCKS, problems
from bot.standin.refusal import Refused

Json = dict[str, Any]


def parsed(value: Any, *, code: str) -> Any:
    """An argument that may be JSON or the text of it."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError as error:
            raise Refused(code) from error
    return value


def checked_blocks(value: Any) -> list[Json]:
    """The blocks of a message, refused where Slack would."""
    blocks = parsed(value, code="invalid_blocks_format") if value else []
    wrong = problems(blocks, most=MESSAGE_BLOCKS)
    if wrong:
        raise Refused("invalid_blocks", messages=wrong)
    return with_ids(blocks)


def with_ids(blocks: Iterable[Json]) -> list[Json]:
    """Blocks and their elements, each with an id, as Slack gives them one."""
    return [{"block_id": secrets.token_hex(3), **_with_action_ids(block)} for block in blocks]


def _with_action_ids(block: Json) -> Json:
    named: Json = {n: _identified(block[n]) for n in ("accessory", "element") if n in block}
    if block["type"] in ("actions", "context_actions"):
        named["elements"] = [_identified(element) for element in block["elements"]]
    return {**block, **named}


def _identified(element: Json) -> Json:
    if element["type"] == "image" or element.get("action_id"):
        return element
    return {**element, "action_id": secrets.token_hex(3)}
