"""App Home for one person: read from the records and shown in their client, at once.

Everything that a reviewer chose is in the view itself, so that any process can go on with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.attendance import explained
from bot.desk import Desk
from bot.outbox.failures import code_of
from bot.releases.naming import names_of
from bot.review.home_state import HomeState
from bot.review.threads import thread_of
from bot.text import literal
from bot.views.home import HomePage, Notice, home_view, loading_home, notice_home
from bot.views.home_escalations import MOST, EscalationsShown
from bot.views.home_example import ExampleShown
from bot.views.home_results import Figures, ResultsShown
from records import doubts, examples, fixes, flag_results, open_escalations, review
from records.errors import Forbidden
from records.ids import utc_now
from records.review import Waiting
from records.states import ExampleState
from records.tables import Example, Flag

PATIENCE_SECONDS = 1.0
"""How long Home stays as it is before it says that it is loading."""
_DAYS = 90
_MOST_NEAR = 8
_SHORT = 120


class Move(StrEnum):
    """Which example is shown."""

    STAY = "stay"
    """The same one; where it is decided, the next."""
    NEXT = "next"
    SEE = "see"
    """The one that the state names, even if it is decided."""


@dataclass(frozen=True, slots=True)
class Doorway:
    """Whose Home it is, and the state in which they left it."""

    client: AsyncWebClient
    user: str
    state: HomeState
    hash: str | None = None
    """Of the view that is to be replaced; where another stands by then, that one stays."""

    @classmethod
    def of(cls, client: AsyncWebClient, body: dict[str, Any]) -> "Doorway":
        """Where something was pressed in a Home."""
        metadata = (body.get("view") or {}).get("private_metadata")
        return cls(client, body["user"]["id"], HomeState.loaded(metadata))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a press: what to say, and which example to show then."""

    notice: Notice | None = None
    move: Move = Move.STAY
    state: HomeState | None = None
    """Another state than the one that was pressed in."""


def decided(words: str, example: Example, *, can_undo: bool = True) -> Outcome:
    """What follows when a reviewer is done with an example: that is said, the next is shown."""
    sentence = words.format(question=literal(review.question_of(example), _SHORT))
    return Outcome(Notice(sentence, undo=example.id if can_undo else None), move=Move.NEXT)


Act = Callable[[], Awaitable[Outcome]]


async def show(desk: Desk, door: Doorway, act: Act | None = None) -> None:
    """Do what was pressed and show the Home that follows from it.

    Where that takes its time, the Home says so meanwhile. What fails is said in it.
    """
    making = asyncio.create_task(_made(desk, door, act))
    await asyncio.wait({making}, timeout=PATIENCE_SECONDS)
    if not making.done():
        door = await _publish(door, loading_home(door.state))
    await _publish(door, await making)


async def _publish(door: Doorway, view: dict[str, Any]) -> Doorway:
    """Show a view; returns the doorway behind which it stands."""
    try:
        shown = await door.client.views_publish(user_id=door.user, view=view, hash=door.hash)
    except SlackApiError as error:
        if code_of(error) != "hash_conflict":
            raise
        return door
    return replace(door, hash=shown["view"]["hash"]) if door.hash else door


async def _made(desk: Desk, door: Doorway, act: Act | None) -> dict[str, Any]:
    try:
        outcome = await _done(act)
        return home_view(await _page(desk, door, outcome))
    except Exception as error:  # noqa: BLE001 - the edge: every error becomes a sentence
        return notice_home(door.state, explained(error))


async def _done(act: Act | None) -> Outcome:
    """What came of a press; what failed is said, and what was decided by others gives way."""
    if act is None:
        return Outcome()
    try:
        return await act()
    except Exception as error:  # noqa: BLE001 - the edge: every error becomes a sentence
        return Outcome(Notice(explained(error)))


