"""Who is told of an escalation that nobody takes over, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from records import endings, escalations, reminders
from records.database import Database
from records.hours import Hours
from records.ids import utc_now
from records.outbox import Kind
from records.reminders import Patience
from records.states import Urgency
from records.tables import Escalation
from tests.records.escalated import escalated, queued, taken

PATIENCE = Patience(timedelta(minutes=10), timedelta(minutes=20))
TOLD = (Kind.ESCALATION_REMINDER, Kind.ESCALATION_ON_CALL)


def opened(database: Database, escalation: str, at: datetime) -> None:
    with database.write() as session:
        session.execute(update(Escalation).where(Escalation.id == escalation).values(opened_at=at))


def remind(database: Database, *, after: float, patience: Patience = PATIENCE) -> list[str]:
    """Make a round so many minutes from now; what has been queued in all."""
    with database.write() as session:
        now = utc_now() + timedelta(minutes=after)
        waiting = reminders.unclaimed(session)
        if waiting:
            reminders.remind(session, waiting, patience=patience, now=now)
    return [message.kind for message in queued(database, *TOLD)]


def test_a_reminder_then_those_on_call_and_each_once(database: Database) -> None:
    escalated(database)
    told = [remind(database, after=minutes) for minutes in (1, 9, 11, 12, 21, 22, 500)]
    reminder, on_call = TOLD
    assert told == [[], [], [reminder], [reminder], *[[reminder, on_call]] * 3]
    assert {message.urgency for message in queued(database, *TOLD)} == {Urgency.LATER}


def test_nobody_is_reminded_of_what_was_taken_or_has_ended(database: Database) -> None:
    taken(database)
    dismissed = escalated(database)
    with database.write() as session:
        endings.dismiss(session, dismissed, agent="U1")
    assert remind(database, after=500) == []


def test_without_anybody_on_call_or_with_no_reminder_nothing_is_said(database: Database) -> None:
    escalated(database)
    assert remind(database, after=500, patience=Patience(None, None)) == []
    told = remind(database, after=500, patience=Patience(timedelta(minutes=1), None))
    assert told == [Kind.ESCALATION_REMINDER]


def test_however_many_wait_those_on_call_get_one_message(database: Database) -> None:
    waiting = [escalated(database) for _ in range(12)]
    remind(database, after=60)
    pings = queued(database, Kind.ESCALATION_ON_CALL)
    assert [ping.subject for ping in pings] == waiting
    assert [ping.payload.get("told_in") for ping in pings] == [None, *[waiting[0]] * 11]
    with database.read() as session:
        assert reminders.told_in(session, waiting[0]) == 11
    with database.write() as session:
        escalations.take_over(session, waiting[3], agent="U1")
    with database.read() as session:
        assert reminders.told_in(session, waiting[0]) == 10
    assert queued(database, Kind.ESCALATION_REMINDER) == []


def test_those_on_call_are_not_pinged_again_at_once_for_the_next(database: Database) -> None:
    first = escalated(database)
    remind(database, after=21)
    second = escalated(database)
    opened(database, second, utc_now() - timedelta(hours=1))
    remind(database, after=1)
    assert [ping.subject for ping in queued(database, Kind.ESCALATION_ON_CALL)] == [first]
    remind(database, after=6)
    assert [p.subject for p in queued(database, Kind.ESCALATION_ON_CALL)] == [first, second]


def test_reminders_come_a_few_at_a_time_the_oldest_first(database: Database) -> None:
    waiting = [escalated(database) for _ in range(reminders.PER_ROUND + 2)]
    remind(database, after=11)
    told = [message.subject for message in queued(database, Kind.ESCALATION_REMINDER)]
    assert told == waiting[: reminders.PER_ROUND]
    remind(database, after=11)
    told = [message.subject for message in queued(database, Kind.ESCALATION_REMINDER)]
    assert told == waiting


def test_a_clock_that_jumps_neither_doubles_nor_hastens(database: Database) -> None:
    escalation = escalated(database)
    assert remind(database, after=-500) == []
    assert remind(database, after=11) == [Kind.ESCALATION_REMINDER]
    opened(database, escalation, utc_now() + timedelta(days=30))
    assert remind(database, after=12) == [Kind.ESCALATION_REMINDER]


HOURS = Hours(monday=("09:00-17:00",), tuesday=("09:00-17:00",))
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opened_at", "now", "over"),
    [
        ("16:55", "17:30", False),
        ("16:55", "33:04", False),  # five minutes on Monday, four on Tuesday
        ("16:55", "33:05", True),
        ("20:00", "33:10", True),
        ("-40:00", "09:09", False),  # since the weekend
        ("-40:00", "09:10", True),
    ],
)
def test_outside_of_hours_the_clock_stands_still(opened_at: str, now: str, over: bool) -> None:
    def moment(text: str) -> datetime:
        hours, _, minutes = text.partition(":")
        return MONDAY + timedelta(hours=int(hours), minutes=int(minutes))

    patience = Patience(timedelta(minutes=10), None, HOURS)
    assert patience.is_over(patience.remind_after, moment(opened_at), moment(now)) is over
