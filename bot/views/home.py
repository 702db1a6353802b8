"""App Home: the queue, the example at hand, what flags led to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    DividerBlock,
    HeaderBlock,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.views import View

from bot import wording
from bot.review.home_state import HomeState
from bot.text import literal, who
from bot.views.content import Button, buttons, line, ours
from bot.views.home_escalations import EscalationsShown, escalation_blocks
from bot.views.home_example import ExampleShown, example_blocks
from bot.views.home_filters import filters
from bot.views.home_results import ResultsShown, results_blocks
from records.review import Waiting, number

_MOST_PEOPLE = 10
_MOST_CLOSED = 10


@dataclass(frozen=True, slots=True)
class Notice:
    """What came of the last press; `undo` names the example whose decision may be taken back."""

    sentence: str
    undo: str | None = None


@dataclass(frozen=True, slots=True)
class HomePage:
    """All that App Home shows to one person."""

    state: HomeState
    reviewer: str
    assistants: tuple[str, ...]
    """Those whose examples the person may review."""
    closed: Mapping[str, Sequence[str]]
    """Those whose examples others review, and who."""
    waiting: Sequence[Waiting]
    shown: ExampleShown | None
    results: ResultsShown
    escalations: EscalationsShown
    notice: Notice | None = None


def home_view(page: HomePage) -> dict[str, Any]:
    """The view; at most 100 blocks whatever the records hold."""
    blocks: list[Block] = [_notice(page.notice)] if page.notice is not None else []
    if page.assistants or page.closed:
        blocks += [*escalation_blocks(page.escalations), DividerBlock()]
    blocks.append(HeaderBlock(text=PlainTextObject(text=wording.home.TITLE)))
    if page.assistants:
        blocks += _queue(page)
    for assistant, people in list(page.closed.items())[:_MOST_CLOSED]:
        blocks.append(line(_closed(page, assistant, people)))
    if not page.assistants and not page.closed:
        blocks.append(line(wording.home.NO_ASSISTANT))
    blocks += [DividerBlock(), *results_blocks(page.results)]
    return _home(page.state, blocks)


def loading_home(state: HomeState) -> dict[str, Any]:
    """What is shown while the records take their time."""
    return notice_home(state, wording.home.LOADING)


def notice_home(state: HomeState, sentence: str) -> dict[str, Any]:
    """A sentence in place of everything, and a button to try again."""
    reload = Button(wording.home.RELOAD, "review_reload", "reload")
    return _home(state, [line(sentence), buttons("reload", reload)])


def _home(state: HomeState, blocks: Sequence[Block]) -> dict[str, Any]:
    view = View(type="home", private_metadata=state.dumped(), blocks=blocks)
    return view.to_dict()


def _notice(notice: Notice) -> Block:
    if notice.undo is None:
        return line(notice.sentence)
    undo = Button(wording.home.UNDO, "review_undo", notice.undo)
    return SectionBlock(
        block_id="notice", text=ours(notice.sentence[:2900]), accessory=undo.element
    )


def _queue(page: HomePage) -> list[Block]:
    everything = HomeState().wanted(page.reviewer, page.assistants)
    total = number(page.waiting, everything)
    fitting = number(page.waiting, page.state.wanted(page.reviewer, page.assistants))
    blocks: list[Block] = [line(_counts(page.state, total=total, fitting=fitting))]
    if total or page.state.is_filtered:
        blocks.append(filters(page.state, page.waiting, page.reviewer, page.assistants))
    if page.state.is_filtered:
        blocks.append(buttons("all", Button(wording.home.SHOW_ALL, "review_show_all", "all")))
    if page.shown is not None:
        blocks += [DividerBlock(), *example_blocks(page.shown)]
    return blocks


def _counts(state: HomeState, *, total: int, fitting: int) -> str:
    words = wording.home
    if not total:
        return words.NOTHING_WAITS
    if not fitting:
        return words.NOTHING_FITS.format(number=f"{total:,}")
    if state.is_filtered:
        return words.WAITING_FITTING.format(fitting=f"{fitting:,}", number=f"{total:,}")
    return words.WAITING_ONE if total == 1 else words.WAITING.format(number=f"{total:,}")


def _closed(page: HomePage, assistant: str, people: Sequence[str]) -> str:
    waiting = sum(kind.number for kind in page.waiting if kind.assistant == assistant)
    named = ", ".join(who(person) for person in people[:_MOST_PEOPLE])
    return wording.home.NOT_A_REVIEWER.format(
        number=f"{waiting:,}", people=named, assistant=literal(assistant)
    )
