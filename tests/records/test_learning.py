"""Flags become examples, people decide on them, accepted answers become replay."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import conversations, escalations, learning, outbox, outcomes
from records.assistant import Assistant
from records.database import Database
from records.errors import Conflict, Forbidden, InvalidInput
from records.ids import new_id
from records.learning import Judgement, Lesson
from records.messages import Message, Role
from records.states import (
    ConversationState,
    EscalationReason,
    EscalationState,
    ExampleSource,
    ExampleState,
    TurnStatus,
)
from records.tables import Escalation, Example, Flag, OutboxMessage, Outcome, Turn


def a_conversation(database: Database, *, answer: str = "Wrong.") -> tuple[str, str]:
    """A question with its answer; returns the ids of conversation and answer."""
    with database.write() as session:
        asked = conversations.receive(
            session,
            conversations.Arrival(
                assistant="support",
                conversation_id=new_id("conv"),
                content="Where is my card?",
                customer="c-1",
            ),
        )
        answered = conversations.add_turn(
            session,
            Turn(
                conversation_id=asked.conversation_id,
                role=Role.ASSISTANT,
                content=answer,
                version="support-base",
            ),
        )
        return asked.conversation_id, answered.id


def escalated(database: Database) -> tuple[str, str, str]:
    conversation_id, turn_id = a_conversation(database)
    with database.write() as session:
        row = escalations.escalate(
            session,
            conversation_id,
            reason=EscalationReason.CUSTOMER,
            cause="asked for a person",
            turn_id=turn_id,
        )
        return conversation_id, turn_id, row.id


def test_a_flag_with_a_correction_proposes_an_example(database: Database) -> None:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        learning.flag(session, turn_id, agent="U1", judgement=Judgement(correction="In the post."))
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert example.prompt == [{"role": "customer", "content": "Where is my card?"}]
    assert (example.chosen, example.rejected) == ("In the post.", "Wrong.")
    assert example.state is ExampleState.PROPOSED


def test_an_empty_flag_is_kept_but_proposes_nothing(database: Database) -> None:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        learning.flag(session, turn_id, agent="U1", judgement=Judgement())
    with database.read() as session:
        assert len(session.scalars(select(Flag)).all()) == 1
        assert session.scalars(select(Example)).all() == []


def test_the_last_flag_of_an_agent_counts(database: Database) -> None:
    _, turn_id = a_conversation(database)
    for text in ("First.", "Second."):
        with database.write() as session:
            learning.flag(session, turn_id, agent="U1", judgement=Judgement(correction=text))
    with database.read() as session:
        states = {e.chosen: e.state for e in session.scalars(select(Example))}
        assert len(session.scalars(select(Flag)).all()) == 2
    assert states == {"First.": ExampleState.SUPERSEDED, "Second.": ExampleState.PROPOSED}


def test_only_answers_can_be_flagged(database: Database) -> None:
    conversation_id, _ = a_conversation(database)
    with database.write() as session:
        question = conversations.history(session, conversation_id)[0]
        with pytest.raises(InvalidInput, match="Only the assistant's answers"):
            learning.flag(session, question.id, agent="U1", judgement=Judgement())


def test_an_example_is_decided_once(database: Database) -> None:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        learning.flag(session, turn_id, agent="U1", judgement=Judgement(correction="Right."))
        example_id = session.scalars(select(Example.id)).one()
        learning.decide(session, example_id, approve=True, actor="U2")
        learning.decide(session, example_id, approve=True, actor="U3")
        with pytest.raises(Conflict, match="already approved by <@U2>"):
            learning.decide(session, example_id, approve=False, actor="U3")
        assert [e.decided_by for e in learning.approved(session, "support")] == ["U2"]


def test_escalating_twice_is_one_escalation(database: Database) -> None:
    conversation_id, _, first = escalated(database)
    with database.write() as session:
        again = escalations.escalate(
            session, conversation_id, reason=EscalationReason.MODEL, cause="again"
        )
        assert again.id == first
        assert again.reason is EscalationReason.CUSTOMER
    with database.read() as session:
        kinds = list(session.scalars(select(OutboxMessage.kind)))
    assert kinds == [outbox.Kind.ESCALATION_OPENED, *[outbox.Kind.TURN_ADDED] * 2]


def test_only_the_owner_speaks_to_the_customer(database: Database) -> None:
    conversation_id, _, escalation_id = escalated(database)
    with database.write() as session:
        with pytest.raises(Forbidden):
            escalations.reply(session, escalation_id, agent="U1", content="x", source_key="s:1")
        escalations.take_over(session, escalation_id, agent="U1")
        with pytest.raises(Conflict, match="<@U1> has already"):
            escalations.take_over(session, escalation_id, agent="U2")
        with pytest.raises(Forbidden):
            escalations.reply(session, escalation_id, agent="U2", content="x", source_key="s:2")
        for _ in range(2):  # Slack delivers some events twice
            escalations.reply(
                session, escalation_id, agent="U1", content="Posted.", source_key="s:3"
            )
        turns = conversations.history(session, conversation_id)
        assert [t.content for t in turns] == ["Where is my card?", "Wrong.", "Posted."]
        conversation = conversations.get(session, conversation_id)
        assert conversation.state is ConversationState.WITH_AGENT


def test_resolving_gives_the_conversation_back_and_proposes_the_reply(database: Database) -> None:
    conversation_id, _, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        escalations.reply(session, escalation_id, agent="U1", content="Posted.", source_key="s:1")
        escalations.resolve(session, escalation_id, agent="U1")
        with pytest.raises(Conflict, match="resolved already"):
            escalations.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        example = session.scalars(select(Example)).one()
        assert (example.source, example.chosen) == (ExampleSource.REPLY, "Posted.")
        assert example.rejected == "Wrong."
        assert conversations.get(session, conversation_id).state is ConversationState.RESOLVED
        assert session.scalars(select(Outcome.metric)).all() == ["handle_minutes"]
        assert session.scalars(select(Escalation.state)).all() == [EscalationState.RESOLVED]


def test_a_reply_after_a_flag_with_correction_makes_no_second_example(database: Database) -> None:
    _, turn_id, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        escalations.reply(session, escalation_id, agent="U1", content="Posted.", source_key="s:1")
        learning.flag(session, turn_id, agent="U1", judgement=Judgement(correction="Better."))
        escalations.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        assert session.scalars(select(Example.chosen)).all() == ["Better."]


def test_only_accepted_unflagged_answers_become_replay(database: Database) -> None:
    accepted, _ = a_conversation(database, answer="Good.")
    flagged, turn_id = a_conversation(database, answer="Flagged.")
    a_conversation(database, answer="Nobody said anything.")
    with database.write() as session:
        for conversation_id in (accepted, flagged):
            for _ in range(2):
                report_accepted(session, conversation_id, value=1, key=f"o:{conversation_id}")
        learning.flag(session, turn_id, agent="U1", judgement=Judgement())
    with database.write() as session:
        assert learning.collect_accepted(session, "support") == 1
    with database.write() as session:
        assert learning.collect_accepted(session, "support") == 0
        assert [e.chosen for e in learning.approved(session, "support")] == ["Good."]


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
        assert learning.collect_accepted(session, "support") == 1
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert (example.chosen, example.should_escalate) == ("Of course.", True)
    assert [m["content"] for m in example.prompt] == [
        "Where is my card?",
        "Not that helpful.",
        "A person, please.",
    ]


def test_importing_twice_adds_once(database: Database, assistant: Assistant) -> None:
    lesson = Lesson(prompt=[Message(Role.CUSTOMER, "Hi")], chosen="Hello.")
    with database.write() as session:
        added = [
            learning.add_imported(
                session, lesson, assistant=assistant.name, key="import:1", approved=True, actor="me"
            )
            for _ in range(2)
        ]
    assert added == [True, False]


def accept(database: Database, conversation_id: str, *, value: float, key: str) -> None:
    with database.write() as session:
        report_accepted(session, conversation_id, value=value, key=key)


def report_accepted(session: Session, conversation_id: str, *, value: float, key: str) -> None:
    conversation = conversations.get(session, conversation_id)
    outcomes.report(
        session, outcomes.of(conversation, key=key, metric=learning.ACCEPTED, value=value)
    )


def say(database: Database, conversation_id: str, role: Role, text: str, **facts: object) -> Turn:
    with database.write() as session:
        return conversations.add_turn(
            session, Turn(conversation_id=conversation_id, role=role, content=text, **facts)
        )


def replayed(database: Database) -> list[str]:
    with database.write() as session:
        learning.collect_accepted(session, "support")
    with database.read() as session:
        return [example.chosen for example in learning.approved(session, "support")]


def test_an_answer_that_a_person_had_to_mend_is_not_replayed(database: Database) -> None:
    conversation_id, _, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        escalations.reply(session, escalation_id, agent="U1", content="Posted.", source_key="s:1")
        escalations.resolve(session, escalation_id, agent="U1")
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


def test_a_reply_answers_what_led_to_the_escalation_not_the_small_talk_after_it(
    database: Database,
) -> None:
    conversation_id, _, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
    say(database, conversation_id, Role.CUSTOMER, "Hello?")
    say(database, conversation_id, Role.ASSISTANT, "Passed on.", status=TurnStatus.FALLBACK)
    with database.write() as session:
        escalations.reply(session, escalation_id, agent="U1", content="Posted.", source_key="s:1")
        escalations.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert [m["content"] for m in example.prompt] == ["Where is my card?"]
    assert (example.rejected, example.chosen) == ("Wrong.", "Posted.")


def test_a_reply_after_the_engine_failed_corrects_no_earlier_answer(database: Database) -> None:
    conversation_id, _ = a_conversation(database, answer="Good.")
    say(database, conversation_id, Role.CUSTOMER, "And my PIN?")
    failed = say(database, conversation_id, Role.ASSISTANT, "Sorry.", status=TurnStatus.FALLBACK)
    with database.write() as session:
        escalation = escalations.escalate(
            session,
            conversation_id,
            reason=EscalationReason.ENGINE,
            cause="down",
            turn_id=failed.id,
        )
        escalations.take_over(session, escalation.id, agent="U1")
        escalations.reply(session, escalation.id, agent="U1", content="In the app.", source_key="s")
        escalations.resolve(session, escalation.id, agent="U1")
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert [m["content"] for m in example.prompt] == ["Where is my card?", "Good.", "And my PIN?"]
    assert example.rejected is None
