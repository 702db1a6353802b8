"""What an agent says at another desk than Slack stands in the thread, once, and unconfirmed."""

from records import escalations
from records.outbox import Kind
from records.states import OutboxState
from tests.bot.office import Office, found, found_in_thread, offering, saying


async def test_a_reply_from_another_desk_is_shown_in_the_thread(office: Office) -> None:
    ann = office.person("U0ANN")
    escalation, _ = office.escalated()
    card = await found(ann, offering("take_over"))
    with office.database.write() as session:
        escalations.take_over(session, escalation, agent="console-7")
        turn = escalations.reply(
            session, escalation, agent="console-7", content="On its way.", source_key="agent:c:1"
        )
    shown = await found_in_thread(ann, card["ts"], saying("On its way."))
    assert await found_in_thread(ann, card["ts"], saying("console-7"))
    await found(ann, saying("speaks with the customer"))
    assert "reactions" not in shown
    (row,) = [row for row in office.rows(Kind.TURN_ADDED) if row.subject == turn.id]
    assert row.state in (OutboxState.SENT, OutboxState.SENDING)
    assert office.rows(Kind.REPLY_RELAYED) == []
