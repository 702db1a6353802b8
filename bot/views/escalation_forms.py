"""The forms of *Resolve* and *Assign to…*: their blocks, and what was entered in them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    RadioButtonsElement,
    UserSelectElement,
)
from slack_sdk.models.views import View

from bot import wording
from bot.text import clean, length
from records.replies import suggested
from records.states import Resolution
from records.tables import Turn

RESOLVE_CALLBACK = "resolve_escalation"
ASSIGN_CALLBACK = "assign_escalation"
ASSIGNEE = "assignee"
_RESOLUTION, _SAVE, _ANSWER, _NOTE = "resolution", "save_example", "right_answer", "note"
_LONGEST_NOTE = 1000
_LONGEST_ANSWER = 3000


@dataclass(frozen=True, slots=True)
class Origin:
    """The escalation that a form is about, and where its agent pressed."""

    escalation: str
    channel: str

    def dumped(self) -> str:
        """For the view's private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, metadata: str) -> "Origin":
        """Back from a view's private metadata."""
        return cls(**json.loads(metadata))


@dataclass(frozen=True, slots=True)
class Ending:
    """What an agent says of an escalation's end."""

    resolution: Resolution
    right_answer: str | None
    """What an example shall teach; None: none is proposed."""
    note: str | None


def resolve_modal(origin: Origin, *, replies: Sequence[Turn]) -> dict[str, Any]:
    """The form of *Resolve*; where agents replied there is something to learn from."""
    words = wording.conversations
    blocks = [_resolutions(), *(_to_learn_from(replies) if replies else []), _note()]
    return _modal(
        RESOLVE_CALLBACK, words.RESOLVE_TITLE, words.RESOLVE_SUBMIT, origin=origin, blocks=blocks
    )


def assign_modal(origin: Origin) -> dict[str, Any]:
    """The form of *Assign to…*."""
    words = wording.conversations
    chosen = InputBlock(
        block_id=ASSIGNEE,
        label=PlainTextObject(text=words.ASSIGN_LABEL),
        hint=PlainTextObject(text=words.ASSIGN_HINT),
        element=UserSelectElement(
            action_id=ASSIGNEE, placeholder=PlainTextObject(text=words.ASSIGN_PLACEHOLDER)
        ),
    )
    return _modal(
        ASSIGN_CALLBACK, words.ASSIGN_TITLE, words.ASSIGN_SUBMIT, origin=origin, blocks=[chosen]
    )


def _modal(
    callback: str, title: str, submit: str, *, origin: Origin, blocks: list[Block]
) -> dict[str, Any]:
    view = View(
        type="modal",
        callback_id=callback,
        title=PlainTextObject(text=title),
        submit=PlainTextObject(text=submit),
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=origin.dumped(),
        blocks=blocks,
    )
    return view.to_dict()


def _resolutions() -> Block:
    options = [
        Option(value=resolution.value, text=PlainTextObject(text=words))
        for resolution, words in wording.conversations.RESOLUTIONS.items()
    ]
    return InputBlock(
        block_id=_RESOLUTION,
        label=PlainTextObject(text=wording.conversations.RESOLVE_LABEL),
        element=RadioButtonsElement(
            action_id=_RESOLUTION, options=options, initial_option=options[0]
        ),
    )


def _to_learn_from(replies: Sequence[Turn]) -> list[Block]:
    """The likeliest of the replies, to be made the right answer.

    A single one is proposed unless the agent takes the tick away. Of several nobody but the agent
    knows which one answers, if any.
    """
    likeliest = suggested(replies)
    words = clean(likeliest.content) if likeliest else ""
    fits = length(words) <= _LONGEST_ANSWER
    return [
        _save(ticked=fits and len(replies) == 1),
        InputBlock(
            block_id=_ANSWER,
            label=PlainTextObject(text=wording.conversations.RESOLVE_ANSWER_LABEL),
            hint=PlainTextObject(text=wording.conversations.RESOLVE_ANSWER_HINT),
            element=PlainTextInputElement(
                action_id=_ANSWER,
                multiline=True,
                max_length=_LONGEST_ANSWER,
                initial_value=words if fits else None,
            ),
            optional=True,
        ),
    ]


def _save(*, ticked: bool) -> Block:
    text = PlainTextObject(text=wording.conversations.RESOLVE_SAVE)
    option = Option(value=_SAVE, text=text)
    return InputBlock(
        block_id=_SAVE,
        label=PlainTextObject(text=wording.conversations.RESOLVE_SAVE_LABEL),
        element=CheckboxesElement(
            action_id=_SAVE, options=[option], initial_options=[option] if ticked else None
        ),
        optional=True,
    )


def _note() -> Block:
    return InputBlock(
        block_id=_NOTE,
        label=PlainTextObject(text=wording.conversations.RESOLVE_NOTE_LABEL),
        element=PlainTextInputElement(action_id=_NOTE, multiline=True, max_length=_LONGEST_NOTE),
        optional=True,
    )


def read_ending(view: dict[str, Any]) -> Ending:
    """What was entered in a form that was sent."""
    state = view["state"]["values"]
    chosen = _entered(state, _RESOLUTION).get("selected_option") or {}
    return Ending(
        resolution=Resolution(chosen.get("value", Resolution.SOLVED)),
        right_answer=_right_answer(view),
        note=(_entered(state, _NOTE).get("value") or "").strip() or None,
    )


def _right_answer(view: dict[str, Any]) -> str | None:
    """What was written down, where it was ticked: or written without a look at the box."""
    state, shown = view["state"]["values"], _shown(view)
    words = (_entered(state, _ANSWER).get("value") or "").strip()
    ticked = bool(_entered(state, _SAVE).get("selected_options"))
    before = (shown.get(_ANSWER, {}).get("initial_value") or "").strip()
    unticked = bool(shown.get(_SAVE, {}).get("initial_options")) and not ticked
    return words or None if ticked or (words != before and not unticked) else None


def _shown(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The form's fields as they were before anything was entered."""
    return {block["block_id"]: block["element"] for block in view["blocks"] if "element" in block}


def read_assignee(state: dict[str, Any]) -> str:
    """Who was chosen; Slack sends no form in which nobody is."""
    chosen: str = _entered(state, ASSIGNEE).get("selected_user") or ""
    return chosen


def _entered(state: dict[str, Any], block: str) -> dict[str, Any]:
    element: dict[str, Any] = state.get(block, {}).get(block, {})
    return element
