"""Conversations to flag and to escalate, made in one line."""

from records import conversations, escalations
from records.database import Database
from records.ids import new_id
from records.messages import Role
from records.states import EscalationReason, ExampleSource, ExampleState
from records.tables import Example, Turn


def a_conversation(database: Database, *, answer: str = "Wrong.") -> tuple[str, str]:
    """A question with its answer; returns the ids of conversation and answer."""
    with database.write() as session:
        asked = conversations.receive(
            session,
            conversations.Arrival(
                assistant="support",
                conversation_id=new_id("conv"),
                content="Where is my card?",
                customer="c-1",
            ),
        )
        answered = conversations.add_turn(
            session,
            Turn(
                conversation_id=asked.conversation_id,
                role=Role.ASSISTANT,
                content=answer,
                version="support-base",
            ),
        )
        return asked.conversation_id, answered.id


def escalated(database: Database) -> tuple[str, str, str]:
    conversation_id, turn_id = a_conversation(database)
    with database.write() as session:
        row = escalations.escalate(
            session,
            conversation_id,
            reason=EscalationReason.CUSTOMER,
            cause="asked for a person",
            turn_id=turn_id,
        )
        return conversation_id, turn_id, row.id


def say(database: Database, conversation_id: str, role: Role, text: str, **facts: object) -> Turn:
    with database.write() as session:
        return conversations.add_turn(
            session, Turn(conversation_id=conversation_id, role=role, content=text, **facts)
        )


def waiting_example(number: int) -> Example:
    """An imported example that nobody has approved yet, unlike those of other numbers."""
    return Example(
        assistant="support",
        key=f"import:{number}",
        source=ExampleSource.IMPORT,
        prompt=[{"role": "customer", "content": f"Question {number} about card {number * 7}?"}],
        chosen=f"Answer {number}.",
        state=ExampleState.PROPOSED,
        created_by="ops",
    )
