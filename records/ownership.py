"""Who speaks with a customer since when: words of theirs that are older stay internal."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.states import EventKind
from records.tables import ConversationEvent, Escalation


def owned_since(session: Session, escalation: Escalation) -> datetime:
    """When the one who has an escalation took it over, the last time that they did.

    By the clock of where they pressed, where that is known: it is also what stamps their words.
    """
    taken = _takings(session, escalation)
    return _moment(taken[0]) if taken else escalation.taken_at or escalation.opened_at


def owner_at(session: Session, escalation: Escalation, moment: datetime) -> str | None:
    """Who had an escalation at a time before its end, by the same clock; None where nobody had."""
    before = (taken for taken in _takings(session, escalation) if _moment(taken) <= moment)
    found = next(before, None)
    return str(found.detail["agent"]) if found else None


def _takings(session: Session, escalation: Escalation) -> Sequence[ConversationEvent]:
    """All that took an escalation over, the last first."""
    taken = session.scalars(
        select(ConversationEvent)
        .where(
            ConversationEvent.conversation_id == escalation.conversation_id,
            ConversationEvent.kind == EventKind.TAKEN,
        )
        .order_by(ConversationEvent.seq.desc())
    )
    return [event for event in taken if event.detail.get("escalation") == escalation.id]


def _moment(taken: ConversationEvent) -> datetime:
    asked_at = taken.detail.get("asked_at")
    return datetime.fromisoformat(asked_at) if asked_at else taken.created_at
