"""The form of *Flag answer*: its blocks, and what was entered in it.

That a person should have answered is one of the reasons, and no box beside them: what is learned
from a wrong answer that a person should have given is the hand-over, whatever else was wrong.
"""

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot import wording
from bot.text import clean, length
from bot.views.content import Button, buttons, said, small
from records.flags import Judgement
from records.states import FlagReason
from records.tables import Flag

CALLBACK = "flag_answer"
_LONGEST = 3000
_LONGEST_NOTE = 1000
_WANT_AN_ANSWER = (FlagReason.WRONG, FlagReason.INCOMPLETE, FlagReason.OUT_OF_DATE)
"""Reasons that say that there is a right answer."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The answer that a form is about, and the thread in which its agent pressed."""

    turn: str
    channel: str
    thread_ts: str | None = None
    answer: str = ""
    """The answer's fingerprint, so that an unchanged one is not taken for a correction."""

    def dumped(self) -> str:
        """For the view's private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, metadata: str) -> "Origin":
        """Back from a view's private metadata."""
        return cls(**json.loads(metadata))


def loading_modal(origin: Origin) -> dict[str, Any]:
    """What is shown while the flag is being saved: opened in time, replaced at once."""
    return _modal(origin, [small(wording.review.FLAG_LOADING)], submit=False)


def flag_modal(origin: Origin, answer: str, last: Flag | None = None) -> dict[str, Any]:
    """The form, with the answer ready to be edited, or with what the agent said of it last."""
    blocks: list[Block] = [
        small(wording.review.FLAG_SAVED_NOTE),
        *said(answer, most=1),
        _reason(_chosen(last) if last else None),
        _correction((last.correction if last else None) or answer),
        _note((last.note if last else None) or ""),
        buttons("withdraw", Button(wording.review.WITHDRAW_FLAG, "withdraw_flag", origin.turn)),
    ]
    return _modal(replace(origin, answer=_fingerprint(answer)), blocks, submit=True)


def _modal(origin: Origin, blocks: list[Block], *, submit: bool) -> dict[str, Any]:
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.review.FLAG_TITLE),
        submit=PlainTextObject(text=wording.review.FLAG_SUBMIT) if submit else None,
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=origin.dumped(),
        blocks=blocks,
    )
    return view.to_dict()


def _chosen(last: Flag) -> FlagReason | None:
    """The reason that was said last; what the console and the API say may be two in one."""
    return FlagReason.SHOULD_HAVE_ESCALATED if last.should_escalate else last.reason


def _reason(chosen: FlagReason | None) -> Block:
    options = {
        reason: Option(value=reason.value, text=PlainTextObject(text=words))
        for reason, words in wording.review.FLAG_REASONS.items()
    }
    return InputBlock(
        block_id="reason",
        label=PlainTextObject(text=wording.review.FLAG_REASON_LABEL),
        hint=PlainTextObject(text=wording.review.FLAG_REASON_HINT),
        element=StaticSelectElement(
            action_id="reason",
            placeholder=PlainTextObject(text=wording.review.FLAG_REASON_PLACEHOLDER),
            options=list(options.values()),
            initial_option=options[chosen] if chosen else None,
        ),
    )


def _correction(text: str) -> Block:
    fits = 0 < length(text) <= _LONGEST and clean(text) == text
    return InputBlock(
        block_id="correction",
        label=PlainTextObject(text=wording.review.FLAG_CORRECTION_LABEL),
        hint=None if fits else PlainTextObject(text=wording.review.FLAG_TOO_LONG),
        element=PlainTextInputElement(
            action_id="correction",
            multiline=True,
            max_length=_LONGEST,
            initial_value=text if fits else None,
        ),
        optional=True,
    )


def _note(text: str) -> Block:
    fits = 0 < length(text) <= _LONGEST_NOTE and clean(text) == text
    return InputBlock(
        block_id="note",
        label=PlainTextObject(text=wording.review.FLAG_NOTE_LABEL),
        element=PlainTextInputElement(
            action_id="note",
            max_length=_LONGEST_NOTE,
            initial_value=text if fits else None,
        ),
        optional=True,
    )


def read_judgement(state: dict[str, Any]) -> Judgement:
    """What was entered; `state` is the view's `state.values`."""
    reason = _entered(state, "reason").get("selected_option") or {}
    chosen = FlagReason(reason["value"]) if reason else None
    return Judgement(
        reason=chosen,
        correction=(_entered(state, "correction").get("value") or "").strip() or None,
        should_escalate=chosen is FlagReason.SHOULD_HAVE_ESCALATED,
        note=(_entered(state, "note").get("value") or "").strip() or None,
    )


def _entered(state: dict[str, Any], block: str) -> dict[str, Any]:
    element: dict[str, Any] = state.get(block, {}).get(block, {})
    return element


def without_echo(judgement: Judgement, origin: Origin) -> Judgement:
    """The judgement, an answer left as it was not taken for a correction of itself."""
    if judgement.correction is None or _fingerprint(judgement.correction) != origin.answer:
        return judgement
    return replace(judgement, correction=None)


def teaches_nothing_yet(judgement: Judgement) -> bool:
    """Whether it says that there is a right answer, and does not say which."""
    return judgement.correction is None and judgement.reason in _WANT_AN_ANSWER


def _fingerprint(text: str) -> str:
    """The same for texts that differ in white space only."""
    return sha256(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()[:32]
