"""What colleagues ask versions: recorded once, apart from customers, found again if lost."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import (
    asking,
    conversations,
    escalations,
    experiments,
    flags,
    judgements,
    outbox,
    replay,
    trial_answers,
    versions,
)
from records.assistant import Assistant
from records.conversations import Arrival
from records.database import Database
from records.errors import Conflict
from records.ids import utc_now
from records.judgements import Better
from records.messages import Message, Role
from records.outbox import Kind
from records.states import EscalationReason, OutboxState, VersionState
from records.tables import Audit, Conversation, Escalation, Example, Outcome, Turn, Version
from tests.conftest import install

THREAD = asking.Thread("D0ANN", "1.000001")
BASE, NEW = "support-base", "support-3f9c2a71d0e4"


@pytest.fixture
def store(database: Database, assistant: Assistant) -> Database:
    base = install(database, assistant)
    with database.write() as session:
        versions.register(
            session,
            Version(
                id=NEW,
                assistant="support",
                base_model="some/base",
                base_hash=base.base_hash,
                state=VersionState.TRAINED,
            ),
        )
    return database


def asked(
    session: Session,
    words: str = "Where is my card?",
    *,
    of: tuple[str, ...] = (BASE,),
    ts: str = "1.000001",
    about: str | None = None,
) -> list[Turn]:
    return asking.ask(session, asking.Asked(THREAD, ts, "U0ANN", "support", of, words, about=about))


def answered(session: Session, question: Turn, words: str = "Here.") -> Turn:
    version = conversations.get(session, question.conversation_id).version
    return trial_answers.answer(session, question.id, content=words, version=version)[0]


def shown(session: Session, answer: Turn, ts: str = "2.000001") -> None:
    trial_answers.show(session, answer.id, state=OutboxState.SENT, ts=ts)


def kinds(session: Session) -> list[str]:
    return [row.kind for row in outbox.due(session)]


def test_a_thread_is_one_conversation_with_each_version_and_goes_on(store: Database) -> None:
    with store.write() as session:
        first = asked(session)[0]
        answered(session, first)
        second = asked(session, "And my PIN?", ts="1.000002")[0]
        assert second.conversation_id == first.conversation_id
        conversation = conversations.get(session, first.conversation_id)
        assert (conversation.trial, conversation.key, conversation.customer) == (True, None, None)
        assert asking.said_before(session, second) == (
            Message(Role.CUSTOMER, "Where is my card?"),
            Message(Role.ASSISTANT, "Here."),
        )
        assert asking.going_on(session, THREAD) == [BASE]
        other = asked(session, of=(NEW,), ts="1.000003")[0]
        assert asking.said_before(session, other) == ()
        assert asking.going_on(session, THREAD) == [NEW]


def test_an_answer_that_comes_late_stands_behind_its_own_question(store: Database) -> None:
    with store.write() as session:
        first, second = asked(session)[0], asked(session, "And my PIN?", ts="1.000002")[0]
        assert asking.said_before(session, second) == ()  # nothing was answered yet
        answered(session, second, "In the app.")
        answered(session, first, "On its way.")
        said = [t.content for t in conversations.history(session, first.conversation_id)]
    assert said == ["Where is my card?", "On its way.", "And my PIN?", "In the app."]


def test_an_answer_is_recorded_and_shown_once(store: Database) -> None:
    with store.write() as session:
        question = asked(session)[0]
        answer = answered(session, question)
        again, is_new = trial_answers.answer(session, question.id, content="No.", version=BASE)
        assert (again.id, is_new) == (answer.id, False)
        for ts in ("2.000001", "2.000002"):
            shown(session, answer, ts)
        row = outbox.message_of(session, Kind.TURN_ADDED, answer.id)
        assert row is not None
        assert (row.channel, row.ts, row.key) == (
            "D0ANN",
            "2.000001",
            trial_answers.shown_key(answer.id),
        )


def test_what_was_said_before_an_answer_was_noted_is_shown_with_it(store: Database) -> None:
    with store.write() as session:
        quiet, loud = (answered(session, asked(session, ts=f"1.00000{i}")[0]) for i in (1, 2))
        judgements.like(session, loud.id, user="U0ANN")
        for answer in (quiet, loud):
            shown(session, answer, f"2.{answer.id[-6:]}")
        keys = {row.key for row in outbox.due(session)}
    assert f"turn_changed:{loud.id}:shown" in keys
    assert f"turn_changed:{quiet.id}:shown" not in keys


def test_which_of_two_is_shown_first_says_nothing_and_stays(store: Database) -> None:
    orders = {
        tuple(asking.in_order((BASE, NEW), asking.Thread("D0ANN", f"{i}.000001")))
        for i in range(40)
    }
    assert orders == {(BASE, NEW), (NEW, BASE)}
    assert asking.in_order((NEW, BASE), THREAD) == asking.in_order((BASE, NEW), THREAD)


def test_two_answers_are_judged_blind_once_and_by_the_order_shown(store: Database) -> None:
    with store.write() as session:
        first, second = asked(session, of=(BASE, NEW))
        answers = [answered(session, one) for one in (first, second)]
        shown(session, answers[0])
        assert Kind.COMPARISON_READY not in kinds(session)
        shown(session, answers[1], "2.000002")
        assert kinds(session) == [Kind.COMPARISON_READY]
        assert judgements.is_blind(session, first)
        judgements.judge(session, first.id, Better.SECOND, user="U0ANN")
        judgements.judge(session, first.id, Better.SECOND, user="U0ANN")
        with pytest.raises(Conflict, match="<@U0ANN> has judged"):
            judgements.judge(session, first.id, Better.FIRST, user="U0BEN")
        noted = session.scalars(select(Audit).where(Audit.action == "compare_answers")).one()
        assert noted.detail["better"] == "second"
        assert noted.detail["turns"] == [answer.id for answer in answers]
        assert noted.detail["versions"] == [answer.version for answer in answers]
        assert not judgements.is_blind(session, second)
        assert kinds(session).count(Kind.TURN_CHANGED) == 2
        later = asked(session, "And?", of=(BASE, NEW), ts="1.000009")
        assert not judgements.is_blind(session, later[0])


def test_what_was_not_answered_is_told_once_and_can_be_asked_again(store: Database) -> None:
    with store.write() as session:
        question = asked(session)[0]
        with pytest.raises(Conflict):
            trial_answers.ask_again(session, question.id, user="U0ANN")
        for _ in range(2):
            trial_answers.fail(session, question.id, reason="The engine is down.")
        assert kinds(session) == [Kind.QUESTION_UNANSWERED]
        trial_answers.ask_again(session, question.id, user="U0BEN")
        assert trial_answers.asked_again_by(session, question.id, times=0) == "U0BEN"
        with pytest.raises(Conflict):
            trial_answers.ask_again(session, question.id, user="U0ANN")
        trial_answers.fail(session, question.id, reason="Again.")
        assert kinds(session).count(Kind.QUESTION_UNANSWERED) == 2
        answered(session, question)
        with pytest.raises(Conflict):
            trial_answers.ask_again(session, question.id, user="U0ANN")


def test_what_a_dead_bot_left_behind_is_found_by_its_age(store: Database) -> None:
    with store.write() as session:
        question, other = asked(session)[0], asked(session, ts="1.000002")[0]
        answer = answered(session, other)
    now = utc_now()
    with store.write() as session:
        window = {"since": now - timedelta(hours=1), "before": now + timedelta(seconds=1)}
        assert trial_answers.lost(session, **window) == [question.id]
        assert trial_answers.unshown(session, **window) == [answer.id]
        earlier = {"since": now - timedelta(hours=1), "before": now - timedelta(minutes=1)}
        assert trial_answers.lost(session, **earlier) == []
        assert trial_answers.unshown(session, **earlier) == []
        trial_answers.fail(session, question.id, reason="Stopped.")
        trial_answers.show(session, answer.id, state=OutboxState.SENDING)
        assert trial_answers.lost(session, **window) == []
        assert trial_answers.unshown(session, **window) == []
        trial_answers.ask_again(session, question.id, user="U0ANN")
        assert trial_answers.lost(session, since=window["since"], before=now) == []  # just asked
        later = {"since": now - timedelta(hours=1), "before": now + timedelta(minutes=9)}
        assert trial_answers.lost(session, **later) == [question.id]


def test_a_colleagues_conversation_is_never_escalated_and_counts_nowhere(store: Database) -> None:
    with store.write() as session:
        question = asked(session)[0]
        answer = answered(session, question)
        flag = flags.add(
            session,
            answer.id,
            agent="U0ANN",
            judgement=flags.Judgement(correction="Five days.", should_escalate=True),
        )
        assert escalations.escalate_flagged(session, flag) is None
        with pytest.raises(Conflict, match="no customer waits"):
            escalations.escalate(
                session, question.conversation_id, reason=EscalationReason.CUSTOMER, cause="?"
            )
        assert session.scalars(select(Escalation)).all() == []
        example = session.scalars(select(Example)).one()
        assert (example.customer, example.prompt[-1]["content"]) == (None, "Where is my card?")
        answer.experiment, answer.arm = "exp_1", "a"
        session.add(
            Outcome(
                key="o",
                assistant="support",
                conversation_id=question.conversation_id,
                metric="accepted",
                value=1.0,
            )
        )
        session.flush()
        assert replay.collect_words(session, "support").added == 0
        running = experiments.start(
            session, "support", [experiments.Side("a", BASE, 0.5)], actor="U0ANN"
        )
        answer.experiment = running.id
        session.flush()
        assert experiments.tally(session, running) == [experiments.Tally("a", 0, 0)]


def escalation(session: Session) -> str:
    arrival = Arrival("support", "conv_1", "Where is my card?", customer="customer-7")
    conversations.receive(session, arrival)
    said = conversations.add_turn(
        session,
        Turn(conversation_id="conv_1", role=Role.ASSISTANT, content="Wait.", version=BASE),
    )
    return escalations.escalate(
        session, "conv_1", reason=EscalationReason.MODEL, cause="?", turn_id=said.id
    ).id


def test_a_draft_answers_the_customers_last_words_in_a_conversation_of_its_own(
    store: Database,
) -> None:
    with store.write() as session:
        about = escalation(session)
        draft = asked(session, "", about=about)[0]
        assert (draft.content, asking.said_before(session, draft)) == ("Where is my card?", ())
        assert asking.about(session, draft) == about
        with_words = asked(session, "What documents are needed?", about=about, ts="1.000002")[0]
        assert asking.said_before(session, with_words) == (
            Message(Role.CUSTOMER, "Where is my card?"),
            Message(Role.ASSISTANT, "Wait."),
        )
        drafts = session.scalars(select(Conversation).where(Conversation.trial)).all()
        assert [c.customer for c in drafts] == ["customer-7", "customer-7"]
        assert len(conversations.history(session, "conv_1")) == 2
