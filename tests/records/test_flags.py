"""Flags: added row by row, the last word of an agent counts, and what is proposed from them."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from records import conversations, flags
from records.database import Database
from records.errors import Conflict, InvalidInput
from records.flags import Judgement
from records.ids import utc_now
from records.messages import Role
from records.states import ExampleState, FlagReason
from records.tables import Audit, Example, Flag
from tests.records.at_once import at_once
from tests.records.talks import a_conversation, say


def test_a_flag_with_a_correction_proposes_an_example(database: Database) -> None:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        flags.add(session, turn_id, agent="U1", judgement=Judgement(correction="In the post."))
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert example.prompt == [{"role": "customer", "content": "Where is my card?"}]
    assert (example.chosen, example.rejected) == ("In the post.", "Wrong.")
    assert example.state is ExampleState.PROPOSED


def test_an_empty_flag_is_kept_but_proposes_nothing(database: Database) -> None:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        flags.add(session, turn_id, agent="U1", judgement=Judgement())
    with database.read() as session:
        assert len(session.scalars(select(Flag)).all()) == 1
        assert session.scalars(select(Example)).all() == []


def test_the_last_flag_of_an_agent_counts(database: Database) -> None:
    _, turn_id = a_conversation(database)
    for text in ("First.", "Second."):
        with database.write() as session:
            flags.add(session, turn_id, agent="U1", judgement=Judgement(correction=text))
    with database.read() as session:
        states = {e.chosen: e.state for e in session.scalars(select(Example))}
        assert len(session.scalars(select(Flag)).all()) == 2
    assert states == {"First.": ExampleState.SUPERSEDED, "Second.": ExampleState.PROPOSED}


def test_only_answers_can_be_flagged(database: Database) -> None:
    conversation_id, _ = a_conversation(database)
    with database.write() as session:
        question = conversations.history(session, conversation_id)[0]
        with pytest.raises(InvalidInput, match="Only the assistant's answers"):
            flags.add(session, question.id, agent="U1", judgement=Judgement())


def flagged(database: Database, turn_id: str, agent: str = "U1", **said: object) -> Flag:
    with database.write() as session:
        return flags.add(session, turn_id, agent=agent, judgement=Judgement(**said))


def states(database: Database) -> dict[str, ExampleState]:
    with database.read() as session:
        return {e.chosen: e.state for e in session.scalars(select(Example))}


def test_the_last_word_is_the_one_that_was_added_last_whatever_the_clock_says(
    database: Database,
) -> None:
    _, turn_id = a_conversation(database)
    flagged(database, turn_id, correction="First.")
    flagged(database, turn_id, correction="Second.")
    with database.write() as session:
        session.execute(
            update(Flag)
            .where(Flag.correction == "Second.")
            .values(created_at=utc_now() - timedelta(days=1))
        )
    with database.read() as session:
        assert [f.correction for f in flags.standing(session, turn_id)] == ["Second."]


def test_a_later_flag_without_a_correction_ends_the_example_of_the_earlier_one(
    database: Database,
) -> None:
    _, turn_id = a_conversation(database)
    flagged(database, turn_id, correction="First.")
    flagged(database, turn_id, reason=FlagReason.TONE)
    assert states(database) == {"First.": ExampleState.SUPERSEDED}


def test_each_agents_last_word_stands(database: Database) -> None:
    _, turn_id = a_conversation(database)
    for agent, text in (("U1", "A"), ("U2", "B"), ("U1", "C")):
        flagged(database, turn_id, agent, correction=text)
    with database.read() as session:
        assert [(f.agent, f.correction) for f in flags.standing(session, turn_id)] == [
            ("U2", "B"),
            ("U1", "C"),
        ]


def test_a_withdrawn_flag_stays_on_record_and_ends_its_example(database: Database) -> None:
    _, turn_id = a_conversation(database)
    flagged(database, turn_id, correction="Right.")
    with database.write() as session:
        flags.withdraw(session, turn_id, agent="U1")
    assert states(database) == {"Right.": ExampleState.WITHDRAWN}
    with database.read() as session:
        assert flags.standing(session, turn_id) == []
        assert len(session.scalars(select(Flag)).all()) == 2
        actions = session.scalars(select(Audit.action).where(Audit.actor == "U1")).all()
    assert actions == ["flag", "withdraw_flag"]


def test_only_ones_own_flag_can_be_withdrawn_and_only_once(database: Database) -> None:
    _, turn_id = a_conversation(database)
    flagged(database, turn_id)
    with database.write() as session:
        with pytest.raises(Conflict, match="no flag on this answer"):
            flags.withdraw(session, turn_id, agent="U2")
        flags.withdraw(session, turn_id, agent="U1")
        with pytest.raises(Conflict, match="no flag on this answer"):
            flags.withdraw(session, turn_id, agent="U1")


def test_an_answer_can_be_flagged_again_after_withdrawing(database: Database) -> None:
    _, turn_id = a_conversation(database)
    for _ in range(2):
        with database.write() as session:
            flags.add_once(session, turn_id, agent="U1", where=None)
            flags.add_once(session, turn_id, agent="U1", where=None)
        with database.write() as session:
            assert len(flags.standing(session, turn_id)) == 1
            flags.withdraw(session, turn_id, agent="U1")
    with database.read() as session:
        assert [f.position for f in session.scalars(select(Flag).order_by(Flag.position))] == [
            0,
            1,
            2,
            3,
        ]


def test_flags_of_an_answer_at_once_are_numbered_one_after_the_other(database: Database) -> None:
    _, turn_id = a_conversation(database)

    def flag(session: Session, agent: str) -> int:
        return flags.add(session, turn_id, agent=agent, judgement=Judgement()).position

    assert at_once(database, partial(flag, agent="U1"), partial(flag, agent="U2")) == 1


def test_answers_that_were_flagged_or_handed_over_are_told_and_others_are_not(
    database: Database,
) -> None:
    flagged, turn_id = a_conversation(database, answer="Wrong.")
    plain, _ = a_conversation(database, answer="Right.")
    taken_back, other_id = a_conversation(database, answer="Right, too.")
    say(database, plain, Role.ASSISTANT, "A colleague will answer.", handed_over=True)
    with database.write() as session:
        for turn in (turn_id, other_id):
            flags.add(session, turn, agent="U1", judgement=Judgement())
        flags.withdraw(session, other_id, agent="U1")
    with database.read() as session:
        found = flags.remarkable(session, [flagged, plain, taken_back])
    assert sorted(found) == sorted(
        [
            (flagged, "Wrong.", "Wrong.", False, True),
            (plain, "A colleague will answer.", "A colleague will answer.", True, False),
        ]
    )