async def _page(desk: Desk, door: Doorway, outcome: Outcome) -> HomePage:
    state = outcome.state or door.state
    may = await _may_review(desk, door)
    known = tuple(desk.assistants)
    reading = replace(door, state=state)
    page = await desk.read(
        lambda session: _read(session, desk, reading, may=may, known=known, move=outcome.move)
    )
    address = await desk.addresses.of(door.client)
    channels = {one.channel for one in page.escalations.waiting.oldest if one.channel}
    readable = [c for c in channels if await desk.readers.has(door.client, c, door.user)]
    return replace(
        page,
        notice=outcome.notice,
        escalations=replace(page.escalations, address=address, readable=readable),
        shown=replace(page.shown, address=address) if page.shown else None,
    )


async def _may_review(desk: Desk, door: Doorway) -> tuple[str, ...]:
    """The assistants whose examples the person may review."""
    may = []
    for name, assistant in desk.assistants.items():
        with suppress(Forbidden):  # a group that cannot be read breaks no page
            if await desk.roles.is_named(door.client, assistant.slack.reviewers, door.user):
                may.append(name)
    return tuple(may)


def _read(
    session: Session,
    desk: Desk,
    door: Doorway,
    *,
    may: tuple[str, ...],
    known: tuple[str, ...],
    move: Move,
) -> HomePage:
    waiting = review.counted(session, door.user, known)
    example = _example(session, door, may, move) if may else None
    state = door.state.showing(example.id if example else None)
    shown = _shown(session, desk, replace(door, state=state), may, waiting, example)
    return HomePage(
        state=state,
        reviewer=door.user,
        assistants=may,
        closed={n: desk.assistant(n).slack.reviewers for n in known if n not in may},
        waiting=waiting,
        shown=shown,
        results=_results(session, door.user, known, waiting),
        escalations=EscalationsShown(
            agent=door.user,
            now=utc_now(),
            waiting=open_escalations.waiting(session, known, most=MOST),
            mine=open_escalations.of_agent(session, door.user, known, most=MOST),
        ),
    )


def _example(session: Session, door: Doorway, may: tuple[str, ...], move: Move) -> Example | None:
    wanted = door.state.wanted(door.user, may)
    here = session.get(Example, door.state.shown) if door.state.shown else None
    if here is not None and here.assistant in may:
        fits = review.is_wanted(session, wanted, here)
        if move is Move.SEE or (move is Move.STAY and fits):
            return here
    return review.following(session, wanted, after=here)


def _shown(
    session: Session,
    desk: Desk,
    door: Doorway,
    may: tuple[str, ...],
    waiting: list[Waiting],
    example: Example | None,
) -> ExampleShown | None:
    if example is None:
        return None
    wanted = door.state.wanted(door.user, may)
    assistant = desk.assistant(example.assistant)
    waits = example.state is ExampleState.PROPOSED
    near = review.near(session, example, most=_MOST_NEAR) if waits else []
    four_eyes = assistant.slack.four_eyes
    seen = [example, *near] if four_eyes else []
    return ExampleShown(
        example=example,
        flag=session.get(Flag, example.flag_id) if example.flag_id else None,
        place=review.place(session, wanted, example),
        number=review.number(waiting, wanted),
        near=near,
        handoff_sentence=assistant.handoff_sentence,
        reviewer=door.user,
        own=frozenset(e.id for e in seen if examples.is_own(session, e, door.user)),
        can_go_back=bool(door.state.trail),
        thread=thread_of(session, example),
        doubts=doubts.of_waiting(session, example),
    )


def _results(
    session: Session, agent: str, known: tuple[str, ...], waiting: list[Waiting]
) -> ResultsShown:
    since = utc_now() - timedelta(days=_DAYS)
    return ResultsShown(
        agent=agent,
        days=_DAYS,
        by_agent=flag_results.by_agent(session, known, since=since),
        versions=flag_results.versions_trained(session, agent, known),
        figures=[
            Figures(
                name,
                sum(kind.number for kind in waiting if kind.assistant == name),
                fixes.median_seconds_to_fix(session, name),
            )
            for name in known
        ],
        names=names_of(session, *known),
    )
