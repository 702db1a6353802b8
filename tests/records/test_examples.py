"""People decide on examples, change them, and take decisions back."""

import pytest
from sqlalchemy import select

from records import examples, flags, outbox
from records.database import Database
from records.errors import Conflict, Forbidden, InvalidInput
from records.flags import Judgement
from records.states import ExampleState
from records.tables import Audit, Dataset, DatasetExample, Example, OutboxMessage
from tests.records.talks import a_conversation


def test_an_example_is_decided_once(database: Database) -> None:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        flags.add(session, turn_id, agent="U1", judgement=Judgement(correction="Right."))
        example_id = session.scalars(select(Example.id)).one()
        examples.decide(session, example_id, approve=True, actor="U2")
        examples.decide(session, example_id, approve=True, actor="U2")
        for approve in (True, False):
            with pytest.raises(Conflict, match="already approved by <@U2>"):
                examples.decide(session, example_id, approve=approve, actor="U3")
        assert [e.decided_by for e in examples.approved(session, "support")] == ["U2"]


def proposed(database: Database, correction: str = "Right.", agent: str = "U1") -> str:
    """An example from a flag that waits."""
    _, turn_id = a_conversation(database)
    return corrected(database, turn_id, correction, agent)


def corrected(database: Database, turn_id: str, correction: str, agent: str = "U1") -> str:
    with database.write() as session:
        judgement = Judgement(correction=correction)
        flag = flags.add(session, turn_id, agent=agent, judgement=judgement)
        return session.scalars(select(Example.id).where(Example.flag_id == flag.id)).one()


def test_an_edit_is_noted_with_who_made_it_and_can_then_be_approved(database: Database) -> None:
    example_id = proposed(database)
    with database.write() as session:
        examples.edit(session, example_id, chosen=" Better. ", should_escalate=False, actor="U2")
        examples.decide(session, example_id, approve=True, actor="U3")
        example = examples.approved(session, "support")[0]
        assert (example.chosen, example.edited_by, example.created_by) == ("Better.", "U2", "U1")
        with pytest.raises(Conflict, match="already approved by <@U3>"):
            examples.edit(session, example_id, chosen="x", should_escalate=False, actor="U2")


def test_an_edit_that_changes_nothing_makes_nobody_its_editor(database: Database) -> None:
    example_id = proposed(database)
    with database.write() as session:
        example = examples.edit(
            session, example_id, chosen="Right.", should_escalate=False, actor="U2"
        )
        assert example.edited_by is None


def test_an_example_must_teach_something(database: Database) -> None:
    example_id = proposed(database)
    with database.write() as session:
        with pytest.raises(InvalidInput, match="Write the right answer"):
            examples.edit(session, example_id, chosen="  ", should_escalate=False, actor="U2")
        examples.edit(session, example_id, chosen="", should_escalate=True, actor="U2")


@pytest.mark.parametrize("actor", ["U1", "U2"])
def test_with_four_eyes_neither_writer_nor_editor_approves(database: Database, actor: str) -> None:
    example_id = proposed(database)
    with database.write() as session:
        examples.edit(session, example_id, chosen="Better.", should_escalate=False, actor="U2")
        with pytest.raises(Forbidden, match="somebody else must approve"):
            examples.decide(session, example_id, approve=True, actor=actor, four_eyes=True)
        examples.decide(session, example_id, approve=True, actor="U3", four_eyes=True)


def test_with_four_eyes_no_earlier_editor_approves_either(database: Database) -> None:
    example_id = proposed(database)
    with database.write() as session:
        for actor, words in (("U2", "Many words."), ("U3", "Many words!")):
            examples.edit(session, example_id, chosen=words, should_escalate=False, actor=actor)
        with pytest.raises(Forbidden, match="somebody else must approve"):
            examples.decide(session, example_id, approve=True, actor="U2", four_eyes=True)
        examples.decide(session, example_id, approve=True, actor="U4", four_eyes=True)


def test_with_four_eyes_an_approval_changes_nothing_and_anybody_may_reject(
    database: Database,
) -> None:
    example_id = proposed(database)
    with database.write() as session:
        with pytest.raises(Forbidden, match="Who changes an example"):
            examples.decide(
                session,
                example_id,
                approve=True,
                actor="U3",
                should_escalate=True,
                four_eyes=True,
            )
        example = examples.decide(
            session, example_id, approve=False, actor="U1", note="duplicate", four_eyes=True
        )
        assert (example.state, example.decision_note) == (ExampleState.REJECTED, "duplicate")


def test_who_decided_can_take_it_back_and_decide_otherwise(database: Database) -> None:
    example_id = proposed(database)
    with database.write() as session:
        examples.decide(session, example_id, approve=True, actor="U2")
        with pytest.raises(Forbidden, match="Only <@U2>"):
            examples.reopen(session, example_id, actor="U3")
        examples.reopen(session, example_id, actor="U2")
        with pytest.raises(Conflict, match="no decision to take back"):
            examples.reopen(session, example_id, actor="U2")
        example = examples.decide(session, example_id, approve=False, actor="U2")
        assert example.state is ExampleState.REJECTED
    with database.read() as session:
        changes = session.scalars(
            select(OutboxMessage).where(OutboxMessage.kind == outbox.Kind.EXAMPLE_CHANGED)
        ).all()
    assert len(changes) == 3  # the card follows each of them


def test_what_a_dataset_holds_stays_decided(database: Database) -> None:
    example_id = proposed(database)
    with database.write() as session:
        examples.decide(session, example_id, approve=True, actor="U2")
        session.add(Dataset(id="ds-1", assistant="support", content_hash="h", path="p", card={}))
        session.flush()
        session.add(DatasetExample(dataset_id="ds-1", example_id=example_id, split="train"))
        with pytest.raises(Conflict, match="part of a dataset"):
            examples.reopen(session, example_id, actor="U2")


def test_an_approved_revision_takes_the_place_of_what_was_approved_before(
    database: Database,
) -> None:
    _, turn_id = a_conversation(database)
    first = corrected(database, turn_id, "First.")
    with database.write() as session:
        examples.decide(session, first, approve=True, actor="U2")
    second = corrected(database, turn_id, "Second.")
    others = corrected(database, turn_id, "Mine.", agent="U9")
    with database.write() as session:
        for example_id in (others, second):
            examples.decide(session, example_id, approve=True, actor="U2")
        chosen = {e.chosen for e in examples.approved(session, "support")}
        assert chosen == {"Second.", "Mine."}
        assert examples.get(session, first).state is ExampleState.SUPERSEDED


def test_every_decision_is_in_the_audit_with_its_person(database: Database) -> None:
    example_id = proposed(database)
    with database.write() as session:
        examples.edit(session, example_id, chosen="Better.", should_escalate=False, actor="U2")
        examples.decide(session, example_id, approve=True, actor="U3")
        examples.reopen(session, example_id, actor="U3")
        examples.decide(session, example_id, approve=False, actor="U4")
        noted = session.execute(
            select(Audit.actor, Audit.action).where(Audit.subject == example_id).order_by(Audit.id)
        ).all()
    assert [tuple(row) for row in noted] == [
        ("U2", "example_edited"),
        ("U3", "example_approved"),
        ("U3", "example_reopened"),
        ("U4", "example_rejected"),
    ]
