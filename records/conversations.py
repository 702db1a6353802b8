"""Conversations and their turns."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records import outbox
from records.errors import NotFound
from records.ids import new_id
from records.messages import Role
from records.states import ConversationState, EscalationReason, EscalationState, Urgency
from records.tables import Conversation, Escalation, Outcome, Turn


@dataclass(frozen=True, slots=True)
class Arrival:
    """A customer's message as it comes in, and the conversation it belongs to."""

    assistant: str
    conversation_id: str
    content: str
    key: str | None = None
    customer: str | None = None
    version: str | None = None
    experiment: str | None = None


def find(session: Session, *, assistant: str, key: str) -> Conversation | None:
    """The conversation that a caller names: by our id or by the caller's own key."""
    return session.scalar(
        select(Conversation).where(
            Conversation.assistant == assistant,
            (Conversation.id == key) | (Conversation.key == key),
        )
    )


def get(session: Session, conversation_id: str) -> Conversation:
    """One conversation.

    Raises:
        NotFound: no such id.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound(f"No conversation {conversation_id!r}.")
    return conversation


def turn(session: Session, turn_id: str) -> Turn:
    """One turn.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Turn, turn_id)
    if found is None:
        raise NotFound(f"No turn {turn_id!r}. Ids look like {new_id('turn')}.")
    return found


def history(session: Session, conversation_id: str) -> list[Turn]:
    """All turns of a conversation, oldest first."""
    return list(
        session.scalars(
            select(Turn).where(Turn.conversation_id == conversation_id).order_by(Turn.position)
        )
    )


def last_turn(session: Session, conversation_id: str) -> Turn | None:
    """The newest turn of a conversation."""
    return session.scalar(
        select(Turn)
        .where(Turn.conversation_id == conversation_id)
        .order_by(Turn.position.desc())
        .limit(1)
    )


def start(session: Session, arrival: Arrival) -> Conversation:
    """The conversation a message belongs to, made where it is new; the message isn't recorded."""
    conversation = session.get(Conversation, arrival.conversation_id)
    if conversation is None:
        conversation = Conversation(
            id=arrival.conversation_id,
            assistant=arrival.assistant,
            key=arrival.key,
            customer=arrival.customer,
            state=ConversationState.OPEN,
            version=arrival.version,
            experiment=arrival.experiment,
        )
        session.add(conversation)
        session.flush()
    return conversation


def receive(session: Session, arrival: Arrival) -> Turn:
    """Record what a customer wrote, starting the conversation where it is new."""
    conversation = start(session, arrival)
    return add_turn(
        session,
        Turn(conversation_id=conversation.id, role=Role.CUSTOMER, content=arrival.content),
    )


def add_turn(session: Session, new: Turn) -> Turn:
    """Append a turn; one whose `source_key` is known already is returned, not added again.

    A turn in a conversation that waits for a person or has one is also queued for its thread in
    Slack, but for an agent's own words, which are there already.
    """
    if new.source_key:
        known = session.scalar(select(Turn).where(Turn.source_key == new.source_key))
        if known is not None:
            return known
    last = session.scalar(
        select(func.max(Turn.position)).where(Turn.conversation_id == new.conversation_id)
    )
    new.position = 0 if last is None else last + 1
    session.add(new)
    session.flush()
    escalation = open_escalation(session, new.conversation_id)
    if new.role is not Role.AGENT and escalation is not None:
        show_turn(session, new, escalation)
    return new


def show_turn(session: Session, turn: Turn, escalation: Escalation) -> None:
    """Queue a turn for an escalation's thread in Slack; each thread shows it once."""
    outbox.put(
        session,
        outbox.Kind.TURN_ADDED,
        turn.id,
        revision=escalation.id,
        urgency=urgency_of(escalation),
        escalation=escalation.id,
    )


def urgency_of(escalation: Escalation) -> Urgency:
    """How soon Slack must show it. A card and its transcript are equally urgent until taken."""
    if escalation.state is EscalationState.TAKEN:
        return Urgency.NOW
    return Urgency.LATER if escalation.reason is EscalationReason.ENGINE else Urgency.SOON


def open_escalation(session: Session, conversation_id: str) -> Escalation | None:
    """The conversation's unresolved escalation, if there is one."""
    return session.scalar(
        select(Escalation).where(
            Escalation.conversation_id == conversation_id,
            Escalation.state != EscalationState.RESOLVED,
        )
    )


def report_outcome(
    session: Session, *, conversation_id: str, metric: str, value: float, key: str
) -> bool:
    """Record what a conversation led to; False where this report is known already.

    Raises:
        NotFound: no such conversation.
    """
    conversation = get(session, conversation_id)
    if session.scalar(select(Outcome.id).where(Outcome.key == key)) is not None:
        return False
    session.add(
        Outcome(
            key=key,
            assistant=conversation.assistant,
            conversation_id=conversation_id,
            customer=conversation.customer,
            metric=metric,
            value=value,
        )
    )
    session.flush()
    return True
