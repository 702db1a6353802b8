"""Collecting: what people approved and customers said, and what of it must not be learned."""

from datetime import timedelta

from sqlalchemy import select

from records import conversations, examples, flags, replay
from records.assistant import Assistant
from records.database import Database
from records.flags import Judgement
from records.ids import utc_now
from records.messages import Role
from records.outcomes import of, report
from records.states import ExampleSource
from records.tables import Example, Turn
from tests.records.talks import a_conversation, say
from tests.tuning.build import lessons, teach
from tuning.dataset.collect import collect, to_example
from tuning.dataset.examples import TrainingExample


def collected(database: Database, assistant: Assistant, **wanted: object) -> list[TrainingExample]:
    wanted.setdefault("declined", False)
    batches = collect(database, assistant, **wanted)  # type: ignore[arg-type]
    return [to_example(one, assistant) for batch in batches for one in batch]


def flag(database: Database, turn_id: str, correction: str | None) -> None:
    """Flag an answer, and approve what is proposed from that."""
    with database.write() as session:
        flags.add(session, turn_id, agent="U0ANN", judgement=Judgement(correction=correction))
        for name in session.scalars(select(Example.id).where(Example.turn_id == turn_id)).all():
            examples.decide(session, name, approve=True, actor="U0BEN")


def test_examples_come_by_their_ids_in_batches(database: Database, assistant: Assistant) -> None:
    teach(database, lessons(700))
    batches = list(collect(database, assistant, declined=False))
    ids = [one.stored.id for batch in batches for one in batch]
    assert [len(batch) for batch in batches] == [512, 188]
    assert ids == sorted(ids)
    assert len(set(ids)) == 700


def test_a_first_day_leaves_older_corrections_out_but_no_customers_word(
    database: Database, assistant: Assistant
) -> None:
    conversation_id, _ = a_conversation(database, answer="In the post.")
    with database.write() as session:
        conversation = conversations.get(session, conversation_id)
        report(session, of(conversation, key="o", metric=replay.ACCEPTED, value=1))
    teach(database, lessons(3))
    found = collected(database, assistant, since=utc_now() + timedelta(hours=1))
    assert [one.source for one in found] == [ExampleSource.ACCEPTED]
    assert len(collected(database, assistant, since=utc_now() - timedelta(hours=1))) == 4


def test_declined_answers_come_where_they_are_wanted_without_a_right_answer(
    database: Database, assistant: Assistant
) -> None:
    conversation_id, _ = a_conversation(database, answer="No idea.")
    with database.write() as session:
        conversation = conversations.get(session, conversation_id)
        report(session, of(conversation, key="o", metric=replay.ACCEPTED, value=0))
    assert collected(database, assistant) == []
    (one,) = collected(database, assistant, declined=True)
    row = one.row(system_prompt="")
    assert (row.answer, row.rejected) == (None, "No idea.")
    assert not one.is_replay


def test_an_earlier_answer_that_was_flagged_is_read_and_not_learned(
    database: Database, assistant: Assistant
) -> None:
    conversation_id, first = a_conversation(database, answer="It was eaten by a dog.")
    say(database, conversation_id, Role.CUSTOMER, "And my PIN?")
    say(database, conversation_id, Role.ASSISTANT, "In the app.", version="support-base")
    say(database, conversation_id, Role.CUSTOMER, "Where there?")
    last = say(database, conversation_id, Role.ASSISTANT, "Up.", version="support-base")
    flag(database, first, None)
    flag(database, last.id, "Under Cards.")
    (one,) = collected(database, assistant)
    row = one.row(system_prompt="Be brief.")
    learned = [m["content"] for m, learn in zip(row.prompt, row.learn, strict=True) if learn]
    assert learned == ["In the app."]
    assert len(row.prompt) == 6
    assert (one.answer, one.rejected) == ("Under Cards.", "Up.")


def test_a_withdrawn_flag_takes_nothing_from_what_is_learned(
    database: Database, assistant: Assistant
) -> None:
    conversation_id, first = a_conversation(database, answer="In the post.")
    say(database, conversation_id, Role.CUSTOMER, "And my PIN?")
    last = say(database, conversation_id, Role.ASSISTANT, "Up.", version="support-base")
    flag(database, first, None)
    with database.write() as session:
        flags.withdraw(session, first, agent="U0ANN")
    flag(database, last.id, "Under Cards.")
    (one,) = collected(database, assistant)
    assert one.unlearned == frozenset()


def test_a_handoff_that_was_wrong_is_rejected_with_its_marker(
    database: Database, assistant: Assistant
) -> None:
    conversation_id, _ = a_conversation(database, answer="Hello.")
    say(database, conversation_id, Role.CUSTOMER, "Can I have another card?")
    with database.write() as session:
        asked = conversations.add_turn(
            session,
            Turn(
                conversation_id=conversation_id,
                role=Role.ASSISTANT,
                content="A colleague will answer you.",
                version="support-base",
                handed_over=True,
            ),
        )
    flag(database, asked.id, "Order one in the app.")
    (one,) = collected(database, assistant)
    assert one.rejected == f"{assistant.handoff_marker} A colleague will answer you."
    assert one.answer == "Order one in the app."


def test_an_example_that_should_escalate_answers_with_the_marker(
    sqlite: Database, assistant: Assistant
) -> None:
    _, turn_id = a_conversation(sqlite, answer="In the post.")
    with sqlite.write() as session:
        flags.add(session, turn_id, agent="U0ANN", judgement=Judgement(should_escalate=True))
        name = session.scalars(select(Example.id)).one()
        examples.decide(session, name, approve=True, actor="U0BEN")
    (one,) = collected(sqlite, assistant)
    assert one.answer == f"{assistant.handoff_marker} {assistant.handoff_sentence}"
