"""Turns written many at a time, on both kinds of database."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from records import conversations, endings, escalations
from records.assistant import Assistant
from records.database import Database
from records.ids import new_id
from records.messages import Role
from records.outbox import Kind
from records.states import ConversationState, EscalationReason, TurnStatus
from records.tables import Conversation, Escalation, OutboxMessage, Turn
from serving.turn_log import Entry, Recorded, dumped, loaded, stamp, write_all, write_alone
from tests.conftest import install


@pytest.fixture(autouse=True)
def _installed(database: Database, assistant: Assistant) -> None:
    install(database, assistant)


def turn(
    conversation: str, content: str, *, position: int | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "id": new_id("turn"), "conversation_id": conversation, "position": position,
        "role": Role.CUSTOMER, "content": content, "created_at": stamp(),
        "status": TurnStatus.COMPLETE, "handed_over": False, **more,
    }  # fmt: skip


def begun(conversation: str, *contents: str, key: str | None = None) -> Entry:
    started = {
        "id": conversation, "assistant": "support", "key": key, "customer": "ann",
        "state": ConversationState.OPEN, "version": "support-base", "experiment": None,
        "created_at": stamp(),
    }  # fmt: skip
    turns = tuple(turn(conversation, c, position=i) for i, c in enumerate(contents))
    return Entry(conversation, turns, started=started)


def write(database: Database, *entries: Entry) -> list[Recorded]:
    with database.transaction() as connection:
        return write_all(connection, entries)


def alone(database: Database, entry: Entry) -> Recorded:
    with database.write() as session:
        return write_alone(session, entry)


def said(database: Database, conversation: str) -> list[str]:
    with database.read() as session:
        return [t.content for t in conversations.history(session, conversation)]


def test_a_row_comes_back_as_it_was_given(database: Database) -> None:
    given = turn(
        "conv_1", "It's “here”\n\\ 100 %", position=0, role=Role.ASSISTANT, handed_over=True,
        status=TurnStatus.FALLBACK, withheld="secret", version="support-base", experiment="exp_1",
        arm="b", finish_reason="stop", first_token_ms=1.5, duration_ms=20.25, prompt_tokens=7,
        completion_tokens=3, mean_logprob=-0.125,
    )  # fmt: skip
    write(database, Entry("conv_1", (given,), started=begun("conv_1").started))
    with database.read() as session:
        row = session.get_one(Turn, given["id"])
        conversation = session.get_one(Conversation, "conv_1")
    for name, value in given.items():
        if name != "created_at":
            assert getattr(row, name) == value, name
    assert row.created_at.isoformat(" ").startswith(given["created_at"])
    assert (conversation.customer, conversation.state) == ("ann", ConversationState.OPEN)
    assert row.author is None


def test_a_turn_of_a_known_conversation_takes_the_next_position(database: Database) -> None:
    write(database, begun("conv_1", "a", "b"), begun("conv_2", "x"))
    recorded = write(
        database, Entry("conv_1", (turn("conv_1", "c"),)), Entry("conv_2", (turn("conv_2", "y"),))
    )
    assert [r.position for r in recorded] == [2, 1]
    assert said(database, "conv_1") == ["a", "b", "c"]


def test_a_conflict_keeps_nothing_and_each_can_be_written_alone(database: Database) -> None:
    first, second = begun("conv_1", "one", key="mine"), begun("conv_2", "two", key="mine")
    with pytest.raises(IntegrityError):
        write(database, first, second)
    assert said(database, "conv_1") == []
    assert alone(database, first).conversation_id == "conv_1"
    moved = alone(database, second)
    assert (moved.conversation_id, moved.position) == ("conv_1", 1)
    assert said(database, "conv_1") == ["one", "two"]


def test_an_entry_that_is_written_twice_counts_once(database: Database) -> None:
    entries = [begun("conv_1", "a", "b"), Entry("conv_1", (turn("conv_1", "c"),))]
    for entry in [*entries, *entries]:
        assert alone(database, loaded(dumped(entry))).conversation_id == "conv_1"
    assert said(database, "conv_1") == ["a", "b", "c"]


def test_an_entry_can_bring_an_escalation_with_its_message_for_slack(database: Database) -> None:
    write(database, begun("conv_1", "help"))
    answer = turn("conv_1", "One moment.", role=Role.ASSISTANT)
    why = {"reason": EscalationReason.MODEL, "cause": "asked", "turn_id": answer["id"]}
    (recorded,) = write(database, Entry("conv_1", (answer,), escalation=why))
    with database.read() as session:
        escalation = session.get_one(Escalation, recorded.escalation_id)
        shown = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    assert (escalation.reason, escalation.turn_id) == (EscalationReason.MODEL, answer["id"])
    assert [m.kind for m in shown] == [Kind.ESCALATION_OPENED, Kind.TURN_ADDED, Kind.TURN_ADDED]


def test_an_escalation_that_was_resolved_is_not_opened_again_by_a_repeated_entry(
    database: Database,
) -> None:
    write(database, begun("conv_1", "help"))
    answer = turn("conv_1", "One moment.", role=Role.ASSISTANT)
    why = {"reason": EscalationReason.MODEL, "cause": "asked", "turn_id": answer["id"]}
    entry = Entry("conv_1", (answer,), escalation=why)
    escalation_id = alone(database, entry).escalation_id
    assert escalation_id is not None
    with database.write() as session:
        escalations.take_over(session, escalation_id, agent="U1")
        endings.resolve(session, escalation_id, agent="U1")
    alone(database, entry)
    with database.read() as session:
        assert len(session.scalars(select(Escalation)).all()) == 1


def test_turns_after_an_escalation_go_to_its_thread_once(database: Database) -> None:
    write(database, begun("conv_1", "help"), begun("conv_2", "hello"))
    with database.write() as session:
        escalations.escalate(session, "conv_1", reason=EscalationReason.CUSTOMER, cause="asked")
    later = turn("conv_1", "still there?")
    write(database, Entry("conv_1", (later,)), Entry("conv_2", (turn("conv_2", "and?"),)))
    with database.read() as session:
        about = session.scalars(
            select(OutboxMessage.subject).where(OutboxMessage.kind == Kind.TURN_ADDED)
        ).all()
    assert len(about) == 2
    assert about[-1] == later["id"]


def test_what_changes_of_a_conversation_is_changed(database: Database) -> None:
    write(database, begun("conv_1", "a"))
    changed = {"customer": "bob", "version": "support-2", "experiment": "exp_2"}
    write(database, Entry("conv_1", (turn("conv_1", "b"),), changed=changed))
    with database.read() as session:
        row = session.get_one(Conversation, "conv_1")
    assert (row.customer, row.version, row.experiment) == ("bob", "support-2", "exp_2")


@pytest.mark.parametrize("taken", [False, True])
def test_an_answer_that_nobody_has_read_gives_way_to_an_agent_who_has_taken_over(
    database: Database, taken: bool
) -> None:
    write(database, begun("conv_1", "help"))
    with database.write() as session:
        escalation = escalations.escalate(
            session, "conv_1", reason=EscalationReason.CUSTOMER, cause="asked"
        )
        if taken:
            escalations.take_over(session, escalation.id, agent="U1")
    answer = turn("conv_1", "On Monday.", role=Role.ASSISTANT, version="support-base")
    instead = {"content": "Passed on.", "withheld": "On Monday.", "version": None}
    (recorded,) = write(database, Entry("conv_1", (answer,), if_taken=instead))
    assert recorded.gave_way is taken
    with database.read() as session:
        row = session.get_one(Turn, answer["id"])
    wanted = ("Passed on.", "On Monday.", None) if taken else ("On Monday.", None, "support-base")
    assert (row.content, row.withheld, row.version) == wanted


def test_what_waits_in_a_journal_was_read_and_gives_way_to_nobody() -> None:
    entry = Entry("conv_1", (turn("conv_1", "Yes."),), if_taken={"content": "no"})
    assert loaded(dumped(entry)).if_taken is None
