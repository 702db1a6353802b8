"""The conversation that an example was made from, to be read before deciding."""

from typing import Any

from slack_sdk.models.blocks import Block, PlainTextObject
from slack_sdk.models.views import View

from bot import wording
from bot.views.content import small
from bot.views.marked import marked
from records.tables import Example

_MOST_TURNS = 25
"""A turn takes up to three blocks, and a view holds a hundred."""
_LONGEST_TURN = 1200
"""In all, a view holds 250 KB."""


def conversation_modal(example: Example, *, thread: str = "") -> dict[str, Any]:
    """All that was said before the answer; of a long conversation the end.

    `thread` links to where it is shown with all that came after.
    """
    turns = example.prompt[-_MOST_TURNS:]
    left = len(example.prompt) - len(turns)
    blocks: list[Block] = [small(thread)] if thread else []
    if left:
        blocks.append(small(wording.home.CONVERSATION_LEFT_OUT.format(number=left)))
    for turn in turns:
        speaker = wording.conversations.SPEAKERS[turn["role"]]
        blocks += [small(speaker), *marked(str(turn["content"]), most=1, longest=_LONGEST_TURN)]
    view = View(
        type="modal",
        title=PlainTextObject(text=wording.home.CONVERSATION_TITLE),
        close=PlainTextObject(text=wording.machine.CLOSE),
        blocks=blocks,
    )
    return view.to_dict()
