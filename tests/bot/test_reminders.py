"""Nobody takes over: the thread is reminded, then those on call are pinged, in the right words."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.rounds.reminders import patience_of
from bot.standin.people import text_of
from records import escalations, handling, outbox
from records.hours import Hours
from records.ids import utc_now
from records.outbox import Kind
from records.tables import Escalation
from tests.bot.office import CHANNEL, Office, found, found_in_thread, offering, saying


@pytest.fixture
async def watched_office(closed_office: Office) -> AsyncIterator[Office]:
    changes = {"remind_minutes": 10.0, "on_call": "S0ONCALL", "on_call_minutes": 20.0}
    slack = closed_office.assistant.slack.model_copy(update=changes)
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    async with closed_office.open():
        yield closed_office


def waits_since(office: Office, escalation: str, *, minutes: float) -> None:
    at = utc_now() - timedelta(minutes=minutes)
    with office.database.write() as session:
        session.execute(update(Escalation).where(Escalation.id == escalation).values(opened_at=at))


async def test_the_thread_is_reminded_and_then_those_on_call_are_pinged(
    watched_office: Office,
) -> None:
    escalation, _ = watched_office.escalated()
    ann = watched_office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    waits_since(watched_office, escalation, minutes=11)
    await found_in_thread(ann, card["ts"], saying("Nobody has taken this over yet"))
    waits_since(watched_office, escalation, minutes=21)
    ping = await found_in_thread(ann, card["ts"], saying("<!subteam^S0ONCALL>"))
    assert "others" not in text_of(ping)
    await watched_office.all_sent()
    assert len(watched_office.rows(Kind.ESCALATION_REMINDER, Kind.ESCALATION_ON_CALL)) == 2


async def test_who_was_asked_is_named_in_the_reminder(watched_office: Office) -> None:
    escalation, _ = watched_office.escalated()
    ann = watched_office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    with watched_office.database.write() as session:
        handling.assign(session, escalation, agent="U0ANN", assignee="U0BEN")
    waits_since(watched_office, escalation, minutes=11)
    await found_in_thread(ann, card["ts"], saying("<@U0BEN>, you were asked"))


async def test_many_that_wait_since_an_outage_are_one_ping(closed_office: Office) -> None:
    changes = {"on_call": "U0DANA"}
    slack = closed_office.assistant.slack.model_copy(update=changes)
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    waiting = [closed_office.escalated(key=f"c-{n}")[0] for n in range(12)]
    for minutes, escalation in enumerate(reversed(waiting)):
        waits_since(closed_office, escalation, minutes=60 + minutes)
    async with closed_office.open():
        ann = closed_office.person("U0ANN")

        async def pings() -> list[str]:
            heads = await ann.messages(CHANNEL)
            threads = [await ann.thread(CHANNEL, head["ts"]) for head in heads]
            said = [text_of(message) for thread in threads for message in thread[1:]]
            return [words for words in said if "<@U0DANA>" in words]

        found_pings = await ann.wait_for(pings)
        await closed_office.all_sent()
        assert await pings() == found_pings
    (ping,) = found_pings
    assert "others who have waited too long: 11" in ping


async def test_a_reminder_that_came_too_late_is_not_sent(closed_office: Office) -> None:
    escalation, _ = closed_office.escalated()
    waits_since(closed_office, escalation, minutes=11)
    with closed_office.database.write() as session:
        outbox.put(session, Kind.ESCALATION_REMINDER, escalation)
        escalations.take_over(session, escalation, agent="U0ANN")
    async with closed_office.open():
        ann = closed_office.person("U0ANN")
        card = await found(ann, saying("<@U0ANN> speaks"))
        await closed_office.all_sent()
        thread = await ann.thread(CHANNEL, card["ts"])
    assert not any("Nobody has taken" in text_of(message) for message in thread)


def test_an_assistants_file_says_how_long_customers_wait(closed_office: Office) -> None:
    hours = Hours(monday=("09:00-17:00",))
    escalation = closed_office.assistant.escalation.model_copy(update={"hours": hours})
    assistant = closed_office.assistant.model_copy(update={"escalation": escalation})

    def with_slack(**changes: object) -> tuple[timedelta | None, timedelta | None]:
        slack = assistant.slack.model_copy(update=changes)
        patience = patience_of(assistant.model_copy(update={"slack": slack}))
        assert patience.hours is hours
        return patience.remind_after, patience.on_call_after

    assert with_slack() == (timedelta(minutes=10), None)
    assert with_slack(remind_minutes=0, on_call="U0DANA") == (None, timedelta(minutes=20))
