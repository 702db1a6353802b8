"""What agents wrote to customers becomes examples."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from records import conversations, endings, escalations, examples, flags, outbox
from records.database import Database
from records.errors import Conflict, Forbidden
from records.flags import Judgement
from records.ids import utc_now
from records.messages import Role
from records.states import (
    ConversationState,
    EscalationReason,
    EscalationState,
    ExampleSource,
    TurnStatus,
)
from records.tables import Escalation, Example, OutboxMessage, Outcome
from tests.records.talks import a_conversation, escalated, say


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
        endings.resolve(session, escalation_id, agent="U1")
        with pytest.raises(Conflict, match="resolved already"):
            endings.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        example = session.scalars(select(Example)).one()
        assert (example.source, example.chosen) == (ExampleSource.REPLY, "Posted.")
        assert example.rejected == "Wrong."
        assert conversations.get(session, conversation_id).state is ConversationState.RESOLVED
        assert set(session.scalars(select(Outcome.metric))) == {
            "handle_minutes",
            "solved_by_person",
        }
        assert session.scalars(select(Escalation.state)).all() == [EscalationState.RESOLVED]


def test_a_reply_after_a_flag_with_correction_makes_no_second_example(database: Database) -> None:
    _, turn_id, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        escalations.reply(session, escalation_id, agent="U1", content="Posted.", source_key="s:1")
        flags.add(session, turn_id, agent="U1", judgement=Judgement(correction="Better."))
        endings.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        assert session.scalars(select(Example.chosen)).all() == ["Better."]


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
        endings.resolve(session, escalation_id, agent="U1")
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
        endings.resolve(session, escalation.id, agent="U1")
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert [m["content"] for m in example.prompt] == ["Where is my card?", "Good.", "And my PIN?"]
    assert example.rejected is None


def test_a_reply_counts_from_its_escalation_on_even_if_the_clock_was_set_back(
    database: Database,
) -> None:
    _, _, escalation_id = escalated(database)
    with database.write() as session:
        escalation = escalations.take_over(session, escalation_id, agent="U1")
        turn = escalations.reply(
            session, escalation_id, agent="U1", content="Posted.", source_key="s:1"
        )
        turn.created_at = escalation.opened_at - timedelta(hours=1)
        endings.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        assert session.scalars(select(Example.chosen)).all() == ["Posted."]


def test_a_reply_that_was_taken_back_teaches_nothing(database: Database) -> None:
    _, _, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        turn = escalations.reply(
            session, escalation_id, agent="U1", content="Oops.", source_key="s"
        )
        turn.content, turn.removed_at = "", utc_now()
        endings.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        assert session.scalars(select(Example)).all() == []


def test_of_several_replies_the_longest_is_proposed_and_not_all_of_them(
    database: Database,
) -> None:
    _, _, escalation_id = escalated(database)
    said = [
        "Hello, I am Ann. Would you please tell me whether you moved lately?",
        "Your card comes on Monday, by post.",
        "Bye!",
    ]
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        for number, words in enumerate(said):
            escalations.reply(
                session, escalation_id, agent="U1", content=words, source_key=f"s:{number}"
            )
        endings.resolve(session, escalation_id, agent="U1")
    with database.read() as session:
        example = session.scalars(select(Example)).one()
        assert example.chosen == said[1]
        assert example.turn_id == conversations.turn_from(session, "s:1").id  # type: ignore[union-attr]


def test_the_words_that_an_agent_wrote_down_are_proposed_in_their_name(database: Database) -> None:
    _, _, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        escalations.reply(session, escalation_id, agent="U1", content="Mmh.", source_key="s:1")
        escalations.take_over(session, escalation_id, agent="U2", instead_of="U1")
        endings.resolve(session, escalation_id, agent="U2", right_answer="By post.")
    with database.read() as session:
        example = session.scalars(select(Example)).one()
    assert (example.chosen, example.created_by) == ("By post.", "U2")


def test_with_four_eyes_nobody_approves_what_they_wrote_though_another_resolved(
    database: Database,
) -> None:
    _, _, escalation_id = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        escalations.reply(session, escalation_id, agent="U1", content="Mine.", source_key="s:1")
        escalations.take_over(session, escalation_id, agent="U2", instead_of="U1")
        endings.resolve(session, escalation_id, agent="U2")
        example = session.scalars(select(Example)).one()
        for actor in ("U1", "U2"):
            with pytest.raises(Forbidden, match="somebody else must approve"):
                examples.decide(session, example.id, approve=True, actor=actor, four_eyes=True)
        examples.decide(session, example.id, approve=True, actor="U3", four_eyes=True)
