"""The form of *Flag answer*: its blocks, and what was entered in it."""

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
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot import wording
from bot.text import clean, length
from bot.views.content import line, plain, said, small
from records.learning import Judgement
from records.states import FlagReason

CALLBACK = "flag_answer"
_LONGEST = 3000
_ESCALATE = "should_escalate"


@dataclass(frozen=True, slots=True)
class Origin:
    """The answer that a form is about, and where its agent pressed."""

    turn: str
    channel: str
    ts: str

    def dumped(self) -> str:
        """For the view's private metadata."""
        return json.dumps({"turn": self.turn, "channel": self.channel, "ts": self.ts})

    @classmethod
    def loaded(cls, metadata: str) -> "Origin":
        """Back from a view's private metadata."""
        return cls(**json.loads(metadata))


def loading_modal(origin: Origin) -> dict[str, Any]:
    """What is shown while the flag is being saved: opened in time, replaced at once."""
    return _modal(origin, [small(wording.review.FLAG_LOADING)], submit=False)


def notice_modal(sentence: str) -> dict[str, Any]:
    """A sentence in place of the form."""
    view = View(
        type="modal",
        title=PlainTextObject(text=wording.review.FLAG_TITLE),
        close=PlainTextObject(text="Close"),
        blocks=[line(sentence)],
    )
    return view.to_dict()


def flag_modal(origin: Origin, answer: str) -> dict[str, Any]:
    """The form, with the answer ready to be edited."""
    blocks: list[Block] = [
        small(wording.review.FLAG_SAVED_NOTE),
        *said(answer, most=1),
        _reason(),
        _correction(answer),
        _hand_over(),
        _note(),
    ]
    return _modal(origin, blocks, submit=True)


def _modal(origin: Origin, blocks: list[Block], *, submit: bool) -> dict[str, Any]:
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.review.FLAG_TITLE),
        submit=PlainTextObject(text="Save") if submit else None,
        close=PlainTextObject(text="Close"),
        private_metadata=origin.dumped(),
        blocks=blocks,
    )
    return view.to_dict()


def _reason() -> Block:
    options = [
        Option(value=reason.value, text=PlainTextObject(text=words))
        for reason, words in wording.review.FLAG_REASONS.items()
    ]
    return InputBlock(
        block_id="reason",
        label=PlainTextObject(text="What is wrong with it?"),
        element=StaticSelectElement(
            action_id="reason",
            placeholder=PlainTextObject(text="Choose a reason"),
            options=options,
        ),
    )


def _correction(answer: str) -> Block:
    fits = length(answer) <= _LONGEST and clean(answer) == answer
    return InputBlock(
        block_id="correction",
        label=PlainTextObject(text="The right answer"),
        hint=None if fits else PlainTextObject(text=wording.review.FLAG_TOO_LONG),
        element=PlainTextInputElement(
            action_id="correction",
            multiline=True,
            max_length=_LONGEST,
            initial_value=answer if fits else None,
        ),
        optional=True,
    )


def _hand_over() -> Block:
    option = Option(value=_ESCALATE, text=plain("A person should have answered this"))
    return InputBlock(
        block_id="should_escalate",
        label=PlainTextObject(text="Should have escalated?"),
        element=CheckboxesElement(action_id="should_escalate", options=[option]),
        optional=True,
    )


def _note() -> Block:
    return InputBlock(
        block_id="note",
        label=PlainTextObject(text="Note for colleagues"),
        element=PlainTextInputElement(action_id="note", max_length=1000),
        optional=True,
    )


def read_judgement(state: dict[str, Any]) -> Judgement:
    """What was entered; `state` is the view's `state.values`."""
    reason = _entered(state, "reason").get("selected_option") or {}
    chosen = FlagReason(reason["value"]) if reason else None
    ticked = _entered(state, "should_escalate").get("selected_options") or []
    return Judgement(
        reason=chosen,
        correction=(_entered(state, "correction").get("value") or "").strip() or None,
        should_escalate=bool(ticked) or chosen is FlagReason.SHOULD_HAVE_ESCALATED,
        note=(_entered(state, "note").get("value") or "").strip() or None,
    )


def _entered(state: dict[str, Any], block: str) -> dict[str, Any]:
    element: dict[str, Any] = state.get(block, {}).get(block, {})
    return element


def prefilled(view: dict[str, Any]) -> str | None:
    """The answer as it stood in the form when it was opened."""
    for block in view["blocks"]:
        if block["block_id"] == "correction":
            value: str | None = block["element"].get("initial_value")
            return value
    return None


def without_echo(judgement: Judgement, answer: str | None) -> Judgement | None:
    """The judgement, an answer left as it was not taken for a correction of itself.

    None where that leaves nothing right: then the agent must say what would have been.
    """
    unchanged = answer is not None and judgement.correction == answer.strip()
    if judgement.correction is None or not unchanged:
        return judgement
    if not judgement.should_escalate:
        return None
    return Judgement(judgement.reason, None, judgement.should_escalate, judgement.note)
