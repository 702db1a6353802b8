"""Slack's documented limits of Block Kit, as a list of what is wrong with given blocks."""

from bot.standin.block_rules.texts import size
from bot.standin.block_rules.whole import (
    MESSAGE_BLOCKS,
    VIEW_BLOCKS,
    problems,
    view_problems,
)

__all__ = ["MESSAGE_BLOCKS", "VIEW_BLOCKS", "problems", "size", "view_problems"]
