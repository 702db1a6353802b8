"""The form of `/rollback`: it says from what to what before anything changes."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from slack_sdk.models.blocks import Block, PlainTextObject
from slack_sdk.models.views import View

from bot import wording
from bot.text import literal
from bot.views.content import line
from bot.views.version_names import BY_ID, VersionNames

CALLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Way:
    """From which version to which, and where it was asked for."""

    assistant: str
    champion: str
    target: str
    channel: str

    def dumped(self) -> str:
        """For the view's private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, metadata: str) -> "Way":
        """Back from a view's private metadata."""
        return cls(**json.loads(metadata))


def rollback_form(
    way: Way, *, experiment_runs: bool, names: VersionNames = BY_ID
) -> dict[str, Any]:
    """What will happen, to be confirmed."""
    about = wording.releases.ROLLBACK_ABOUT.format(
        assistant=literal(way.assistant),
        champion=literal(names.full(way.champion)),
        target=literal(names.first(way.target)),
    )
    blocks: list[Block] = [line(about)]
    if experiment_runs:
        blocks.append(line(wording.releases.ROLLBACK_EXPERIMENT))
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.releases.ROLLBACK_TITLE),
        submit=PlainTextObject(text=wording.releases.ROLLBACK_SUBMIT),
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=way.dumped(),
        blocks=blocks,
    )
    return view.to_dict()
