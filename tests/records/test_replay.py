"""Answers that customers accepted become replay."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import conversations, endings, escalations, examples, flags, outcomes, replay
from records.database import Database
from records.flags import Judgement
from records.messages import Role
from records.outcomes import Rating
from records.states import ExampleSource
from records.tables import Example, Turn
from tests.records.talks import a_conversation, escalated, say


def test_only_accepted_unflagged_answers_become_replay(database: Database) -> None:
    accepted, _ = a_conversation(database, answer="Good.")
    flagged, turn_id = a_conversation(database, answer="Flagged.")
    a_conversation(database, answer="Nobody said anything.")
    with database.write() as session:
        for conversation_id in (accepted, flagged):
            for _ in range(2):
                report_accepted(session, conversation_id, value=1, key=f"o:{conversation_id}")
        flags.add(session, turn_id, agent="U1", judgement=Judgement())
    with database.write() as session:
        assert replay.collect_words(session, "support").added == 1
    with database.write() as session:
        assert replay.collect_words(session, "support").added == 0
        assert [e.chosen for e in examples.approved(session, "support")] == ["Good."]


def test_the_last_answer_is_the_accepted_one_and_keeps_its_handover(database: Database) -> None:
    conversation_id, _ = a_conversation(database, answer="Not that helpful.")
    with database.write() as session:
        for role, text in ((Role.CUSTOMER, "A person, please."), (Role.ASSISTANT, "Of course.")):
            conversations.add_turn(
                session,
                Turn(
                    conversation_id=conversation_id,
                    role=role,
                    content=text,
                    version="support-base",
                    handed_over=role is Role.ASSISTANT,
                ),
            )
        report_accepted(session, conversation_id, value=1, key="o")
        assert replay.collect_words(session, "support").added == 1
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert (example.chosen, example.should_escalate) == ("Of course.", True)
    assert [m["content"] for m in example.prompt] == [
        "Where is my card?",
        "Not that helpful.",
        "A person, please.",
    ]


def accept(database: Database, conversation_id: str, *, value: float, key: str) -> None:
    with database.write() as session:
        report_accepted(session, conversation_id, value=value, key=key)


def report_accepted(session: Session, conversation_id: str, *, value: float, key: str) -> None:
    conversation = conversations.get(session, conversation_id)
    outcomes.report(
        session, outcomes.of(conversation, key=key, metric=replay.ACCEPTED, value=value)
    )


def replayed(database: Database) -> list[str]:
    return said_of(database, ExampleSource.ACCEPTED)


def said_of(database: Database, source: ExampleSource) -> list[str]:
    """The answers that customers are known to have accepted, or declined."""
    with database.write() as session:
        replay.collect_words(session, "support")
    with database.read() as session:
        found = [e for e in examples.approved(session, "support") if e.source is source]
    return [str(e.rejected if source is ExampleSource.DECLINED else e.chosen) for e in found]


def test_an_answer_that_a_person_had_to_mend_is_not_replayed(database: Database) -> None:
    conversation_id, _, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        escalations.reply(session, escalation_id, agent="U1", content="Posted.", source_key="s:1")
        endings.resolve(session, escalation_id, agent="U1")
    accept(database, conversation_id, value=1, key="o")
    assert replayed(database) == []


def test_an_outcome_speaks_of_the_answer_before_it_and_the_newest_counts(
    database: Database,
) -> None:
    first, _ = a_conversation(database, answer="Good.")
    accept(database, first, value=1, key="o:1")
    say(database, first, Role.CUSTOMER, "And my PIN?")
    say(database, first, Role.ASSISTANT, "Bad.", version="support-base")
    second, _ = a_conversation(database, answer="Looked good.")
    accept(database, second, value=1, key="o:2")
    accept(database, second, value=0, key="o:3")
    assert replayed(database) == ["Good."]


def test_a_withdrawn_flag_does_not_keep_an_accepted_answer_from_being_replayed(
    database: Database,
) -> None:
    conversation_id, turn_id = a_conversation(database, answer="Good.")
    with database.write() as session:
        flags.add(session, turn_id, agent="U1", judgement=Judgement())
        flags.withdraw(session, turn_id, agent="U1")
    accept(database, conversation_id, value=1, key="o")
    assert replayed(database) == ["Good."]


def test_an_outcome_speaks_of_what_was_said_before_it_even_if_the_clock_was_set_back(
    database: Database,
) -> None:
    conversation_id, _ = a_conversation(database, answer="Good.")
    accept(database, conversation_id, value=1, key="o")
    later = say(database, conversation_id, Role.ASSISTANT, "Bad.", version="support-base")
    with database.write() as session:
        session.get_one(Turn, later.id).created_at -= timedelta(days=1)
    assert replayed(database) == ["Good."]


def test_an_answer_that_did_not_help_is_declined_and_teaches_no_right_one(
    database: Database,
) -> None:
    conversation_id, turn_id = a_conversation(database, answer="Bad.")
    accept(database, conversation_id, value=0, key="o")
    assert said_of(database, ExampleSource.DECLINED) == ["Bad."]
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert (example.chosen, example.key, example.should_escalate) == (
        "",
        f"declined:{turn_id}",
        False,
    )


def test_a_declined_answer_that_was_flagged_leaves_the_word_to_the_flag(
    database: Database,
) -> None:
    conversation_id, turn_id = a_conversation(database, answer="Bad.")
    accept(database, conversation_id, value=0, key="o")
    with database.write() as session:
        flags.add(session, turn_id, agent="U1", judgement=Judgement())
    assert said_of(database, ExampleSource.DECLINED) == []


def test_who_changes_their_mind_replaces_what_they_said(database: Database) -> None:
    conversation_id, _ = a_conversation(database, answer="So so.")
    told = []
    for number, value in enumerate((1, 0, 1)):
        accept(database, conversation_id, value=value, key=f"o:{number}")
        told.append([said_of(database, kind) for kind in examples.CUSTOMERS_WORDS])
    accepted, declined = [["So so."], []], [[], ["So so."]]
    assert told == [accepted, declined, accepted]


def test_a_thumb_speaks_of_its_own_answer(database: Database) -> None:
    conversation_id, first = a_conversation(database, answer="Good.")
    say(database, conversation_id, Role.CUSTOMER, "And my PIN?")
    second = say(database, conversation_id, Role.ASSISTANT, "Bad.", version="support-base")
    with database.write() as session:
        outcomes.rate(session, conversation_id, Rating(thumb_up=True, turn_id=first))
        outcomes.rate(session, conversation_id, Rating(thumb_up=False, turn_id=second.id))
    assert replayed(database) == ["Good."]
    assert said_of(database, ExampleSource.DECLINED) == ["Bad."]


def test_conversations_are_looked_at_a_batch_at_a_time(database: Database) -> None:
    for number in range(5):
        conversation_id, _ = a_conversation(database, answer=f"Good {number}.")
        accept(database, conversation_id, value=1, key=f"o:{number}")
    added, after = [], ""
    while True:
        with database.write() as session:
            batch = replay.collect_words(session, "support", after=after, most=2)
        added.append(batch.added)
        if batch.last is None:
            break
        after = batch.last
    assert added == [2, 2, 1]
