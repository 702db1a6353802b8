"""The selects by which a reviewer narrows the queue, with what each choice would show."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    Option,
    PlainTextObject,
    StaticSelectElement,
)

from bot import wording
from bot.review.home_state import HomeState
from bot.text import cut
from records.review import Waiting, Whose, number
from records.states import ExampleSource, FlagReason

_ANY = "any"
_MOST_OPTIONS = 100
_LABEL = 75


Count = Callable[[HomeState], int]
"""How many examples would be shown in a state."""


class Filter(StrEnum):
    """What may be filtered by; also the select's action id."""

    ASSISTANT = "review_assistant"
    SOURCE = "review_source"
    REASON = "review_reason"
    WHOSE = "review_whose"


def filters(
    state: HomeState, waiting: Sequence[Waiting], reviewer: str, assistants: tuple[str, ...]
) -> Block:
    """The row of selects; each option says how many wait if the others stay as they are."""

    def count(changed: HomeState) -> int:
        return number(waiting, changed.wanted(reviewer, assistants))

    rows = [_source(state, count), _reason(state, count), _whose(state, count)]
    if len(assistants) > 1:
        rows.insert(0, _assistant(state, count, assistants))
    return ActionsBlock(block_id="filters", elements=rows)


def filtered(state: HomeState, action: Mapping[str, Any]) -> HomeState:
    """The state after a choice in one of the selects."""
    value = action["selected_option"]["value"]
    chosen = None if value == _ANY else value
    match Filter(action["action_id"]):
        case Filter.ASSISTANT:
            return replace(state, assistant=chosen)
        case Filter.SOURCE:
            return replace(state, source=ExampleSource(chosen) if chosen else None)
        case Filter.REASON:
            return replace(state, reason=FlagReason(chosen) if chosen else None)
        case Filter.WHOSE:
            return replace(state, whose=Whose(value))


def _assistant(state: HomeState, count: Count, assistants: tuple[str, ...]) -> StaticSelectElement:
    options = {_ANY: _any(wording.home.ANY_ASSISTANT, count(replace(state, assistant=None)))}
    for name in assistants:
        options[name] = _named(name, count(replace(state, assistant=name)))
    return _select(Filter.ASSISTANT, wording.home.FILTER_ASSISTANT, options, state.assistant)


def _source(state: HomeState, count: Count) -> StaticSelectElement:
    options = {_ANY: _any(wording.home.ANY_SOURCE, count(replace(state, source=None)))}
    for source, name in wording.home.SOURCES.items():
        if not source.is_customers_word:  # which is its approval
            options[source] = _named(name, count(replace(state, source=source)))
    return _select(Filter.SOURCE, wording.home.FILTER_SOURCE, options, state.source)


def _reason(state: HomeState, count: Count) -> StaticSelectElement:
    options = {_ANY: _any(wording.home.ANY_REASON, count(replace(state, reason=None)))}
    for reason, name in wording.review.FLAG_REASONS.items():
        options[reason] = _named(name, count(replace(state, reason=reason)))
    return _select(Filter.REASON, wording.home.FILTER_REASON, options, state.reason)


def _whose(state: HomeState, count: Count) -> StaticSelectElement:
    options = {
        str(whose): _named(name, count(replace(state, whose=whose)))
        for whose, name in wording.home.WHOSE.items()
    }
    return _select(Filter.WHOSE, wording.home.FILTER_WHOSE, options, state.whose)


def _any(words: str, count: int) -> str:
    return words.format(number=f"{count:,}")


def _named(name: str, count: int) -> str:
    return wording.home.OPTION.format(name=name, number=f"{count:,}")


def _select(
    action: Filter, placeholder: str, named: Mapping[str, str], chosen: str | None
) -> StaticSelectElement:
    options = {value: _option(value, words) for value, words in _first(named.items())}
    return StaticSelectElement(
        action_id=action,
        placeholder=PlainTextObject(text=placeholder),
        options=list(options.values()),
        initial_option=options.get(chosen or _ANY),
    )


def _first(items: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(items)[:_MOST_OPTIONS]


def _option(value: str, words: str) -> Option:
    return Option(value=value, text=PlainTextObject(text=cut(words, _LABEL)))
