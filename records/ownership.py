"""Since when somebody speaks with a customer: words of theirs that are older stay internal."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.states import EventKind
from records.tables import ConversationEvent, Escalation


def owned_since(session: Session, escalation: Escalation) -> datetime:
    """When the one who has an escalation took it over, the last time that they did.

    By the clock of where they pressed, where that is known: it is also what stamps their words.
    """
    taken = session.scalars(
        select(ConversationEvent)
        .where(
            ConversationEvent.conversation_id == escalation.conversation_id,
            ConversationEvent.kind == EventKind.TAKEN,
        )
        .order_by(ConversationEvent.seq.desc())
        .limit(1)
    ).first()
    if taken is not None and taken.detail.get("escalation") == escalation.id:
        asked_at = taken.detail.get("asked_at")
        return datetime.fromisoformat(asked_at) if asked_at else taken.created_at
    return escalation.taken_at or escalation.opened_at
