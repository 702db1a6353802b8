"""Drafts of replies that the assistant made for an agent: only the owner can send one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import asking, audit, conversations, escalations, outbox, trial_answers
from records.errors import InvalidInput
from records.outbox import Kind
from records.tables import Audit, Turn

_SENT = "send_draft"


def send(session: Session, turn_id: str, *, agent: str, source_key: str) -> Turn:
    """Say a draft's words to the customer as the agent's. Doing it twice is doing it once.

    The source names the message in which the draft stands: what became of the reply is shown there.

    Raises:
        InvalidInput: it is no draft, or has no words.
        Forbidden: nobody has taken the conversation over, or somebody else has.
    """
    draft = conversations.turn(session, turn_id)
    conversations.lock(session, [draft.conversation_id])
    known = _noted(session, turn_id)
    if known is not None:
        return conversations.turn(session, known.detail["reply"])
    escalation = asking.about(session, trial_answers.question_of(session, draft))
    words = draft.content.strip()
    if escalation is None or not words:
        raise InvalidInput("There are no words here to be sent to a customer.")
    reply = escalations.reply(
        session, escalation, agent=agent, content=words, source_key=source_key
    )
    audit.note(session, actor=agent, action=_SENT, subject=turn_id, reply=reply.id)
    outbox.put(session, Kind.TURN_CHANGED, turn_id, revision="sent")
    return reply


def sent_by(session: Session, turn_id: str) -> str | None:
    """Who sent a draft to the customer; None where nobody has."""
    known = _noted(session, turn_id)
    return known.actor if known is not None else None


def _noted(session: Session, turn_id: str) -> Audit | None:
    query = select(Audit).where(Audit.subject == turn_id, Audit.action == _SENT)
    return session.scalar(query.limit(1))
