"""The queue of examples that wait for a reviewer's word: counts, order, and near-duplicates.

Only the example at hand is loaded whole: thousands may wait.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from records.likeness import AGREEING, NEARLY, likeness, nearest
from records.states import ExampleSource, ExampleState, FlagReason
from records.tables import Example, Flag

_COMPARED = 5_000
"""How many waiting examples are looked through for near-duplicates."""
_LOADED_PER_SHOWN = 10
"""How many that are somewhat alike are looked at for each that may be shown."""
_ALIKE_IN_ALL = 0.5
"""Least likeness of whole conversations: the same short question may be asked of two things."""


class Whose(StrEnum):
    """Whose examples a reviewer wants to see."""

    ANYONE = "anyone"
    MINE = "mine"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which waiting examples a reviewer wants to see; `assistants` are those that they may."""

    reviewer: str
    assistants: tuple[str, ...]
    source: ExampleSource | None = None
    reason: FlagReason | None = None
    whose: Whose = Whose.ANYONE


class Waiting(NamedTuple):
    """How many examples of a kind wait."""

    assistant: str
    source: ExampleSource
    reason: FlagReason | None
    mine: bool
    number: int


def counted(session: Session, reviewer: str, assistants: Sequence[str]) -> list[Waiting]:
    """How many examples wait, by everything that a reviewer may filter by."""
    mine = case((Example.created_by == reviewer, 1), else_=0).label("mine")
    rows = session.execute(
        select(Example.assistant, Example.source, Flag.reason, mine, func.count())
        .outerjoin(Flag, Example.flag_id == Flag.id)
        .where(Example.assistant.in_(assistants), Example.state == ExampleState.PROPOSED)
        .group_by(Example.assistant, Example.source, Flag.reason, "mine")
    )
    return [Waiting(name, source, why, bool(own), n) for name, source, why, own, n in rows]


def number(waiting: Iterable[Waiting], wanted: Wanted) -> int:
    """How many of the waiting examples a reviewer wants to see."""
    return sum(kind.number for kind in waiting if _fits(kind, wanted))


def _fits(kind: Waiting, wanted: Wanted) -> bool:
    return (
        kind.assistant in wanted.assistants
        and wanted.source in (None, kind.source)
        and wanted.reason in (None, kind.reason)
        and (wanted.whose is Whose.ANYONE or kind.mine is (wanted.whose is Whose.MINE))
    )


def following(session: Session, wanted: Wanted, *, after: Example | None) -> Example | None:
    """The next waiting example; behind the last one comes the first again.

    What agents flagged comes before their replies, these before imports; the oldest go first.
    """
    waiting = _ordered(wanted)
    found = None
    if after is not None:
        found = session.scalar(waiting.where(_is_behind(after)).limit(1))
    return found or session.scalar(waiting.limit(1))


def is_wanted(session: Session, wanted: Wanted, example: Example) -> bool:
    """Whether an example waits and is one of those that a reviewer wants to see."""
    ids = _ordered(wanted).with_only_columns(Example.id).where(Example.id == example.id)
    return session.scalar(ids) is not None


def place(session: Session, wanted: Wanted, example: Example) -> int:
    """Which of the waiting examples it is, from 1."""
    before = select(func.count()).select_from(
        _ordered(wanted).where(_is_before(example)).subquery()
    )
    return (session.scalar(before) or 0) + 1


def _ordered(wanted: Wanted) -> "Select[Example]":
    query = (
        select(Example).where(*_conditions(wanted)).order_by(_order, Example.created_at, Example.id)
    )
    if wanted.reason is not None:
        query = query.join(Flag, Example.flag_id == Flag.id).where(Flag.reason == wanted.reason)
    return query


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [
        Example.assistant.in_(wanted.assistants),
        Example.state == ExampleState.PROPOSED,
    ]
    if wanted.source is not None:
        found.append(Example.source == wanted.source)
    if wanted.whose is Whose.MINE:
        found.append(Example.created_by == wanted.reviewer)
    elif wanted.whose is Whose.OTHERS:
        found.append(Example.created_by != wanted.reviewer)
    return found


_FIRST = (ExampleSource.FLAG, ExampleSource.REPLY)
_order = case({source: rank for rank, source in enumerate(_FIRST)}, value=Example.source, else_=9)


def _rank(example: Example) -> int:
    return _FIRST.index(example.source) if example.source in _FIRST else 9


def _is_behind(example: Example) -> ColumnElement[bool]:
    rank = _rank(example)
    return or_(_order > rank, and_(_order == rank, _written > _when(example)))


def _is_before(example: Example) -> ColumnElement[bool]:
    rank = _rank(example)
    return or_(_order < rank, and_(_order == rank, _written < _when(example)))


_written = tuple_(Example.created_at, Example.id)


def _when(example: Example) -> Any:
    return tuple_(example.created_at, example.id)


def near(session: Session, example: Example, *, most: int) -> list[Example]:
    """Waiting examples of the same assistant that ask nearly the same, the most alike first.

    Those with the same right answer need be less alike.
    """
    others = session.execute(
        select(Example.id, _question(session))
        .where(
            Example.assistant == example.assistant,
            Example.state == ExampleState.PROPOSED,
            Example.id != example.id,
        )
        .order_by(_order, Example.created_at, Example.id)
        .limit(_COMPARED)
    )
    pairs = [(name, str(question or "")) for name, question in others]
    likely = nearest(question_of(example), pairs, least=AGREEING)[: _LOADED_PER_SHOWN * most]
    rows = session.scalars(select(Example).where(Example.id.in_(likely)))
    found = {row.id: row for row in rows if _is_near(row, example)}
    return [found[name] for name in likely if name in found][:most]


def _question(session: Session) -> ColumnElement[Any]:
    """The last message of a prompt, without reading the rest."""
    if session.get_bind().dialect.name == "sqlite":
        return func.json_extract(Example.prompt, "$[#-1].content", type_=Text)
    last: ColumnElement[Any] = Example.prompt[-1]["content"].as_string()
    return last


def question_of(example: Example) -> str:
    """What the customer asked last."""
    return str(example.prompt[-1]["content"]) if example.prompt else ""


def _is_near(one: Example, other: Example) -> bool:
    asks_nearly_the_same = likeness(question_of(one), question_of(other)) >= NEARLY
    is_enough = asks_nearly_the_same or teaches_the_same(one, other)
    return is_enough and likeness(_all_of(one), _all_of(other)) >= _ALIKE_IN_ALL


def _all_of(example: Example) -> str:
    return "\n".join(str(message["content"]) for message in reversed(example.prompt))


def teaches_the_same(one: Example, other: Example) -> bool:
    """Whether two examples have the same right answer, but for white space and letter case."""
    ours, theirs = (" ".join(e.chosen.split()).casefold() for e in (one, other))
    return ours == theirs and one.should_escalate == other.should_escalate
