"""The form of `/retrain`: what there is to train on, what is wished for, what was entered."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    DatePickerElement,
    InputBlock,
    NumberInputElement,
    Option,
    PlainTextObject,
    RadioButtonsElement,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot import wording
from bot.text import literal
from bot.views.content import line, small
from bot.views.job import job_blocks
from bot.views.version_names import BY_ID, VersionNames
from records.states import TrainingMethod
from records.tables import Job
from records.training_data import FEW, TrainingData

CALLBACK = "retrain"
SINCE, DAY, METHOD, MINUTES = "retrain_since", "retrain_day", "retrain_method", "retrain_minutes"
SEARCH = "retrain_search"
_LONGEST_MINUTES = 60 * 24 * 14


class Since(StrEnum):
    """Which corrections are wished for."""

    ALL = "all"
    LAST = "last"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a form is about, and where it was asked for."""

    assistant: str
    channel: str

    def dumped(self) -> str:
        """For the view's private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, metadata: str) -> "Origin":
        """Back from a view's private metadata."""
        return cls(**json.loads(metadata))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was entered. Minutes are None where nothing is, and 0 where it is no number."""

    since: Since = Since.ALL
    day: date | None = None
    method: TrainingMethod = TrainingMethod.SFT
    minutes: float | None = None
    """The time limit of a training."""
    search_minutes: float | None = None
    """How long to search for a recipe."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the form shows and offers beside the wishes."""

    data: TrainingData
    champion: str
    last_trained_at: datetime | None
    own_minutes: float | None
    """The time limit of the assistant's recipe."""
    timezone: str
    names: VersionNames = BY_ID


def retrain_form(origin: Origin, offer: Offer, wishes: Wishes | None = None) -> dict[str, Any]:
    """The form, with the counts for what is wished for."""
    wishes = wishes or Wishes()
    blocks = [
        *_counts(origin, offer, wishes),
        _since(offer, wishes),
        *([_day(offer, wishes)] if wishes.since is Since.DAY else []),
        _method(),
        _minutes(offer),
        _search(),
    ]
    return _view(origin, blocks, submit=wording.retraining.FORM_SUBMIT)


def loading_form(origin: Origin) -> dict[str, Any]:
    """What stands there until the counts are known."""
    return _view(origin, [small(wording.retraining.FORM_LOADING)], submit=None)


def running_view(origin: Origin, job: Job, *, names: VersionNames = BY_ID) -> dict[str, Any]:
    """The job that runs already, in place of the form."""
    blocks = [line(wording.retraining.RUNS_ALREADY), *job_blocks(job, names=names)]
    return _view(origin, blocks, submit=None)


def _view(origin: Origin, blocks: list[Block], *, submit: str | None) -> dict[str, Any]:
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text=wording.retraining.FORM_TITLE),
        submit=PlainTextObject(text=submit) if submit else None,
        close=PlainTextObject(text=wording.machine.CLOSE),
        private_metadata=origin.dumped(),
        blocks=blocks,
    )
    return view.to_dict()


def _counts(origin: Origin, offer: Offer, wishes: Wishes) -> list[Block]:
    words, data = wording.retraining, offer.data
    champion = literal(offer.names.full(offer.champion))
    about = words.ABOUT.format(assistant=literal(origin.assistant), champion=champion)
    sentences = [_used(data), words.NEW.format(count=f"{data.new:,}"), _not_used(data)]
    warnings = [words.FEW.format(few=f"{FEW:,}")] if data.total < FEW else []
    if not data.corrections:
        warnings = [words.NO_CORRECTIONS]
    if data.left_out and wishes.since is not Since.ALL:
        warnings.append(words.OLDER_LEFT_OUT)
    return [line(about), line("\n".join(sentences)), *map(line, warnings), small(words.REPLAY)]


def _used(data: TrainingData) -> str:
    if not data.total:
        return wording.retraining.USED_NONE
    sources = [
        words.format(count=f"{data.used[source]:,}")
        for source, words in wording.retraining.SOURCES.items()
        if data.used.get(source)
    ]
    return wording.retraining.USED.format(total=f"{data.total:,}", sources=", ".join(sources))


def _not_used(data: TrainingData) -> str:
    words = wording.retraining.NOT_USED_OLDER if data.left_out else wording.retraining.NOT_USED
    return words.format(
        waiting=f"{data.waiting:,}", rejected=f"{data.rejected:,}", older=f"{data.left_out:,}"
    )


