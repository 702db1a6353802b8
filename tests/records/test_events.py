"""Events are numbered within their conversation and read on from any cursor."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import conversations, events
from records.conversations import Arrival
from records.database import Database
from records.events import Cursor, Item
from records.ids import new_id
from records.messages import Role
from records.states import EventKind
from records.tables import ConversationEvent, Turn
from tests.records.at_once import at_once

ANCIENT = datetime(2001, 1, 1, tzinfo=UTC)


def begun(database: Database) -> str:
    """A conversation in which the customer has said one thing."""
    with database.write() as session:
        arrival = Arrival(assistant="support", conversation_id=new_id("conv"), content="Hello?")
        return conversations.receive(session, arrival).conversation_id


def say(session: Session, conversation_id: str, text: str) -> Turn:
    turn = Turn(conversation_id=conversation_id, role=Role.CUSTOMER, content=text)
    return conversations.add_turn(session, turn)


def read(database: Database, seen: dict[str, Cursor], *, most: int = 100) -> list[Item]:
    with database.read() as session:
        return list(events.since(session, seen, most=most))


def told(items: list[Item]) -> list[str]:
    return [item.kind or (item.said.content if item.said else "?") for item in items]


def test_events_are_numbered_and_stand_behind_the_turn_before_them(database: Database) -> None:
    name = begun(database)
    with database.write() as session:
        events.note(session, name, EventKind.ESCALATED)
        say(session, name, "Anyone?")
        events.note(session, name, EventKind.TAKEN, agent="U1")
        assert events.end(session, name) == Cursor(1, 2)
    items = read(database, {name: Cursor()})
    assert told(items) == ["Hello?", "escalated", "Anyone?", "taken"]
    assert [(item.position, item.seq) for item in items] == [(0, 0), (0, 1), (1, 0), (1, 2)]


def test_a_conversation_without_turns_has_events_too(database: Database) -> None:
    with database.write() as session:
        made, _ = conversations.create(session, assistant="support")
        events.note(session, made.id, EventKind.ESCALATED)
        assert events.end(session, made.id) == Cursor(-1, 1)
    assert told(read(database, {made.id: Cursor()})) == ["escalated"]


def test_the_order_is_that_of_writing_whatever_the_clock_says(database: Database) -> None:
    name = begun(database)
    now = datetime.now(UTC)
    with database.write() as session:
        for at in (now, ANCIENT, now - timedelta(seconds=1)):
            events.note(session, name, EventKind.TYPING, at=at)
        turn = say(session, name, "later")
        turn.created_at = ANCIENT
    items = read(database, {name: Cursor()})
    assert [item.seq for item in items] == [0, 1, 2, 3, 0]
    assert items[2].noted_at == ANCIENT


def test_of_two_writers_at_once_both_events_are_kept(database: Database) -> None:
    name = begun(database)
    at_once(
        database,
        lambda session: events.note(session, name, EventKind.TYPING, agent="U1"),
        lambda session: events.note(session, name, EventKind.TYPING, agent="U2"),
    )
    with database.read() as session:
        seqs = session.scalars(select(ConversationEvent.seq).order_by(ConversationEvent.id)).all()
    assert seqs == [1, 2]


def test_turns_and_events_written_by_many_are_all_kept(database: Database) -> None:
    name = begun(database)

    def write(number: int) -> None:
        with database.write() as session:
            if number % 2:
                events.note(session, name, EventKind.TYPING)
            else:
                say(session, name, str(number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(24)))
    with database.read() as session:
        assert events.end(session, name) == Cursor(12, 12)


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_reading_in_parts_gives_each_item_once_and_in_order(database: Database, most: int) -> None:
    names = [begun(database) for _ in range(3)]
    with database.write() as session:
        for name in names:
            events.note(session, name, EventKind.ESCALATED)
            say(session, name, "Anyone?")
    seen = dict.fromkeys(names, Cursor())
    found: dict[str, list[Item]] = {name: [] for name in names}
    while items := read(database, seen, most=most):
        assert len(items) <= most
        for item in items:
            found[item.conversation_id].append(item)
            seen[item.conversation_id] = item.after(seen[item.conversation_id])
    assert [told(items) for items in found.values()] == [["Hello?", "escalated", "Anyone?"]] * 3


def test_only_conversations_that_were_asked_for_are_read(database: Database) -> None:
    mine, _other = begun(database), begun(database)
    assert told(read(database, {mine: Cursor()})) == ["Hello?"]
    assert read(database, {mine: Cursor(0, 0)}) == []
    assert read(database, {}) == []
