"""What goes on with people now: who waits for one, and what an agent has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.orm import Session

from records import transcripts
from records.outbox import Kind
from records.states import OutboxState
from records.tables import Conversation, Escalation, OutboxMessage


@dataclass(frozen=True, slots=True)
class OpenOne:
    """An unresolved escalation, and its card where one stands in Slack."""

    escalation: Escalation
    assistant: str
    question: str
    channel: str | None
    ts: str | None


@dataclass(frozen=True, slots=True)
class OpenOnes:
    """How many there are, and the oldest of them."""

    number: int = 0
    oldest: Sequence[OpenOne] = ()


def waiting(session: Session, assistants: Sequence[str], *, most: int) -> OpenOnes:
    """Those that nobody has taken over."""
    return _found(session, text("escalations.state = 'waiting'"), assistants, most=most)


def of_agent(session: Session, agent: str, assistants: Sequence[str], *, most: int) -> OpenOnes:
    """Those that an agent has, or was asked to take over."""
    theirs = or_(Escalation.owner == agent, Escalation.assignee == agent)
    return _found(session, theirs, assistants, most=most)


def _found(session: Session, which: Any, assistants: Sequence[str], *, most: int) -> OpenOnes:
    def those(query: Any) -> Any:
        return query.join(Conversation, Escalation.conversation_id == Conversation.id).where(
            text("escalations.state != 'resolved'"),  # as the index has it
            which,
            Conversation.assistant.in_(assistants),
        )

    number = session.scalar(those(select(func.count()).select_from(Escalation))) or 0
    if not number:
        return OpenOnes()
    columns = select(Escalation, Conversation.assistant, OutboxMessage.channel, OutboxMessage.ts)
    rows = session.execute(
        those(columns.select_from(Escalation))
        .outerjoin(OutboxMessage, _is_its_card())
        .order_by(Escalation.opened_at, Escalation.id)
        .limit(most)
    )
    return OpenOnes(number, [_one(session, *row) for row in rows])


def _is_its_card() -> Any:
    return and_(
        OutboxMessage.subject == Escalation.id,
        OutboxMessage.kind == Kind.ESCALATION_OPENED,
        OutboxMessage.state == OutboxState.SENT,
        OutboxMessage.gone_at.is_(None),
    )


def _one(
    session: Session, escalation: Escalation, assistant: str, channel: str | None, ts: str | None
) -> OpenOne:
    question = transcripts.asked(transcripts.led_here(session, escalation))
    return OpenOne(escalation, assistant, question, channel, ts)
