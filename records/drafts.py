"""Drafts of replies that the assistant made for an agent: only the owner can send one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import asking, audit, conversations, escalations, outbox, trial_answers
from records.errors import Conflict, InvalidInput
from records.outbox import Kind
from records.tables import Audit, Turn

_SENT = "send_draft"
_NO_WORDS = "There are no words here to be sent to a customer."


def send(
    session: Session, turn_id: str, *, agent: str, source_key: str, words: str | None = None
) -> Turn:
    """Say a draft's words, or what the agent made of them, to the customer as the agent's.

    Doing it twice is doing it once. The source names the message in which the draft stands: what
    became of the reply is shown there.

    Raises:
        InvalidInput: it is no draft, or has no words.
        Forbidden: nobody has taken the conversation over, or somebody else has.
        Conflict: it was sent already, in other words.
    """
    draft = conversations.turn(session, turn_id)
    conversations.lock(session, [draft.conversation_id])
    wanted = (draft.content if words is None else words).strip()
    known = _noted(session, turn_id)
    if known is not None:
        return _sent_before(session, known, None if words is None else wanted)
    escalation = _require_words(session, draft)
    if not wanted:
        raise InvalidInput(_NO_WORDS)
    reply = escalations.reply(
        session, escalation, agent=agent, content=wanted, source_key=source_key
    )
    audit.note(session, actor=agent, action=_SENT, subject=turn_id, reply=reply.id)
    outbox.put(session, Kind.TURN_CHANGED, turn_id, revision="sent")
    return reply


def _sent_before(session: Session, known: Audit, words: str | None) -> Turn:
    reply = conversations.turn(session, known.detail["reply"])
    if words is not None and words not in (reply.content, reply.original):
        raise Conflict(f"<@{known.actor}> has sent this draft already, in other words.")
    return reply


def _require_words(session: Session, draft: Turn) -> str:
    """The escalation of a draft whose words may be sent."""
    escalation = asking.about(session, trial_answers.question_of(session, draft))
    if escalation is None or draft.handed_over or not draft.content.strip():
        raise InvalidInput(_NO_WORDS)
    return escalation


def to_edit(session: Session, turn_id: str, *, agent: str) -> str:
    """A draft's words, for the one who may send them.

    Raises:
        InvalidInput: it is no draft, or has no words.
        Forbidden: nobody has taken the conversation over, or somebody else has.
        Conflict: it was sent already.
    """
    draft = conversations.turn(session, turn_id)
    known = _noted(session, turn_id)
    if known is not None:
        raise Conflict(f"<@{known.actor}> has sent this draft already.")
    escalation = escalations.get(session, _require_words(session, draft))
    escalations.require_owner(escalation, agent, "write to the customer")
    return draft.content.strip()


def edited_words(session: Session, draft: Turn) -> str | None:
    """What the customer was sent, where that is not what the draft says."""
    known = _noted(session, draft.id)
    if known is None:
        return None
    reply = conversations.turn(session, known.detail["reply"])
    said = reply.content if reply.original is None else reply.original
    return said if said != draft.content.strip() else None


def sent_by(session: Session, turn_id: str) -> str | None:
    """Who sent a draft to the customer; None where nobody has."""
    known = _noted(session, turn_id)
    return known.actor if known is not None else None


def _noted(session: Session, turn_id: str) -> Audit | None:
    query = select(Audit).where(Audit.subject == turn_id, Audit.action == _SENT)
    return session.scalar(query.limit(1))
