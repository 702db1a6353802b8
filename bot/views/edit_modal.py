"""The form of *Edit*: what an example teaches, and whether a person should answer."""

import json
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
)
from slack_sdk.models.views import View

from bot import wording
from bot.text import clean, length
from bot.views.content import small
from bot.views.marked import marked
from records.examples import fingerprint
from records.review import question_of
from records.tables import Example

CALLBACK = "edit_example"
_LONGEST = 3000
_ESCALATE = "should_escalate"


@dataclass(frozen=True, slots=True)
class Edited:
    """What was entered, and the state of the App Home behind the form."""

    example: str
    chosen: str
    should_escalate: bool
    home: str
    seen: str
    """The fingerprint of what the form began with."""

    @property
    def is_empty(self) -> bool:
        """Whether it would teach nothing."""
        return not self.chosen and not self.should_escalate


def edit_modal(example: Example, *, four_eyes: bool, home: str) -> dict[str, Any]:
    """The form; `home` is the state of the App Home that it was opened from."""
    blocks: list[Block] = [
        small(wording.review.QUESTION),
        *marked(question_of(example), most=1),
        _answer(example),
        _hand_over(example),
    ]
    if four_eyes:
        blocks.append(small(wording.home.EDIT_FOUR_EYES))
    submit = wording.home.EDIT_SUBMIT_FOUR_EYES if four_eyes else wording.home.EDIT_SUBMIT
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.home.EDIT_TITLE),
        submit=PlainTextObject(text=submit),
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=json.dumps(
            {"example": example.id, "home": home, "seen": fingerprint(example)}
        ),
        blocks=blocks,
    )
    return view.to_dict()


def _answer(example: Example) -> Block:
    fits = length(example.chosen) <= _LONGEST and clean(example.chosen) == example.chosen
    empty = not example.chosen
    return InputBlock(
        block_id="chosen",
        label=PlainTextObject(text=wording.home.EDIT_LABEL),
        hint=None if fits or empty else PlainTextObject(text=wording.home.EDIT_TOO_LONG),
        element=PlainTextInputElement(
            action_id="chosen",
            multiline=True,
            max_length=_LONGEST,
            initial_value=example.chosen if fits and not empty else None,
        ),
        optional=True,
    )


def _hand_over(example: Example) -> Block:
    option = Option(value=_ESCALATE, text=PlainTextObject(text=wording.home.EDIT_ESCALATE))
    return InputBlock(
        block_id="should_escalate",
        label=PlainTextObject(text=wording.home.EDIT_ESCALATE_LABEL),
        element=CheckboxesElement(
            action_id="should_escalate",
            options=[option],
            initial_options=[option] if example.should_escalate else None,
        ),
        optional=True,
    )


def read_edited(view: dict[str, Any]) -> Edited:
    """What was entered in the form."""
    given, state = json.loads(view["private_metadata"]), view["state"]["values"]
    ticked = state["should_escalate"]["should_escalate"].get("selected_options") or []
    return Edited(
        example=given["example"],
        chosen=(state["chosen"]["chosen"].get("value") or "").strip(),
        should_escalate=bool(ticked),
        home=given["home"],
        seen=given["seen"],
    )
