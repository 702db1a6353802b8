"""Who is asked, who has it, who follows whom; pauses and the handling time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from records import conversations, endings, escalations, handle_time, handling
from records.database import Database
from records.errors import Conflict, Forbidden, InvalidInput
from records.outbox import Kind
from records.states import EscalationState, Resolution
from records.tables import Audit, Escalation, Outcome
from tests.records.at_once import at_once
from tests.records.escalated import escalated, queued, row, taken

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_who_is_asked_has_nothing_until_they_take_over(database: Database) -> None:
    escalation = escalated(database)
    with database.write() as session:
        handling.assign(session, escalation, agent="U1", assignee="U2")
        with pytest.raises(Forbidden):
            escalations.reply(session, escalation, agent="U2", content="x", source_key="slack:C:1")
    found = row(database, escalation)
    assert (found.owner, found.assignee) == (None, "U2")
    assert found.state is EscalationState.WAITING


def test_an_owner_keeps_it_until_the_one_they_asked_takes_over(database: Database) -> None:
    escalation = taken(database)
    with database.write() as session:
        handling.assign(session, escalation, agent="U1", assignee="U2")
        escalations.reply(session, escalation, agent="U1", content="x", source_key="slack:C:1")
        with pytest.raises(Conflict, match="U1"):
            escalations.take_over(session, escalation, agent="U3")
        escalations.take_over(session, escalation, agent="U2")
        with pytest.raises(Forbidden):
            escalations.reply(session, escalation, agent="U1", content="y", source_key="slack:C:2")
    found = row(database, escalation)
    assert (found.owner, found.assignee) == ("U2", None)
    with database.read() as session:
        assert conversations.get(session, found.conversation_id).owner == "U2"
    (told,) = queued(database, Kind.ESCALATION_PASSED)
    assert told.payload == {"owner": "U2", "former": "U1"}


def test_everybody_else_says_whom_they_follow_and_is_audited(database: Database) -> None:
    escalation = taken(database)
    with database.write() as session:
        with pytest.raises(Conflict):
            escalations.take_over(session, escalation, agent="U3", instead_of="U2")
        escalations.take_over(session, escalation, agent="U3", instead_of="U1")
        details = session.scalars(select(Audit.detail).where(Audit.action == "take_over")).all()
    assert row(database, escalation).owner == "U3"
    assert details[-1] == {"former": "U1"}


def test_an_owner_may_come_back(database: Database) -> None:
    escalation = taken(database)
    for agent, former in (("U2", "U1"), ("U1", "U2"), ("U2", "U1")):
        with database.write() as session:
            escalations.take_over(session, escalation, agent=agent, instead_of=former)
    assert row(database, escalation).owner == "U2"
    assert len(queued(database, Kind.ESCALATION_PASSED)) == 3


def test_asking_twice_is_asking_once_and_asking_another_asks_again(database: Database) -> None:
    escalation = escalated(database)
    for assignee in ("U2", "U2", "U3", "U2"):
        with database.write() as session:
            handling.assign(session, escalation, agent="U1", assignee=assignee)
    asked = [told.payload["assignee"] for told in queued(database, Kind.ESCALATION_ASSIGNED)]
    assert asked == ["U2", "U3", "U2"]


def test_only_the_owner_passes_on_what_they_have(database: Database) -> None:
    escalation = taken(database)
    with database.write() as session:
        with pytest.raises(Forbidden, match="U1"):
            handling.assign(session, escalation, agent="U2", assignee="U3")
        with pytest.raises(Conflict, match="U1"):
            handling.assign(session, escalation, agent="U2", assignee="U1")
        with pytest.raises(Conflict):
            handling.assign(session, escalation, agent="U1", assignee="U1")


def test_nobody_asks_themselves_or_of_what_has_ended(database: Database) -> None:
    escalation = escalated(database)
    with database.write() as session:
        with pytest.raises(InvalidInput, match="Take over"):
            handling.assign(session, escalation, agent="U1", assignee="U1")
        endings.dismiss(session, escalation, agent="U1")
        with pytest.raises(Conflict, match="resolved"):
            handling.assign(session, escalation, agent="U1", assignee="U2")


def test_the_one_asked_and_another_at_once_are_two_owners_in_turn(database: Database) -> None:
    escalation = taken(database)
    with database.write() as session:
        handling.assign(session, escalation, agent="U1", assignee="U2")
    with pytest.raises(Conflict, match="U2"):
        at_once(
            database,
            lambda session: escalations.take_over(session, escalation, agent="U2"),
            lambda session: escalations.take_over(session, escalation, agent="U3", instead_of="U1"),
        )
    assert row(database, escalation).owner == "U2"


def test_a_dismissal_and_a_take_over_at_once_are_one_of_them(database: Database) -> None:
    escalation = escalated(database)
    with pytest.raises(Conflict, match="U1"):
        at_once(
            database,
            lambda session: escalations.take_over(session, escalation, agent="U1"),
            lambda session: endings.dismiss(session, escalation, agent="U2"),
        )
    assert row(database, escalation).state is EscalationState.TAKEN


def at(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    """Set the records' clock."""
    for module in (escalations, endings, handling):
        monkeypatch.setattr(module, "utc_now", lambda: NOW + timedelta(minutes=minutes))


