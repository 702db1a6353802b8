"""What conversations led to: reported by customers' backends, rated by customers, measured here."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import conversations
from records.errors import Conflict, NotFound
from records.ids import utc_now
from records.messages import Role
from records.tables import Conversation, Outcome

THUMB = "thumb"
"""1 for up, 0 for down."""
CSAT = "csat"
"""1 (worst) to 5."""

_REPORTED = ("assistant", "conversation_id", "customer", "turn_id", "metric", "value", "comment")


@dataclass(frozen=True, slots=True)
class Rating:
    """What a customer says of an answer (`turn_id`), or of the whole conversation."""

    thumb_up: bool | None = None
    csat: int | None = None
    turn_id: str | None = None
    """What the thumb is about; the CSAT is always the conversation's."""
    comment: str | None = None


def of(conversation: Conversation, **columns: Any) -> Outcome:
    """An outcome of a conversation, not recorded yet."""
    return Outcome(
        assistant=conversation.assistant,
        conversation_id=conversation.id,
        customer=conversation.customer,
        **columns,
    )


def report(session: Session, outcome: Outcome) -> bool:
    """Record an outcome; False where its key was reported before, with the same content.

    Raises:
        Conflict: the key was reported with another content.
    """
    known = _find(session, outcome.key)
    if known is None:
        outcome.position = _position(session, outcome.conversation_id)
        session.add(outcome)
        session.flush()
        return True
    names = [*_REPORTED, *(["occurred_at"] if outcome.occurred_at else [])]
    other = [name for name in names if getattr(known, name) != getattr(outcome, name)]
    if other:
        raise Conflict(
            f"This id was reported before with another {other[0]}. Give each report its own id."
        )
    return False


def rate(session: Session, conversation_id: str, rating: Rating) -> list[Outcome]:
    """Record what a customer says; it takes the place of what was said before of the same.

    Raises:
        NotFound: no such conversation, or no such answer in it.
    """
    conversation = conversations.get(session, conversation_id)
    if rating.turn_id is not None:
        turn = conversations.turn(session, rating.turn_id)
        if turn.conversation_id != conversation_id or turn.role is Role.CUSTOMER:
            raise NotFound(f"{rating.turn_id} is no answer of this conversation.")
    given = []
    if rating.thumb_up is not None:
        given.append((THUMB, float(rating.thumb_up), rating.turn_id))
    if rating.csat is not None:
        given.append((CSAT, float(rating.csat), None))
    return [
        _rate(session, conversation, metric, value, turn_id=turn_id, comment=rating.comment)
        for metric, value, turn_id in given
    ]


def _rate(
    session: Session,
    conversation: Conversation,
    metric: str,
    value: float,
    *,
    turn_id: str | None,
    comment: str | None,
) -> Outcome:
    key = f"rating:{turn_id or conversation.id}:{metric}"
    known = _find(session, key)
    outcome = known or of(conversation, key=key, metric=metric, turn_id=turn_id)
    outcome.value, outcome.comment, outcome.occurred_at = value, comment, utc_now()
    session.add(outcome)
    session.flush()
    return outcome


def _position(session: Session, conversation_id: str | None) -> int | None:
    """How far a conversation is."""
    if conversation_id is None:
        return None
    last = conversations.last_turn(session, conversation_id)
    return last.position if last else None


def _find(session: Session, key: str) -> Outcome | None:
    return session.scalar(select(Outcome).where(Outcome.key == key))
