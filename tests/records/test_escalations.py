"""Who has a conversation: told to its customer, and held against others who act at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import conversations, endings, escalations, events, flags, outbox
from records.conversations import Arrival
from records.database import Database
from records.errors import Conflict, Forbidden
from records.events import Cursor
from records.flags import Judgement
from records.ids import new_id
from records.messages import Role
from records.states import ConversationState, EscalationReason, EscalationState
from records.tables import Audit, Example, OutboxMessage, Outcome, Turn
from tests.records.at_once import at_once

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def begun(database: Database) -> str:
    with database.write() as session:
        arrival = Arrival(assistant="support", conversation_id=new_id("conv"), content="Hello?")
        return conversations.receive(session, arrival).conversation_id


def escalate(session: Session, conversation_id: str) -> str:
    reason = EscalationReason.CUSTOMER
    return escalations.escalate(session, conversation_id, reason=reason, cause="a test").id


def escalated(database: Database) -> tuple[str, str]:
    name = begun(database)
    with database.write() as session:
        return name, escalate(session, name)


def taken(database: Database) -> tuple[str, str]:
    name, escalation = escalated(database)
    with database.write() as session:
        escalations.take_over(session, escalation, agent="U1")
    return name, escalation


def happened(database: Database, name: str) -> list[str]:
    with database.read() as session:
        items = events.since(session, {name: Cursor()}, most=100)
        return [item.kind or (item.said.content if item.said else "?") for item in items]


def shown(database: Database) -> list[str]:
    """The words of turns that are queued for Slack."""
    with database.read() as session:
        ids = session.scalars(
            select(OutboxMessage.subject)
            .where(OutboxMessage.kind == outbox.Kind.TURN_ADDED)
            .order_by(OutboxMessage.id)
        )
        return [conversations.turn(session, turn_id).content for turn_id in ids]


def test_each_change_is_told_once(database: Database) -> None:
    name, escalation = escalated(database)
    with database.write() as session:
        escalate(session, name)
        for _ in range(2):
            escalations.take_over(session, escalation, agent="U1")
        endings.resolve(session, escalation, agent="U1")
    assert happened(database, name) == ["Hello?", "escalated", "taken", "resolved"]


def test_what_is_undone_is_not_told(database: Database) -> None:
    name, escalation = escalated(database)
    with pytest.raises(ZeroDivisionError), database.write() as session:
        escalations.take_over(session, escalation, agent="U1")
        _ = 1 / 0
    assert happened(database, name) == ["Hello?", "escalated"]


def test_handing_back_lets_the_assistant_go_on_and_claims_nothing(database: Database) -> None:
    name, escalation = taken(database)
    with database.write() as session:
        escalations.reply(session, escalation, agent="U1", content="Hm.", source_key="slack:C:1")
        row = endings.hand_back(session, escalation, agent="U1")
        assert row.state is EscalationState.RESOLVED
    with database.read() as session:
        conversation = conversations.get(session, name)
        assert (conversation.state, conversation.owner) == (ConversationState.OPEN, None)
        assert session.scalars(select(Outcome)).all() == []
        assert session.scalars(select(Example)).all() == []
        assert session.scalars(select(Audit.action)).all() == ["take_over", "hand_back"]
    assert happened(database, name)[-1] == "handed_back"
    with database.write() as session:
        assert escalate(session, name) != escalation


@pytest.mark.parametrize("end", [endings.resolve, endings.hand_back])
def test_only_the_owner_ends_an_escalation(database: Database, end: Callable[..., object]) -> None:
    _, escalation = escalated(database)
    with database.write() as session:
        with pytest.raises(Conflict, match="Take this over first"):
            end(session, escalation, agent="U1")
        escalations.take_over(session, escalation, agent="U1")
        with pytest.raises(Forbidden, match="U1"):
            end(session, escalation, agent="U2")
        end(session, escalation, agent="U1")
        with pytest.raises(Conflict, match="already"):
            end(session, escalation, agent="U1")


def test_a_reply_from_another_desk_is_shown_in_the_thread(database: Database) -> None:
    _, escalation = taken(database)
    with database.write() as session:
        for key, text in (("slack:C:1", "from Slack"), ("agent:c:1", "from the console")):
            escalations.reply(session, escalation, agent="U1", content=text, source_key=key)
    assert shown(database) == ["Hello?", "from the console"]
    with database.read() as session:
        relayed = select(OutboxMessage.subject).where(
            OutboxMessage.kind == outbox.Kind.REPLY_WAITING
        )
        (confirmed,) = session.scalars(relayed)
        assert conversations.turn(session, confirmed).content == "from Slack"


def test_a_repeated_reply_is_said_once_even_after_the_end(database: Database) -> None:
    name, escalation = taken(database)

    def reply(content: str = "Posted.") -> str:
        with database.write() as session:
            return escalations.reply(
                session, escalation, agent="U1", content=content, source_key="agent:c:1"
            ).id

    first = reply()
    assert reply() == first
    with database.write() as session:
        endings.resolve(session, escalation, agent="U1")
    assert reply() == first
    with pytest.raises(Conflict, match="other words"):
        reply("Something else.")
    assert happened(database, name).count("Posted.") == 1


def test_typing_is_noted_every_few_seconds_and_by_the_owner_only(database: Database) -> None:
    name, escalation = taken(database)

    def typing(agent: str, *, after: float) -> bool:
        with database.write() as session:
            now = NOW + timedelta(seconds=after)
            return escalations.typing(session, escalation, agent=agent, now=now)

    assert [typing("U1", after=second) for second in range(7)] == [
        True, False, False, True, False, False, True,
    ]  # fmt: skip
    assert typing("U1", after=-3600), "a clock that was set back does not silence anybody"
    with pytest.raises(Forbidden):
        typing("U2", after=100)
    assert happened(database, name).count("typing") == 4


def test_two_agents_at_once_do_not_both_get_a_conversation(database: Database) -> None:
    name, escalation = escalated(database)
    with pytest.raises(Conflict, match="U1"):
        at_once(
            database,
            lambda session: escalations.take_over(session, escalation, agent="U1"),
            lambda session: escalations.take_over(session, escalation, agent="U2"),
        )
    with database.read() as session:
        assert conversations.get(session, name).owner == "U1"
    assert happened(database, name).count("taken") == 1


def test_escalating_twice_at_once_is_one_escalation(database: Database) -> None:
    name = begun(database)
    first: list[str] = []
    second = at_once(
        database,
        lambda session: first.append(escalate(session, name)),
        lambda session: escalate(session, name),
    )
    assert [second] == first
    assert happened(database, name) == ["Hello?", "escalated"]


def _say(session: Session, name: str) -> None:
    said = Turn(conversation_id=name, role=Role.CUSTOMER, content="And?")
    conversations.add_turn(session, said)


@pytest.mark.parametrize("turn_first", [True, False])
def test_a_turn_that_is_written_at_the_moment_of_escalation_reaches_the_thread_once(
    database: Database, turn_first: bool
) -> None:
    name = begun(database)
    acts: list[Callable[[Session], object]] = [
        lambda session: _say(session, name),
        lambda session: escalate(session, name),
    ]
    first, second = acts if turn_first else acts[::-1]
    at_once(database, first, second)
    assert shown(database) == ["Hello?", "And?"]


def test_a_reply_at_the_moment_of_the_customers_turn_loses_neither(database: Database) -> None:
    name, escalation = taken(database)
    at_once(
        database,
        lambda session: _say(session, name),
        lambda session: escalations.reply(
            session, escalation, agent="U1", content="Here I am.", source_key="agent:c:1"
        ),
    )
    assert happened(database, name)[-2:] == ["And?", "Here I am."]


def test_a_flag_asks_for_a_person_where_none_has_seen_the_conversation(database: Database) -> None:
    conversation_id = begun(database)
    with database.write() as session:
        answer = Turn(conversation_id=conversation_id, role=Role.ASSISTANT, content="Sure.")
        answer_id = conversations.add_turn(session, answer).id
    found = []
    for should_escalate in (False, True, True):
        judgement = Judgement(should_escalate=should_escalate)
        with database.write() as session:
            flag = flags.add(session, answer_id, agent="U1", judgement=judgement)
            found.append(escalations.escalate_flagged(session, flag))
    assert (found[0], found[2]) == (None, None)
    assert found[1] is not None
    assert (found[1].reason, found[1].turn_id) == (EscalationReason.FLAG, answer_id)
    assert "U1" in found[1].cause