def test_the_handling_time_is_that_from_take_over_to_end_less_pauses(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    escalation = escalated(database)
    steps: list[tuple[float, Callable[..., object]]] = [
        (0, escalations.take_over), (10, handling.pause), (12, handling.pause),
        (30, handling.resume), (31, handling.resume), (40, handling.pause),
        (50, endings.resolve),
    ]  # fmt: skip
    for minutes, act in steps:
        at(monkeypatch, minutes)
        with database.write() as session:
            act(session, escalation, agent="U1")
    with database.read() as session:
        found = session.scalars(select(Outcome).where(Outcome.metric == "handle_minutes")).one()
    assert found.value == pytest.approx(50 - 20 - 10)
    assert row(database, escalation).paused_at is None
    changes = queued(database, Kind.ESCALATION_CHANGED)
    assert len(changes) == 5, "what changed nothing is not shown"


def test_a_reply_and_a_new_owner_end_a_pause_and_a_customers_word_does_not(
    database: Database,
) -> None:
    escalation = taken(database)
    with database.write() as session:
        handling.pause(session, escalation, agent="U1")
        name = row(database, escalation).conversation_id
        conversations.receive(
            session,
            conversations.Arrival(assistant="support", conversation_id=name, content="And?"),
        )
    assert row(database, escalation).paused_at is not None
    with database.write() as session:
        escalations.reply(session, escalation, agent="U1", content="x", source_key="slack:C:1")
    assert row(database, escalation).paused_at is None
    with database.write() as session:
        handling.pause(session, escalation, agent="U1")
        escalations.take_over(session, escalation, agent="U2", instead_of="U1")
    assert row(database, escalation).paused_at is None


@pytest.mark.parametrize("act", [handling.pause, handling.resume])
def test_only_the_owner_pauses(database: Database, act: Callable[..., object]) -> None:
    escalation = escalated(database)
    with database.write() as session:
        with pytest.raises(Conflict, match="Take this over first"):
            act(session, escalation, agent="U1")
        escalations.take_over(session, escalation, agent="U1")
        with pytest.raises(Forbidden, match="U1"):
            act(session, escalation, agent="U2")


moments = st.integers(-10_000, 10_000).map(lambda seconds: NOW + timedelta(seconds=seconds))


@given(moments, st.lists(st.tuples(moments, moments), max_size=5), moments)
def test_no_clock_makes_a_handling_time_negative_or_longer_than_it_was(
    taken_at: datetime, pauses: list[tuple[datetime, datetime]], ended_at: datetime
) -> None:
    escalation = Escalation(taken_at=taken_at, resolved_at=ended_at, paused_seconds=0.0)
    for begun, ended in pauses:
        handle_time.begin_pause(escalation, begun)
        handle_time.end_pause(escalation, ended)
    spent = handle_time.handled_seconds(escalation)
    assert spent is not None
    assert 0 <= spent <= max(0.0, (ended_at - taken_at).total_seconds())


@pytest.mark.parametrize(
    ("resolution", "solved"),
    [
        (Resolution.SOLVED, [1.0]),
        (Resolution.PARTLY_SOLVED, [0.0]),
        (Resolution.NOT_SOLVED, [0.0]),
        (Resolution.NO_REPLY, []),
        (Resolution.NOT_NEEDED, []),
    ],
)
def test_an_end_says_whether_a_person_solved_it(
    database: Database, resolution: Resolution, solved: list[float]
) -> None:
    escalation = taken(database)
    with database.write() as session:
        endings.resolve(session, escalation, agent="U1", resolution=resolution, note="Asked IT.")
    metric = endings.SOLVED_BY_PERSON
    with database.read() as session:
        found = session.scalars(select(Outcome.value).where(Outcome.metric == metric)).all()
    assert found == solved
    ended = row(database, escalation)
    assert (ended.resolution, ended.resolved_by, ended.note) == (resolution, "U1", "Asked IT.")


def test_handing_back_is_no_resolution_to_choose(database: Database) -> None:
    escalation = taken(database)
    with database.write() as session, pytest.raises(InvalidInput):
        endings.resolve(session, escalation, agent="U1", resolution=Resolution.HANDED_BACK)
    with database.write() as session:
        endings.hand_back(session, escalation, agent="U1")
    assert row(database, escalation).resolution is Resolution.HANDED_BACK


def test_what_needs_nobody_is_closed_without_a_word_to_the_customer(database: Database) -> None:
    escalation = escalated(database)
    with database.write() as session:
        handling.assign(session, escalation, agent="U1", assignee="U2")
        endings.dismiss(session, escalation, agent="U1")
    ended = row(database, escalation)
    assert (ended.resolution, ended.resolved_by) == (Resolution.NOT_NEEDED, "U1")
    assert (ended.owner, ended.assignee) == (None, None)
    with database.read() as session:
        name = ended.conversation_id
        assert conversations.get(session, name).state == "open"
        assert session.scalars(select(Outcome)).all() == []
    taken_one = taken(database)
    with database.write() as session, pytest.raises(Conflict, match="U1"):
        endings.dismiss(session, taken_one, agent="U2")


def test_a_card_that_waits_goes_first_once_somebody_has_taken_over(database: Database) -> None:
    """From another desk one can take over before the card stands in Slack."""
    others = [escalated(database) for _ in range(2)]
    escalation = taken(database)
    waiting = [m for m in queued(database) if m.kind == Kind.ESCALATION_OPENED]
    waiting.sort(key=lambda message: (message.urgency, message.id))
    assert [message.subject for message in waiting] == [escalation, *others]
