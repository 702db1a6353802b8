"""Flags: what agents say of answers, added row by row. The last word of an agent counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from records import audit, conversations, examples, outbox
from records.errors import Conflict, InvalidInput, NotFound
from records.messages import Role
from records.states import ExampleSource, ExampleState, FlagReason
from records.tables import Example, Flag, Turn


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an agent says of an answer."""

    reason: FlagReason | None = None
    correction: str | None = None
    should_escalate: bool = False
    note: str | None = None


class Remarkable(NamedTuple):
    """An answer that was flagged, or that asked for a person: what training must know of it."""

    conversation_id: str
    content: str
    models_words: str
    handed_over: bool
    flagged: bool


@dataclass(frozen=True, slots=True)
class FlaggedAt:
    """Where in Slack an answer was flagged: what becomes of the flag is told there."""

    channel: str
    thread_ts: str | None = None


def add(
    session: Session,
    turn_id: str,
    *,
    agent: str,
    judgement: Judgement,
    where: FlaggedAt | None = None,
) -> Flag:
    """Mark an answer as bad. With a right answer or "should have escalated", propose an example.

    It takes the place of what the same agent said of the same answer before; an example made from
    that is replaced, as long as it was not decided upon.

    Raises:
        NotFound: no such turn.
        InvalidInput: the turn is not an answer of the assistant.
    """
    turn = _answer(session, turn_id)
    row = Flag(
        turn_id=turn_id,
        agent=agent,
        reason=judgement.reason,
        correction=judgement.correction,
        should_escalate=judgement.should_escalate,
        note=judgement.note,
        channel=where.channel if where else None,
        thread_ts=where.thread_ts if where else None,
    )
    _append(session, row, action="flag")
    _end_proposed(session, row, ExampleState.SUPERSEDED)
    if judgement.correction or judgement.should_escalate:
        _propose(session, row, turn)
    return row


def add_once(session: Session, turn_id: str, *, agent: str, where: FlaggedAt | None) -> Flag:
    """Flag an answer without saying more; an agent's flag that stands already is returned.

    Raises:
        NotFound: no such turn.
        InvalidInput: the turn is not an answer of the assistant.
    """
    _answer(session, turn_id)
    known = last_word(session, turn_id, agent)
    return known or add(session, turn_id, agent=agent, judgement=Judgement(), where=where)


def withdraw(session: Session, turn_id: str, *, agent: str) -> Flag:
    """Take a flag back; the example made from it too, as long as nobody decided on it.

    Raises:
        NotFound: no such turn.
        Conflict: the agent has no flag on that answer.
    """
    _answer(session, turn_id)
    known = last_word(session, turn_id, agent)
    if known is None:
        raise Conflict("You have no flag on this answer.")
    row = Flag(
        turn_id=turn_id,
        agent=agent,
        withdrawn=True,
        channel=known.channel,
        thread_ts=known.thread_ts,
    )
    _append(session, row, action="withdraw_flag")
    _end_proposed(session, row, ExampleState.WITHDRAWN)
    return row


def get(session: Session, flag_id: str) -> Flag:
    """One flag.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Flag, flag_id)
    if found is None:
        raise NotFound(f"No flag {flag_id!r}.")
    return found


def standing(session: Session, turn_id: str) -> list[Flag]:
    """Each agent's last word on an answer, but for flags that were taken back."""
    return list(
        session.scalars(
            select(Flag)
            .where(Flag.turn_id == turn_id, stands())
            .order_by(Flag.position, Flag.created_at, Flag.id)
        )
    )


def last_word(session: Session, turn_id: str, agent: str) -> Flag | None:
    """An agent's flag on an answer, if it stands."""
    return session.scalar(
        select(Flag).where(Flag.turn_id == turn_id, Flag.agent == agent, stands()).limit(1)
    )


def stands() -> ColumnElement[bool]:
    """The condition under which a flag counts: its agent's last word, and not taken back."""
    later = aliased(Flag)
    same = (later.turn_id == Flag.turn_id) & (later.agent == Flag.agent)
    said_more = select(later.id).where(same, later.position > Flag.position).exists()
    return ~Flag.withdrawn & ~said_more


def remarkable(session: Session, conversations: Sequence[str]) -> list[Remarkable]:
    """The answers of conversations that were flagged or handed over; the others are left out."""
    flagged = select(Flag.id).where(Flag.turn_id == Turn.id, stands()).exists()
    rows = session.execute(
        select(
            Turn.conversation_id,
            Turn.content,
            func.coalesce(func.nullif(Turn.withheld, ""), Turn.content),
            Turn.handed_over,
            flagged,
        ).where(
            Turn.conversation_id.in_(conversations),
            Turn.role == Role.ASSISTANT,
            or_(Turn.handed_over, flagged),
        )
    )
    return [Remarkable._make(row) for row in rows]


def decided(session: Session, flag: Flag, state: ExampleState) -> Sequence[Example]:
    """Examples from an agent's flags on an answer that are in a state."""
    return session.scalars(
        select(Example).where(
            Example.turn_id == flag.turn_id,
            Example.created_by == flag.agent,
            Example.source == ExampleSource.FLAG,
            Example.state == state,
        )
    ).all()


def _answer(session: Session, turn_id: str) -> Turn:
    """The answer to be flagged; its conversation is locked, so that flags are numbered in order."""
    turn = conversations.turn(session, turn_id)
    if turn.role is not Role.ASSISTANT:
        raise InvalidInput("Only the assistant's answers can be flagged.")
    if turn.removed_at is not None:
        raise InvalidInput("The words of this conversation were erased.")
    conversations.lock(session, [turn.conversation_id])
    return turn


def _append(session: Session, row: Flag, *, action: str) -> None:
    last = session.scalar(select(func.max(Flag.position)).where(Flag.turn_id == row.turn_id))
    row.position = 0 if last is None else last + 1
    session.add(row)
    session.flush()
    audit.note(session, actor=row.agent, action=action, subject=row.turn_id, flag=row.id)
    outbox.put(session, outbox.Kind.TURN_CHANGED, row.turn_id, revision=row.id)


def _end_proposed(session: Session, flag: Flag, state: ExampleState) -> None:
    for example in decided(session, flag, ExampleState.PROPOSED):
        example.state = state
        examples.show_change(session, example)


def _propose(session: Session, row: Flag, turn: Turn) -> Example:
    conversation = conversations.get(session, turn.conversation_id)
    asked = examples.asked(conversations.history(session, conversation.id), before=turn)
    return examples.propose(
        session,
        Example(
            assistant=conversation.assistant,
            key=f"flag:{row.id}",
            source=ExampleSource.FLAG,
            turn_id=turn.id,
            flag_id=row.id,
            conversation_id=conversation.id,
            customer=conversation.customer,
            prompt=examples.to_json(asked),
            chosen=(row.correction or "").strip(),
            rejected=turn.models_words,
            should_escalate=row.should_escalate,
            created_by=row.agent,
            state=ExampleState.PROPOSED,
        ),
    )
