"""Outcomes are reported once, late or not; a customer's later rating replaces the earlier."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from records import conversations, outcomes
from records.conversations import Arrival
from records.database import Database
from records.errors import Conflict, NotFound
from records.ids import new_id
from records.messages import Role
from records.outcomes import Rating
from records.tables import Outcome, Turn
from tests.records.at_once import at_once

LAST_YEAR = datetime(2025, 3, 1, tzinfo=UTC)


def answered(database: Database, customer: str = "ada") -> tuple[str, str]:
    with database.write() as session:
        arrival = Arrival(
            assistant="support", conversation_id=new_id("conv"), content="?", customer=customer
        )
        asked = conversations.receive(session, arrival)
        answer = Turn(conversation_id=asked.conversation_id, role=Role.ASSISTANT, content="!")
        return asked.conversation_id, conversations.add_turn(session, answer).id


def report(database: Database, conversation_id: str, **columns: object) -> bool:
    given = {"key": "reported:1", "metric": "accepted", "value": 1, **columns}
    with database.write() as session:
        conversation = conversations.get(session, conversation_id)
        return outcomes.report(session, outcomes.of(conversation, **given))


def rows(database: Database) -> list[Outcome]:
    with database.read() as session:
        return list(session.scalars(select(Outcome).order_by(Outcome.id)))


def test_a_late_report_says_when_it_happened(database: Database) -> None:
    name, _ = answered(database)
    assert report(database, name, occurred_at=LAST_YEAR)
    (row,) = rows(database)
    assert (row.occurred_at, row.customer, row.assistant) == (LAST_YEAR, "ada", "support")
    assert row.created_at > LAST_YEAR


def test_a_repeated_report_is_recorded_once(database: Database) -> None:
    name, _ = answered(database)
    assert [report(database, name) for _ in range(3)] == [True, False, False]
    assert len(rows(database)) == 1


@pytest.mark.parametrize(
    "changed", [{"value": 0}, {"metric": "converted"}, {"occurred_at": LAST_YEAR}]
)
def test_the_same_id_with_another_content_is_refused(
    database: Database, changed: dict[str, object]
) -> None:
    name, _ = answered(database)
    report(database, name)
    with pytest.raises(Conflict, match=f"another {next(iter(changed))}"):
        report(database, name, **changed)
    assert rows(database)[0].value == 1


def test_the_same_id_for_another_conversation_is_refused(database: Database) -> None:
    name, _ = answered(database)
    other, _ = answered(database)
    report(database, name)
    with pytest.raises(Conflict, match="conversation_id"):
        report(database, other)


def test_an_outcome_of_a_customer_needs_no_conversation(database: Database) -> None:
    with database.write() as session:
        outcome = Outcome(
            key="reported:o", assistant="support", customer="ada", metric="order_value", value=9.5
        )
        assert outcomes.report(session, outcome)
    assert rows(database)[0].conversation_id is None


def test_a_later_rating_replaces_the_earlier_one(database: Database) -> None:
    name, turn = answered(database)
    ratings = [
        Rating(thumb_up=True, turn_id=turn, comment="great"),
        Rating(thumb_up=False, turn_id=turn, csat=2),
        Rating(thumb_up=True),
    ]
    for rating in ratings:
        with database.write() as session:
            outcomes.rate(session, name, rating)
    said = [(row.metric, row.turn_id, row.value, row.comment) for row in rows(database)]
    assert said == [
        ("thumb", turn, 0.0, None),
        ("csat", None, 2.0, None),
        ("thumb", None, 1.0, None),
    ]


def test_only_an_answer_of_the_conversation_is_rated(database: Database) -> None:
    name, _ = answered(database)
    _, elsewhere = answered(database)
    with database.write() as session:
        asked = conversations.history(session, name)[0].id
        for turn_id in (elsewhere, asked):
            with pytest.raises(NotFound, match="no answer of this conversation"):
                outcomes.rate(session, name, Rating(thumb_up=True, turn_id=turn_id))


def test_of_two_reports_at_once_one_is_recorded(sqlite: Database) -> None:
    name, _ = answered(sqlite)

    def once(session: object) -> bool:
        conversation = conversations.get(session, name)  # type: ignore[arg-type]
        outcome = outcomes.of(conversation, key="reported:1", metric="accepted", value=1)
        return outcomes.report(session, outcome)  # type: ignore[arg-type]

    assert at_once(sqlite, once, once) is False
    assert len(rows(sqlite)) == 1
