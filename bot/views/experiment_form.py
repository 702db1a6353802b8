"""The form of `/experiment` where none runs: which version gets which share of the customers."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, Option, PlainTextObject, StaticSelectElement
from slack_sdk.models.views import View

from bot import wording
from bot.text import cut, literal
from bot.views.content import line
from bot.views.version_names import BY_ID, VersionNames

CALLBACK = "start_experiment_form"
_VERSION, _SHARE = "experiment_version", "experiment_share"
_SHARES = (1, 5, 10, 25, 50, 100)
_USUAL = 10
MOST_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """The assistant that a form is about, and where it was asked for."""

    assistant: str
    channel: str

    def dumped(self) -> str:
        """For the view's private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, metadata: str) -> "Origin":
        """Back from a view's private metadata."""
        return cls(**json.loads(metadata))


def experiment_form(
    origin: Origin, versions: Sequence[str], *, champion: str, names: VersionNames = BY_ID
) -> dict[str, Any]:
    """The form; `versions` are those that may be tried, at least one, the newest first."""
    about = wording.experiments.FORM_ABOUT.format(
        assistant=literal(origin.assistant), champion=literal(names.full(champion))
    )
    blocks: list[Block] = [line(about), _versions(versions, names), _shares()]
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.experiments.FORM_TITLE),
        submit=PlainTextObject(text=wording.experiments.FORM_SUBMIT),
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=origin.dumped(),
        blocks=blocks,
    )
    return view.to_dict()


def _versions(versions: Sequence[str], names: VersionNames) -> Block:
    options = [
        Option(value=version, text=PlainTextObject(text=cut(names.first(version), 75)))
        for version in versions[:MOST_VERSIONS]
    ]
    return InputBlock(
        block_id=_VERSION,
        label=PlainTextObject(text=wording.experiments.FORM_VERSION),
        element=StaticSelectElement(action_id=_VERSION, options=options, initial_option=options[0]),
    )


def _shares() -> Block:
    options = {
        percent: Option(value=str(percent), text=PlainTextObject(text=f"{percent}%"))
        for percent in _SHARES
    }
    return InputBlock(
        block_id=_SHARE,
        label=PlainTextObject(text=wording.experiments.FORM_SHARE),
        hint=PlainTextObject(text=wording.experiments.FORM_SHARE_HINT),
        element=StaticSelectElement(
            action_id=_SHARE, options=list(options.values()), initial_option=options[_USUAL]
        ),
    )


def read_choice(state: dict[str, Any]) -> tuple[str, float]:
    """The version that was chosen, and its share of the customers, 0..1."""
    version = state[_VERSION][_VERSION]["selected_option"]["value"]
    share = state[_SHARE][_SHARE]["selected_option"]["value"]
    return version, int(share) / 100
