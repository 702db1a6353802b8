"""Cards by reason and topic in other channels, and everything that belongs to them with them."""

from collections.abc import AsyncIterator

import pytest

from bot.messages.area import channel_of
from bot.outbox.kinds import SUBJECTS, Subject
from bot.routes import routed
from bot.standin.people import text_of
from records import flags, outbox
from records.assistant import SlackOptions, SlackRoute
from records.messages import Role
from records.outbox import Kind
from records.states import EscalationReason
from records.tables import OutboxMessage
from tests.bot.office import CHANNEL, Office, fill, found, found_in_thread, offering, saying

ROUTES = (
    SlackRoute(channel="outages", reasons=(EscalationReason.ENGINE,)),
    SlackRoute(channel="cards", reasons=(EscalationReason.MODEL,), pattern=r"\bcards?\b"),
    SlackRoute(channel="money", pattern="refund|chargeback"),
)


@pytest.mark.parametrize(
    ("reason", "asked", "channel"),
    [
        (EscalationReason.ENGINE, "Where is my card?", "outages"),
        (EscalationReason.MODEL, "Where is my CARD?", "cards"),
        (EscalationReason.MODEL, "Where is my cardigan?", CHANNEL),
        (EscalationReason.CUSTOMER, "My card: refund!", "money"),
        (EscalationReason.CUSTOMER, "", CHANNEL),
        (EscalationReason.CUSTOMER, f"{'x' * 20_000} refund", CHANNEL),
    ],
)
def test_the_first_route_that_fits_names_the_channel(
    reason: EscalationReason, asked: str, channel: str
) -> None:
    assert routed(SlackOptions(routes=ROUTES), reason=reason, asked=asked) == channel


def test_a_pattern_that_takes_too_long_fits_not_and_holds_nobody_up() -> None:
    options = SlackOptions(
        routes=(
            SlackRoute(channel="letters", pattern=r"^(a+)+$"),
            SlackRoute(channel="shouts", pattern="!"),
        )
    )
    asked = f"{'a' * 4_000}!"
    assert routed(options, reason=EscalationReason.MODEL, asked=asked) == "shouts"


@pytest.fixture
async def routed_office(closed_office: Office) -> AsyncIterator[Office]:
    slack = closed_office.assistant.slack.model_copy(update={"routes": ROUTES})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    closed_office.channels = [CHANNEL, "cards", "outages"]
    async with closed_office.open():
        yield closed_office


async def test_a_routed_card_has_its_thread_its_replies_and_its_example_there(
    routed_office: Office,
) -> None:
    routed_office.escalated()
    ann = routed_office.person("U0ANN")
    card = await found(ann, offering("take_over"), channel="cards")
    await ann.click("cards", card["ts"], "take_over")
    await found(ann, saying("<@U0ANN> speaks"), channel="cards")
    sent = await ann.reply("cards", card["ts"], "It is on its way.")
    await routed_office.said(sent["ts"])
    await ann.click("cards", card["ts"], "resolve")
    await fill(ann, {})
    await found(ann, saying("Resolved by"), channel="cards")
    await found_in_thread(ann, card["ts"], offering("approve_example"), channel="cards")
    assert await ann.messages(CHANNEL) == []
    assert [t.content for t in routed_office.turns() if t.role is Role.AGENT]


async def test_a_card_stays_where_it_stands_when_the_routes_change(routed_office: Office) -> None:
    escalation, answer = routed_office.escalated()
    ann = routed_office.person("U0ANN")
    card = await found(ann, offering("take_over"), channel="cards")
    await routed_office.all_sent()
    slack = routed_office.assistant.slack.model_copy(update={"routes": ()})
    routed_office.assistant = routed_office.assistant.model_copy(update={"slack": slack})
    with routed_office.database.write() as session:
        judgement = flags.Judgement(correction="Five days.")
        flag = flags.add(session, answer, agent="U0ANN", judgement=judgement)
        outbox.put(session, Kind.FLAG_FIXED, flag.id)
    with routed_office.database.read() as session:
        rows = session.query(OutboxMessage).all()
        channels = {
            row.kind: channel_of(session, row, routed_office.desk)
            for row in rows
            if SUBJECTS[Kind(row.kind)] in (Subject.ESCALATION, Subject.TURN, Subject.FLAG)
        }
    assert len(set(channels.values())) == 1
    assert Kind.FLAG_FIXED in channels
    assert card["ts"]
    assert escalation


async def test_what_is_not_routed_stays_in_the_assistants_channel(routed_office: Office) -> None:
    _, answer = routed_office.ask("Hello?", "Hello.")
    routed_office.escalate(answer)
    ann = routed_office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    assert "Hello?" in text_of(card)
    assert await ann.messages("cards") == []