def _since(offer: Offer, wishes: Wishes) -> Block:
    words = {Since.ALL: wording.retraining.SINCE_ALL, Since.DAY: wording.retraining.SINCE_DAY}
    if offer.last_trained_at is not None:
        words[Since.LAST] = wording.retraining.SINCE_LAST
    options = {
        since: Option(value=since.value, text=PlainTextObject(text=words[since]))
        for since in Since
        if since in words
    }
    return InputBlock(
        block_id=SINCE,
        label=PlainTextObject(text=wording.retraining.SINCE_LABEL),
        element=RadioButtonsElement(
            action_id=SINCE,
            options=list(options.values()),
            initial_option=options.get(wishes.since, options[Since.ALL]),
        ),
        dispatch_action=True,
    )


def _day(offer: Offer, wishes: Wishes) -> Block:
    return InputBlock(
        block_id=DAY,
        label=PlainTextObject(text=wording.retraining.DAY_LABEL),
        hint=PlainTextObject(text=wording.retraining.DAY_HINT.format(timezone=offer.timezone)),
        element=DatePickerElement(
            action_id=DAY, initial_date=wishes.day.isoformat() if wishes.day else None
        ),
        dispatch_action=True,
        optional=True,
    )


def _method() -> Block:
    """The method: a choice where there is one."""
    if len(wording.retraining.METHODS) == 1:
        (only,) = wording.retraining.METHODS.values()
        return small(wording.retraining.METHOD_ONLY.format(method=only))
    options = [
        Option(value=method.value, text=PlainTextObject(text=words))
        for method, words in wording.retraining.METHODS.items()
    ]
    return InputBlock(
        block_id=METHOD,
        label=PlainTextObject(text=wording.retraining.METHOD_LABEL),
        element=StaticSelectElement(action_id=METHOD, options=options, initial_option=options[0]),
    )


def _minutes(offer: Offer) -> Block:
    hint = wording.retraining.MINUTES_HINT
    if offer.own_minutes is not None:
        hint = wording.retraining.MINUTES_HINT_OWN.format(minutes=f"{offer.own_minutes:g}")
    return _number_field(MINUTES, wording.retraining.MINUTES_LABEL, hint, least="0.1")


def _search() -> Block:
    words = wording.retraining
    return _number_field(SEARCH, words.SEARCH_LABEL, words.SEARCH_HINT, least="1")


def _number_field(name: str, label: str, hint: str, *, least: str) -> Block:
    return InputBlock(
        block_id=name,
        label=PlainTextObject(text=label),
        hint=PlainTextObject(text=hint),
        element=NumberInputElement(
            action_id=name,
            is_decimal_allowed=True,
            min_value=least,
            max_value=str(_LONGEST_MINUTES),
        ),
        optional=True,
    )


def read_wishes(state: dict[str, Any]) -> Wishes:
    """What was entered; `state` is the view's `state.values`."""
    since = (_entered(state, SINCE).get("selected_option") or {}).get("value", Since.ALL)
    day = _entered(state, DAY).get("selected_date")
    method = (_entered(state, METHOD).get("selected_option") or {}).get("value", TrainingMethod.SFT)
    return Wishes(
        since=Since(since),
        day=date.fromisoformat(day) if day else None,
        method=TrainingMethod(method),
        minutes=_number(_entered(state, MINUTES).get("value")),
        search_minutes=_number(_entered(state, SEARCH).get("value")),
    )


def _number(written: str | None) -> float | None:
    if not written or not written.strip():
        return None
    try:
        number = float(written)
    except ValueError:
        return 0.0
    return number if 0 < number <= _LONGEST_MINUTES else 0.0


def problems_of(wishes: Wishes, *, today: date) -> dict[str, str]:
    """What is wrong with the wishes, by field; `today` where the assistant's team works."""
    found = {}
    if wishes.since is Since.DAY and wishes.day is None:
        found[DAY] = wording.retraining.DAY_MISSING
    if wishes.since is Since.DAY and wishes.day is not None and wishes.day > today:
        found[DAY] = wording.retraining.DAY_AHEAD
    if wishes.minutes == 0:
        found[MINUTES] = wording.retraining.MINUTES_WRONG
    if wishes.search_minutes is not None and wishes.search_minutes < 1:
        found[SEARCH] = wording.retraining.SEARCH_WRONG
    return found


def _entered(state: dict[str, Any], block: str) -> dict[str, Any]:
    element: dict[str, Any] = state.get(block, {}).get(block, {})
    return element
