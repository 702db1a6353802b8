"""The form of *Edit and send*: a draft's words, to be made into the agent's own."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement, PlainTextObject
from slack_sdk.models.views import View

from bot import wording
from bot.text import clean, length

CALLBACK = "edit_draft"
_LONGEST = 3000


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft, and the message and thread in which it stands."""

    turn: str
    channel: str
    ts: str
    thread_ts: str | None = None

    def dumped(self) -> str:
        """For the view's private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, metadata: str) -> "Draft":
        """Back from a view's private metadata."""
        return cls(**json.loads(metadata))


def draft_modal(draft: Draft, words: str) -> dict[str, Any]:
    """The form, with the draft's words ready to be edited."""
    fits = length(words) <= _LONGEST and clean(words) == words
    too_long = PlainTextObject(text=wording.asking.EDIT_DRAFT_TOO_LONG)
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.asking.EDIT_DRAFT_TITLE),
        submit=PlainTextObject(text=wording.asking.EDIT_DRAFT_SUBMIT),
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=draft.dumped(),
        blocks=[
            InputBlock(
                block_id="words",
                label=PlainTextObject(text=wording.asking.EDIT_DRAFT_LABEL),
                hint=None if fits else too_long,
                element=PlainTextInputElement(
                    action_id="words",
                    multiline=True,
                    max_length=_LONGEST,
                    initial_value=words if fits and words else None,
                ),
            )
        ],
    )
    return view.to_dict()


def read_words(view: dict[str, Any]) -> str:
    """What was entered."""
    return (view["state"]["values"]["words"]["words"].get("value") or "").strip()
