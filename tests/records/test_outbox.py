"""Which messages to Slack go first."""

from records import conversations, escalations, jobs, outbox
from records.conversations import Arrival
from records.database import Database
from records.ids import new_id
from records.messages import Role
from records.outbox import Kind
from records.states import EscalationReason
from records.tables import Turn


def escalated(database: Database, reason: EscalationReason) -> tuple[str, str]:
    with database.write() as session:
        arrival = Arrival(assistant="support", conversation_id=new_id("conv"), content="Help!")
        turn = conversations.receive(session, arrival)
        escalation = escalations.escalate(
            session, turn.conversation_id, reason=reason, cause="a test"
        )
        return turn.conversation_id, escalation.id


def subjects(database: Database, *kinds: Kind) -> list[str]:
    with database.read() as session:
        return [row.subject for row in outbox.due(session) if row.kind in kinds]


def test_an_outage_does_not_hold_up_customers_who_wait_nor_jobs(database: Database) -> None:
    _, outage = escalated(database, EscalationReason.ENGINE)
    _, stolen_card = escalated(database, EscalationReason.MODEL)
    with database.write() as session:
        job = jobs.request(session, "support", requested_by="U1")
    cards = subjects(database, Kind.ESCALATION_OPENED, Kind.JOB_STARTED)
    assert cards == [job.id, stolen_card, outage]


def test_a_card_goes_before_what_was_said_in_its_conversation(database: Database) -> None:
    conversation_id, escalation_id = escalated(database, EscalationReason.ENGINE)
    with database.write() as session:
        later = conversations.add_turn(
            session, Turn(conversation_id=conversation_id, role=Role.CUSTOMER, content="Hello?")
        )
    shown = subjects(database, Kind.ESCALATION_OPENED, Kind.TURN_ADDED)
    assert shown[0] == escalation_id
    assert shown[-1] == later.id


def test_what_is_said_to_an_agent_goes_first(database: Database) -> None:
    for _ in range(3):
        escalated(database, EscalationReason.ENGINE)
    conversation_id, escalation_id = escalated(database, EscalationReason.ENGINE)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        said = conversations.add_turn(
            session, Turn(conversation_id=conversation_id, role=Role.CUSTOMER, content="Hello?")
        )
    shown = subjects(database, Kind.ESCALATION_OPENED, Kind.TURN_ADDED)
    assert [shown[0], shown[2]] == [escalation_id, said.id], "its card and transcript go before"
