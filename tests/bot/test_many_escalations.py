"""Many customers need a person at once: each card comes before anybody's transcript."""

import pytest
from sqlalchemy import select

from bot.standin.people import text_of
from records import conversations, escalations, outbox
from records.database import Database
from records.messages import Role
from records.outbox import Kind
from records.states import EscalationReason
from records.tables import OutboxMessage, Turn
from tests.bot.office import CHANNEL, Office, found, found_in_thread, offering, saying

MANY = 25


def in_order(database: Database) -> list[OutboxMessage]:
    """What waits to be sent, in the order of sending."""
    with database.read() as session:
        rows = {row.id: row for row in session.scalars(select(OutboxMessage))}
        return [rows[row_id] for row_id in outbox.waiting(session)]


def engine_fails(office: Office, key: str) -> str:
    _, answer = office.ask(key=key)
    with office.database.write() as session:
        return escalations.escalate(
            session,
            conversations.turn(session, answer).conversation_id,
            reason=EscalationReason.ENGINE,
            cause="down",
        ).id


def test_all_cards_go_before_all_transcripts_whatever_opened_them(closed_office: Office) -> None:
    opened = [
        closed_office.escalated(key=f"c-{n}")[0] if n % 3 else engine_fails(closed_office, f"c-{n}")
        for n in range(MANY)
    ]
    kinds = [row.kind for row in in_order(closed_office.database)]
    assert kinds == [Kind.ESCALATION_OPENED] * MANY + [Kind.TURN_ADDED] * 2 * MANY
    with closed_office.database.write() as session:
        escalations.take_over(session, opened[-1], agent="U0ANN")
    rows = in_order(closed_office.database)
    first = [row for row in rows if row.kind != Kind.ESCALATION_CHANGED][:3]
    assert [row.kind for row in first] == [Kind.ESCALATION_OPENED, *[Kind.TURN_ADDED] * 2]
    assert first[0].subject == opened[-1]
    assert {row.payload["escalation"] for row in first[1:]} == {opened[-1]}


async def test_in_slack_every_card_stands_before_anybodys_words(closed_office: Office) -> None:
    for number in range(MANY):
        closed_office.escalated(key=f"c-{number}")
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        await office.all_sent()
        cards = await ann.messages(CHANNEL, newest=100)
        threads = [await ann.thread(CHANNEL, card["ts"]) for card in cards]
    assert len(cards) == MANY
    said = [message for thread in threads for message in thread[1:]]
    assert len(said) == 2 * MANY
    assert max(float(card["ts"]) for card in cards) < min(float(m["ts"]) for m in said)
    assert all("Where is my card?" in text_of(thread[1]) for thread in threads)


@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_card_shows_what_the_customer_wrote_since(office: Office, is_taken: bool) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await (office.taken_by(ann) if is_taken else found(ann, offering("take_over")))
    assert "Wrote again" not in text_of(card)
    for words in ("Hello?", "Is anybody there?"):
        with office.database.write() as session:
            conversations.add_turn(
                session, Turn(conversation_id="conv_c-1", role=Role.CUSTOMER, content=words)
            )
    again = await found(ann, saying("Is anybody there?"))
    assert again["ts"] == card["ts"]
    assert "*Wrote again*" in text_of(again)
    await found_in_thread(ann, card["ts"], saying("Is anybody there?"))
