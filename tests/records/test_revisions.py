"""Words that an agent edits or takes back: the last change counts, and everything follows it."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import select

from records import conversations, endings, escalations, examples, outbox, revisions
from records.database import Database
from records.outbox import Kind
from records.states import ExampleState
from records.tables import Audit, Example, OutboxMessage, Turn
from tests.records.test_delivery import reply
from tests.records.test_escalations import escalate, happened, shown, taken

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def edit(database: Database, turn: str, content: str, *, after: float) -> bool:
    with database.write() as session:
        at = AT + timedelta(seconds=after)
        return revisions.edit(session, turn, content=content, at=at, actor="U1")


def remove(database: Database, turn: str, *, after: float) -> bool:
    with database.write() as session:
        at = AT + timedelta(seconds=after)
        return revisions.remove(session, turn, at=at, actor="U1")


def turn_of(database: Database, turn: str) -> Turn:
    with database.read() as session:
        return session.get_one(Turn, turn)


def test_the_first_words_are_kept_and_the_last_ones_count(database: Database) -> None:
    name, escalation = taken(database)
    turn = reply(database, escalation)
    assert edit(database, turn, "Monday", after=1)
    assert edit(database, turn, "Tuesday", after=2)
    found = turn_of(database, turn)
    assert (found.content, found.original) == ("Tuesday", "Posted.")
    assert found.edited_at == AT + timedelta(seconds=2)
    assert happened(database, name)[-2:] == ["edited", "edited"]
    with database.read() as session:
        assert list(session.scalars(select(Audit.action)))[-2:] == ["edit_reply"] * 2
        rows = session.query(OutboxMessage).filter_by(kind=Kind.TURN_CHANGED)
        assert len({row.key for row in rows}) == 2


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_edits_that_come_in_any_order_end_in_the_last_one(
    database: Database, order: tuple[int, ...]
) -> None:
    _, escalation = taken(database)
    turn = reply(database, escalation)
    said = {1: "One", 2: "Posted.", 3: "Three"}
    for number in order:
        edit(database, turn, said[number], after=number)
    assert turn_of(database, turn).content == "Three"


def test_words_that_are_as_before_hold_off_older_edits(database: Database) -> None:
    _, escalation = taken(database)
    turn = reply(database, escalation)
    assert not edit(database, turn, "Posted.", after=2)
    assert not edit(database, turn, "Monday", after=1)
    assert turn_of(database, turn).content == "Posted."


def test_what_was_taken_back_stays_so(database: Database) -> None:
    name, escalation = taken(database)
    turn = reply(database, escalation)
    assert edit(database, turn, "Monday", after=1)
    assert remove(database, turn, after=3)
    assert not remove(database, turn, after=4)
    assert not edit(database, turn, "Tuesday", after=5)
    found = turn_of(database, turn)
    assert (found.content, found.original) == ("", "Posted.")
    assert happened(database, name).count("removed") == 1


def test_a_second_persons_thread_shows_edited_words_and_none_that_were_taken_back(
    database: Database,
) -> None:
    name, escalation = taken(database)
    first = reply(database, escalation)
    second = reply(database, escalation, "slack:C:1.2")
    edit(database, first, "Monday", after=1)
    remove(database, second, after=1)
    with database.write() as session:
        endings.hand_back(session, escalation, agent="U1")
        escalate(session, name)
    assert shown(database) == ["Hello?", "Hello?", "Monday"]


def test_a_repeated_reply_is_known_by_its_first_words_and_by_its_present_ones(
    database: Database,
) -> None:
    _, escalation = taken(database)
    turn = reply(database, escalation)
    edit(database, turn, "Monday", after=1)
    assert reply(database, escalation) == turn
    with database.write() as session:
        again = escalations.reply(
            session, escalation, agent="U1", content="Monday", source_key="slack:C:1.1"
        )
        assert again.id == turn


def proposed(database: Database, escalation: str) -> str:
    with database.write() as session:
        endings.resolve(session, escalation, agent="U1")
        return session.scalars(select(Example.id)).one()


def example(database: Database, example_id: str) -> Example:
    with database.read() as session:
        return session.get_one(Example, example_id)


def test_a_proposed_example_follows_edits_of_its_reply_after_the_end(database: Database) -> None:
    _, escalation = taken(database)
    other = reply(database, escalation)
    repeated = reply(database, escalation, "slack:C:1.2")  # as long: the later one is proposed
    waiting = proposed(database, escalation)
    remove(database, other, after=1)
    assert example(database, waiting).chosen == "Posted."
    edit(database, repeated, "Monday", after=1)
    assert example(database, waiting).chosen == "Monday"
    remove(database, repeated, after=2)
    assert example(database, waiting).state is ExampleState.SUPERSEDED
    with database.read() as session:
        rows = session.query(OutboxMessage).filter_by(kind=outbox.Kind.EXAMPLE_CHANGED)
        assert rows.count() == 2


def test_a_right_answer_that_was_written_down_follows_no_edits(database: Database) -> None:
    _, escalation = taken(database)
    turn = reply(database, escalation)
    with database.write() as session:
        endings.resolve(session, escalation, agent="U1", right_answer="By post, on Monday.")
        waiting = session.scalars(select(Example.id)).one()
    edit(database, turn, "Tuesday", after=1)
    remove(database, turn, after=2)
    kept = example(database, waiting)
    assert (kept.chosen, kept.state) == ("By post, on Monday.", ExampleState.PROPOSED)


def test_an_example_that_somebody_decided_upon_stays_as_they_saw_it(database: Database) -> None:
    _, escalation = taken(database)
    turn = reply(database, escalation)
    waiting = proposed(database, escalation)
    with database.write() as session:
        examples.decide(session, waiting, approve=True, actor="U2")
    edit(database, turn, "Monday", after=1)
    kept = example(database, waiting)
    assert (kept.chosen, kept.state) == ("Posted.", ExampleState.APPROVED)


def test_what_is_taken_back_is_left_out_of_what_is_learned_later(database: Database) -> None:
    name, escalation = taken(database)
    first = reply(database, escalation)
    reply(database, escalation, "slack:C:1.2")
    remove(database, first, after=1)
    with database.read() as session:
        said = conversations.history(session, name, whole=False)
    assert [turn.content for turn in said] == ["Hello?", "Posted."]
    assert example(database, proposed(database, escalation)).chosen == "Posted."
