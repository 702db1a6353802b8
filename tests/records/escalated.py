"""Conversations that wait for a person, or have one, made in one line."""

from records import conversations, escalations
from records.conversations import Arrival
from records.database import Database
from records.ids import new_id
from records.messages import Role
from records.outbox import Kind
from records.states import EscalationReason
from records.tables import Escalation, OutboxMessage, Turn

QUESTION = "Where is my card?"


def begun(database: Database) -> str:
    with database.write() as session:
        arrival = Arrival(assistant="support", conversation_id=new_id("conv"), content=QUESTION)
        return conversations.receive(session, arrival).conversation_id


def say(database: Database, name: str, role: Role, text: str, **facts: object) -> str:
    with database.write() as session:
        turn = Turn(conversation_id=name, role=role, content=text, **facts)
        return conversations.add_turn(session, turn).id


def escalated(database: Database) -> str:
    """The id of an escalation that waits."""
    return escalate(database, begun(database))


def escalate(database: Database, name: str, *, turn_id: str | None = None) -> str:
    with database.write() as session:
        return escalations.escalate(
            session, name, reason=EscalationReason.CUSTOMER, cause="a test", turn_id=turn_id
        ).id


def taken(database: Database, *, agent: str = "U1") -> str:
    """The id of an escalation that an agent has."""
    escalation = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation, agent=agent)
    return escalation


def row(database: Database, escalation: str) -> Escalation:
    with database.read() as session:
        return escalations.get(session, escalation)


def queued(database: Database, *kinds: Kind) -> list[OutboxMessage]:
    with database.read() as session:
        rows = session.query(OutboxMessage).order_by(OutboxMessage.id)
        return [found for found in rows if not kinds or found.kind in kinds]
