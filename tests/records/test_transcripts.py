"""What is shown of a conversation when it is escalated, by positions whatever clocks say."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from records import conversations, endings, escalations, transcripts
from records.database import Database
from records.ids import utc_now
from records.messages import Role
from records.outbox import Kind
from records.tables import Turn
from tests.records.escalated import QUESTION, begun, escalate, queued, row, say


def talk(database: Database, *, turns: int) -> tuple[str, list[str]]:
    """A conversation of so many turns; its id and theirs."""
    name = begun(database)
    for index in range(1, turns):
        role = Role.ASSISTANT if index % 2 else Role.CUSTOMER
        say(database, name, role, f"turn {index}")
    with database.read() as session:
        return name, [turn.id for turn in conversations.history(session, name)]


@pytest.mark.parametrize(("turns", "in_file"), [(1, 0), (6, 0), (7, 1), (40, 34)])
def test_the_last_turns_get_messages_and_older_ones_one_file(
    database: Database, turns: int, in_file: int
) -> None:
    name, ids = talk(database, turns=turns)
    escalation = escalate(database, name)
    rows = queued(database)
    shown = [message.subject for message in rows if message.kind == Kind.TURN_ADDED]
    assert shown == ids[in_file:]
    files = [message for message in rows if message.kind == Kind.TRANSCRIPT]
    assert [(f.subject, f.payload["before"]) for f in files] == (
        [(escalation, in_file)] if in_file else []
    )
    kinds = [message.kind for message in rows[: 2 if in_file else 1]]
    assert kinds == [Kind.ESCALATION_OPENED, Kind.TRANSCRIPT][: len(kinds)]


def test_the_answer_that_led_here_has_a_message_however_old_it_is(database: Database) -> None:
    name, ids = talk(database, turns=20)
    escalate(database, name, turn_id=ids[3])
    shown = [message.subject for message in queued(database, Kind.TURN_ADDED)]
    assert shown == [ids[3], *ids[-6:]]


@pytest.mark.parametrize(
    ("length", "kinds"), [(5_800, ["turn_added"]), (5_801, ["turn_added", "turn_snippet"])]
)
def test_a_long_turn_is_followed_by_its_file(
    database: Database, length: int, kinds: list[str]
) -> None:
    name = begun(database)
    escalate(database, name)
    turn = say(database, name, Role.CUSTOMER, "x" * length)
    assert [message.kind for message in queued(database) if message.subject == turn] == kinds


def test_replies_are_those_after_the_opening_though_the_clock_was_set_back(
    database: Database,
) -> None:
    name = begun(database)
    say(database, name, Role.AGENT, "From last time.")
    escalation = escalate(database, name)
    late = say(database, name, Role.AGENT, "Now.")
    with database.write() as session:
        an_hour_ago = utc_now() - timedelta(hours=1)
        session.execute(update(Turn).where(Turn.id == late).values(created_at=an_hour_ago))
    with database.read() as session:
        found = transcripts.replies(session, escalations.get(session, escalation))
        led_here = transcripts.led_here(session, escalations.get(session, escalation))
    assert [turn.content for turn in found] == ["Now."]
    assert transcripts.asked(led_here) == QUESTION


def test_each_escalation_of_a_conversation_has_an_opening_of_its_own(database: Database) -> None:
    name = begun(database)
    first = escalate(database, name)
    with database.write() as session:
        endings.dismiss(session, first, agent="U1")
    say(database, name, Role.CUSTOMER, "And now?")
    second = escalate(database, name)
    with database.read() as session:
        opened = [transcripts.opened_after(session, row(database, e)) for e in (first, second)]
    assert opened == [0, 1]


def test_what_led_here_ends_with_the_answer_that_did(database: Database) -> None:
    name, ids = talk(database, turns=6)
    escalation = escalate(database, name, turn_id=ids[1])
    with database.read() as session:
        led_here = transcripts.led_here(session, escalations.get(session, escalation))
    assert [turn.id for turn in led_here] == ids[:2]


def test_words_that_were_taken_back_are_no_replies(database: Database) -> None:
    name = begun(database)
    escalation = escalate(database, name)
    turn = say(database, name, Role.AGENT, "")
    with database.write() as session:
        conversations.turn(session, turn).removed_at = utc_now()
    with database.read() as session:
        assert transcripts.replies(session, escalations.get(session, escalation)) == []
