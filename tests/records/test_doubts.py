"""Examples that something speaks against go back to review, once: an approval is an answer."""

import pytest
from sqlalchemy import select

from records import doubts, examples
from records.database import Database
from records.errors import NotFound
from records.ids import utc_now
from records.states import DoubtKind, ExampleSource, ExampleState
from records.tables import Audit, Doubt, Example

CONTRADICTION, LABEL_NOISE = DoubtKind.CONTRADICTION, DoubtKind.LABEL_NOISE


def taught(database: Database, *answers: str, assistant: str = "support") -> list[str]:
    """Approved examples that answer the same question, one for each answer; their ids."""
    with database.write() as session:
        rows = [
            Example(
                assistant=assistant,
                key=f"import:{assistant}:{answer}",
                source=ExampleSource.IMPORT,
                prompt=[{"role": "customer", "content": "Where is my card?"}],
                chosen=answer,
                state=ExampleState.APPROVED,
                created_by="ops",
                decided_by="ops",
                decided_at=utc_now(),
            )
            for answer in answers
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def doubted(
    database: Database,
    example_id: str,
    other_id: str | None = None,
    kind: DoubtKind = CONTRADICTION,
) -> bool:
    with database.write() as session:
        return doubts.send_back(
            session, example_id, kind=kind, other_id=other_id, detail={"likeness": 0.9}, job_id="j"
        )


def approve(database: Database, example_id: str) -> None:
    with database.write() as session:
        examples.decide(session, example_id, approve=True, actor="U1")


def state_of(database: Database, example_id: str) -> ExampleState:
    with database.read() as session:
        return examples.get(session, example_id).state


def answers(database: Database, assistant: str = "support") -> set[tuple[str, DoubtKind]]:
    with database.read() as session:
        return doubts.answered(session, assistant)


def test_what_is_sent_back_waits_with_its_reason_and_is_audited(database: Database) -> None:
    one, other = taught(database, "In the post.", "At the branch.")
    assert doubted(database, one, other)
    with database.read() as session:
        example = examples.get(session, one)
        assert (example.state, example.decided_by, example.decided_at) == ("proposed", None, None)
        assert example.decision_note == (
            "Doubted: another example answers nearly the same question otherwise."
        )
        noted = session.scalars(select(Audit).where(Audit.subject == one)).one()
        assert (noted.action, noted.detail["other"]) == ("example_doubted", other)
        [found] = doubts.of_waiting(session, example)
        assert found.other is not None
        assert found.other.chosen == "At the branch."
        assert found.doubt.detail == {"likeness": 0.9}
    assert state_of(database, other) is ExampleState.APPROVED


def test_doubting_the_same_twice_doubts_it_once(database: Database) -> None:
    one, other = taught(database, "a", "b")
    assert [doubted(database, one, other) for _ in range(2)] == [True, True]
    with database.read() as session:
        assert len(session.scalars(select(Doubt)).all()) == 1
        assert len(session.scalars(select(Audit)).all()) == 1


def test_what_was_approved_again_is_doubted_no_more(database: Database) -> None:
    one, other = taught(database, "a", "b")
    doubted(database, one, other)
    assert answers(database) == set()
    approve(database, one)
    assert not doubted(database, one, other)
    assert state_of(database, one) is ExampleState.APPROVED
    assert (one, CONTRADICTION) in answers(database)
    with database.read() as session:
        assert doubts.of_waiting(session, examples.get(session, one)) == []


def test_approving_either_of_two_that_contradict_answers_for_both(database: Database) -> None:
    one, other = taught(database, "a", "b")
    doubted(database, one, other)
    approve(database, one)
    assert not doubted(database, other, one)
    assert answers(database) == {(one, CONTRADICTION), (other, CONTRADICTION)}


def test_of_two_that_were_sent_back_the_one_that_nobody_approved_still_waits(
    database: Database,
) -> None:
    one, other = taught(database, "a", "b")
    doubted(database, one, other)
    doubted(database, other, one)
    approve(database, one)
    assert state_of(database, other) is ExampleState.PROPOSED


def test_an_approval_of_other_words_is_no_answer(database: Database) -> None:
    one, other = taught(database, "a", "b")
    doubted(database, one, other)
    with database.write() as session:
        examples.edit(session, one, chosen="c", should_escalate=False, actor="U1")
    approve(database, one)
    assert answers(database) == set()
    assert doubted(database, one, other)


def test_a_decision_taken_back_shows_the_doubt_again(database: Database) -> None:
    one, other = taught(database, "a", "b")
    doubted(database, one, other)
    approve(database, one)
    with database.write() as session:
        example = examples.reopen(session, one, actor="U1")
        assert [found.doubt.kind for found in doubts.of_waiting(session, example)] == [
            CONTRADICTION
        ]
    assert answers(database) == set()


def test_another_contradiction_is_a_new_doubt(database: Database) -> None:
    one, other, third = taught(database, "a", "b", "c")
    doubted(database, one, other)
    approve(database, one)
    assert doubted(database, one, third)


def test_label_noise_answered_stays_answered_whichever_example_shows_it(
    database: Database,
) -> None:
    one, other, third = taught(database, "a", "b", "c")
    doubted(database, one, other, LABEL_NOISE)
    approve(database, one)
    assert not doubted(database, one, third, LABEL_NOISE)
    assert answers(database) == {(one, LABEL_NOISE)}
    assert doubted(database, one, other, CONTRADICTION)


def test_what_is_not_approved_must_not_train_and_is_left_as_it_is(database: Database) -> None:
    one, other = taught(database, "a", "b")
    with database.write() as session:
        examples.get(session, one).state = ExampleState.WITHDRAWN
    assert doubted(database, one, other)
    assert state_of(database, one) is ExampleState.WITHDRAWN
    with database.read() as session:
        assert session.scalars(select(Doubt)).all() == []


def test_answers_are_those_of_one_assistant(database: Database) -> None:
    [one] = taught(database, "a", assistant="sales")
    doubted(database, one, kind=LABEL_NOISE)
    approve(database, one)
    assert answers(database, "support") == set()
    assert answers(database, "sales") == {(one, LABEL_NOISE)}


def test_what_does_not_exist_is_not_doubted(database: Database) -> None:
    with pytest.raises(NotFound, match="No example 'ex_0'"):
        doubted(database, "ex_0")
