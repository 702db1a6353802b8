"""*Reject because…*: the reasons to choose from, and the form for other words."""

import json
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot import wording
from records.states import RejectReason

CALLBACK = "reject_example"
_OTHER = "other"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """An example that is to be rejected, and why; None: the person wants to write why."""

    example: str
    reason: RejectReason | None

    @classmethod
    def read(cls, action: dict[str, Any]) -> "Choice":
        """What was chosen in the select; cards from before reasons were asked for have a button."""
        if "selected_option" not in action:
            return cls(action["value"], None)
        example, _, reason = action["selected_option"]["value"].partition(" ")
        return cls(example, None if reason == _OTHER else RejectReason(reason))


def reject_select(action_id: str, example_id: str) -> StaticSelectElement:
    """The reasons, each of which rejects at once, and *Other…*, which opens the form."""
    named = [*wording.review.REJECT_REASONS.items(), (_OTHER, wording.review.REJECT_OTHER)]
    return StaticSelectElement(
        action_id=action_id,
        placeholder=PlainTextObject(text=wording.review.REJECT_BECAUSE),
        options=[
            Option(value=f"{example_id} {reason}", text=PlainTextObject(text=words))
            for reason, words in named
        ],
    )


def reject_modal(example_id: str, *, home: str | None = None) -> dict[str, Any]:
    """The form; `home` is the state of the App Home that it was opened from."""
    asked = InputBlock(
        block_id="why",
        label=PlainTextObject(text=wording.review.REJECT_LABEL),
        element=PlainTextInputElement(action_id="why", max_length=_LONGEST, multiline=True),
    )
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.review.REJECT_TITLE),
        submit=PlainTextObject(text=wording.review.REJECT_SUBMIT),
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=json.dumps({"example": example_id, "home": home}),
        blocks=[asked],
    )
    return view.to_dict()


def read_rejection(view: dict[str, Any]) -> tuple[str, str, str | None]:
    """What was entered: example, why, and the state of the App Home behind the form."""
    given = json.loads(view["private_metadata"])
    why = (view["state"]["values"]["why"]["why"].get("value") or "").strip()
    return given["example"], why, given["home"]
