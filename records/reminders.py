"""Escalations that wait for a person: how long, and who was told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select, text
from sqlalchemy.orm import Session

from records import outbox
from records.hours import Hours
from records.outbox import Kind
from records.states import EscalationState, Urgency
from records.tables import Conversation, Escalation, OutboxMessage

PER_ROUND = 5
"""So many reminders at once for one assistant: after an outage hundreds are due."""
ON_CALL_PAUSE = timedelta(minutes=5)
"""Those on call are not pinged again sooner: they look at the channel when they come."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an assistant's customers may wait; None: nobody is told."""

    remind_after: timedelta | None
    on_call_after: timedelta | None
    hours: Hours | None = None
    """The clock stands still outside of them."""

    def is_over(self, limit: timedelta | None, opened_at: datetime, now: datetime) -> bool:
        """Whether somebody has waited for so long; a clock that was set back ends no patience."""
        if limit is None or now - opened_at < limit:
            return False
        return self.hours is None or self.hours.open_between(opened_at, now) >= limit


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An escalation that nobody has taken over, and whether its thread was reminded."""

    escalation_id: str
    assistant: str
    opened_at: datetime
    reminded: bool


def unclaimed(session: Session) -> list[Unclaimed]:
    """Escalations that wait and of which those on call don't know, oldest first."""
    rows = session.execute(
        select(
            Escalation.id,
            Conversation.assistant,
            Escalation.opened_at,
            _was_told(Kind.ESCALATION_REMINDER),
        )
        .join(Conversation, Escalation.conversation_id == Conversation.id)
        .where(
            text("escalations.state != 'resolved'"),  # as the index has it
            text("escalations.state = 'waiting'"),
            ~_was_told(Kind.ESCALATION_ON_CALL),
        )
        .order_by(Escalation.opened_at, Escalation.id)
    )
    return [Unclaimed(*row) for row in rows]


def _was_told(kind: Kind) -> ColumnElement[bool]:
    return exists().where(OutboxMessage.subject == Escalation.id, OutboxMessage.kind == kind)


def remind(
    session: Session, waiting: Sequence[Unclaimed], *, patience: Patience, now: datetime
) -> None:
    """Queue what is due for one assistant: a reminder each, one ping of those on call for all.

    However many wait, those on call get one message at a time, in the thread of the one that
    has waited longest.
    """
    late = [one for one in waiting if patience.is_over(patience.on_call_after, one.opened_at, now)]
    if late and not _pinged_lately(session, late[0].assistant, now):
        _ping(session, late)
    told = {one.escalation_id for one in late}
    due = [
        one
        for one in waiting
        if not one.reminded
        and one.escalation_id not in told
        and patience.is_over(patience.remind_after, one.opened_at, now)
    ]
    for one in due[:PER_ROUND]:
        _put(session, Kind.ESCALATION_REMINDER, one.escalation_id)


def _ping(session: Session, late: Sequence[Unclaimed]) -> None:
    first, *others = late
    _put(session, Kind.ESCALATION_ON_CALL, first.escalation_id)
    for one in others:
        _put(session, Kind.ESCALATION_ON_CALL, one.escalation_id, told_in=first.escalation_id)


def told_in(session: Session, escalation_id: str) -> int:
    """How many others still wait of which those on call are told in an escalation's thread."""
    payloads = session.scalars(
        select(OutboxMessage.payload)
        .join(Escalation, OutboxMessage.subject == Escalation.id)
        .where(
            OutboxMessage.kind == Kind.ESCALATION_ON_CALL,
            Escalation.state == EscalationState.WAITING,
        )
    )
    return sum(payload.get("told_in") == escalation_id for payload in payloads)


def _put(session: Session, kind: Kind, escalation_id: str, **payload: str) -> None:
    outbox.put(session, kind, escalation_id, urgency=Urgency.LATER, **payload)


def _pinged_lately(session: Session, assistant: str, now: datetime) -> bool:
    """Whether those on call were pinged a moment ago; a ping in the future is none."""
    newest = session.scalar(
        select(OutboxMessage.created_at)
        .join(Escalation, OutboxMessage.subject == Escalation.id)
        .join(Conversation, Escalation.conversation_id == Conversation.id)
        .where(OutboxMessage.kind == Kind.ESCALATION_ON_CALL, Conversation.assistant == assistant)
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    )
    return newest is not None and timedelta() <= now - newest < ON_CALL_PAUSE
