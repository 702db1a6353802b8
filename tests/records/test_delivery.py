"""Words count as delivered once, whoever notes it, and what is unread is said until then."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from records import delivery, endings, escalations, outbox, revisions
from records.database import Database
from records.errors import Conflict
from records.ids import utc_now
from records.outbox import Kind
from records.tables import OutboxMessage, Turn
from tests.records.at_once import at_once
from tests.records.test_escalations import happened, taken

LATER = timedelta(minutes=5)


def reply(database: Database, escalation: str, key: str = "slack:C:1.1") -> str:
    with database.write() as session:
        return escalations.reply(
            session, escalation, agent="U1", content="Posted.", source_key=key
        ).id


def told(database: Database, *kinds: Kind) -> list[str]:
    with database.read() as session:
        rows = session.query(OutboxMessage).order_by(OutboxMessage.id)
        return [row.key.partition(":")[0] for row in rows if row.kind in kinds]


def note(database: Database, name: str, position: int) -> list[str]:
    with database.write() as session:
        return delivery.note(session, {name: position}, at=utc_now())


def unread(session: Session, *, age: timedelta = timedelta()) -> list[str]:
    now = utc_now()
    found = delivery.unread(session, "support", after=now - LATER, before=now - age)
    return [turn.id for turn in found]


def test_words_are_delivered_up_to_where_a_reader_is_and_told_once(database: Database) -> None:
    name, escalation = taken(database)
    first, second = reply(database, escalation), reply(database, escalation, "slack:C:1.2")
    with database.read() as session:
        assert delivery.first_waiting(session, name) == 1
    assert note(database, name, 0) == []
    assert note(database, name, 1) == [first]
    assert note(database, name, 1) == []
    assert note(database, name, 9) == [second]
    with database.read() as session:
        assert delivery.first_waiting(session, name) is None
    assert told(database, Kind.REPLY_RELAYED) == [Kind.REPLY_RELAYED] * 2


def test_two_processes_that_note_the_same_at_once_tell_it_once(database: Database) -> None:
    name, escalation = taken(database)
    reply(database, escalation)
    both = [lambda session: delivery.note(session, {name: 5}, at=utc_now())] * 2
    at_once(database, *both)
    assert told(database, Kind.REPLY_RELAYED) == [Kind.REPLY_RELAYED]


def test_words_from_another_desk_are_delivered_but_slack_is_not_told(database: Database) -> None:
    name, escalation = taken(database)
    turn = reply(database, escalation, "agent:c:1")
    with database.read() as session:
        assert unread(session) == []
    assert note(database, name, 5) == [turn]
    assert told(database, Kind.REPLY_RELAYED, Kind.REPLY_WAITING) == []


def test_what_was_taken_back_waits_for_nobody(database: Database) -> None:
    name, escalation = taken(database)
    turn = reply(database, escalation)
    with database.write() as session:
        revisions.remove(session, turn, at=utc_now(), actor="U1")
        assert unread(session) == []
        assert delivery.first_waiting(session, name) is None
    assert note(database, name, 5) == []


def test_what_nobody_had_in_time_is_found_until_it_is_said_and_also_after_the_end(
    database: Database,
) -> None:
    name, escalation = taken(database)
    turn = reply(database, escalation)
    with database.write() as session:
        endings.resolve(session, escalation, agent="U1")
        assert unread(session, age=timedelta(minutes=1)) == []
        assert unread(session) == [turn]
        outbox.put(session, Kind.REPLY_UNREAD, turn)
        assert unread(session) == []
    note(database, name, 5)
    changed = told(database, Kind.REPLY_RELAYED, Kind.REPLY_UNREAD_CHANGED)
    assert changed == [Kind.REPLY_RELAYED, Kind.REPLY_UNREAD_CHANGED]


def test_sending_again_shows_the_words_anew_and_begins_to_wait_anew(database: Database) -> None:
    name, escalation = taken(database)
    turn = reply(database, escalation)
    long_ago = utc_now() - LATER

    def again(actor: str, *, since: timedelta) -> None:
        with database.write() as session:
            delivery.send_again(session, turn, actor=actor, since=utc_now() - since)

    again("U1", since=LATER)
    assert happened(database, name)[-1] == "repeated"
    with pytest.raises(Conflict, match="<@U1> has just sent this again"):
        again("U2", since=LATER)
    with database.write() as session:
        now = utc_now()
        waiting = {"after": long_ago, "before": now - timedelta(minutes=1)}
        assert delivery.still_unread(session, "support", **waiting) == []
        ((found, tries),) = delivery.still_unread(session, "support", after=long_ago, before=now)
        assert (found.id, tries) == (turn, 1)
        assert not delivery.said_still_unread(session, turn, tries=1)
        delivery.note_still_unread(session, turn, tries=1)
        assert delivery.said_still_unread(session, turn, tries=1)
    again("U2", since=timedelta())
    note(database, name, 5)
    with pytest.raises(Conflict, match="has reached the customer"):
        again("U2", since=timedelta())


def test_what_was_taken_back_is_not_sent_again(database: Database) -> None:
    _, escalation = taken(database)
    turn = reply(database, escalation)
    with database.write() as session:
        revisions.remove(session, turn, at=utc_now(), actor="U1")
        with pytest.raises(Conflict, match="taken back"):
            delivery.send_again(session, turn, actor="U1", since=utc_now())


def test_a_delivery_and_the_word_that_it_is_unread_at_the_same_moment_end_in_the_truth(
    database: Database,
) -> None:
    name, escalation = taken(database)
    turn = reply(database, escalation)

    def say(session: Session) -> None:
        for found in unread(session):
            outbox.put(session, Kind.REPLY_UNREAD, found)

    at_once(database, say, lambda session: delivery.note(session, {name: 5}, at=utc_now()))
    with database.read() as session:
        assert session.get_one(Turn, turn).delivered_at is not None
    assert told(database, Kind.REPLY_UNREAD_CHANGED) == [Kind.REPLY_UNREAD_CHANGED]
