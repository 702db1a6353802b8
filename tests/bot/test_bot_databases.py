"""The bot on SQLite and on PostgreSQL, and while either is slow."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.desk import Desk
from bot.incoming.deliveries import first_time, forget_old, was_noted
from bot.standin.people import Person
from bot.text import storable
from records import escalations, examples
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import Conflict
from records.ids import utc_now
from records.messages import Role
from records.tables import Flag, SlackEvent
from tests.bot.office import CHANNEL, Office, fill, found, found_in_thread, offering, saying
from tests.conftest import install
from tests.serving.running_gateway import until


@pytest.fixture
async def office_on_each(
    database: Database, assistant: Assistant, artifacts: Artifacts, tmp_path: Path
) -> AsyncIterator[Office]:
    install(database, assistant)
    office = Office(database, assistant, artifacts, tmp_path)
    async with office.open():
        yield office


async def test_the_whole_story_on_each_database(office_on_each: Office) -> None:
    office = office_on_each
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    await ann.click(CHANNEL, card["ts"], "take_over")
    await found(ann, saying("speaks with the customer"))
    sent = await ann.reply(CHANNEL, card["ts"], "It comes on Monday.")
    await ann.repeat_delivery(sent["event_id"])
    await found_in_thread(ann, card["ts"], lambda m: m.get("reactions"))
    await ann.click(CHANNEL, card["ts"], "resolve")
    await fill(ann, {})
    example = await found_in_thread(ann, card["ts"], offering("approve_example"))
    await ann.click(CHANNEL, example["ts"], "approve_example")
    await found_in_thread(ann, card["ts"], saying("Approved by <@U0ANN>"))
    assert [t.content for t in office.turns() if t.role is Role.AGENT] == ["It comes on Monday."]
    with office.database.read() as session:
        assert len(examples.approved(session, "support")) == 1


async def test_of_agents_who_take_over_at_once_one_has_it(office_on_each: Office) -> None:
    escalation, _ = office_on_each.escalated()
    desk = office_on_each.desk
    tries = [_take_over(desk, escalation, f"U0A{number}") for number in range(6)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 5


async def _take_over(desk: Desk, escalation: str, agent: str) -> None:
    await desk.write(lambda session: escalations.take_over(session, escalation, agent=agent))


async def test_a_slow_database_delays_the_form_but_not_the_acknowledgement(
    office: Office,
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    with office.database.write() as session:
        session.execute(text("SELECT 1"))  # from here on nobody else can write
        await ann.click(CHANNEL, answer["ts"], "flag_answer")
        await ann.wait_for(lambda: _shows(ann, "Saving your flag"))
    await ann.wait_for(lambda: _shows(ann, "correction"))
    with office.database.read() as session:
        assert len(list(session.scalars(select(Flag)))) == 1


async def _shows(person: Person, words: str) -> bool:
    return words in str(await person.open_view())


HOSTILE = ["nul \x00 here", "half \ud800 here"]


@pytest.mark.parametrize("words", HOSTILE)
async def test_characters_that_no_database_keeps_are_left_out_wherever_they_come_in(
    office_on_each: Office, words: str
) -> None:
    office = office_on_each
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    sent = await ann.reply(CHANNEL, card["ts"], words)
    assert (await office.said(sent["ts"])).content == storable(words)
    await ann.edit(CHANNEL, sent["ts"], f"{words}!")
    answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    await ann.click(CHANNEL, answer["ts"], "flag_answer")
    assert await fill(ann, {"reason": "wrong", "correction": words, "note": words}) == {}
    await found_in_thread(ann, card["ts"], saying("Flagged by <@U0ANN>: wrong"))
    with office.database.read() as session:
        saved = [(f.correction, f.note) for f in session.scalars(select(Flag)) if f.correction]
    assert saved == [(storable(words), storable(words))]

    def relayed() -> list[str]:
        return [turn.content for turn in office.turns() if turn.role is Role.AGENT]

    assert await until(lambda: relayed() == [f"{storable(words)}!"])


def test_what_people_were_told_is_remembered_longer_than_deliveries(database: Database) -> None:
    with database.write() as session:
        for days, keys in ((8, ("Ev1", "hint:a", "opening:U1")), (500, ("hint:b", "opening:U2"))):
            at = utc_now() - timedelta(days=days)
            session.add_all(SlackEvent(id=key, received_at=at) for key in keys)
    with database.write() as session:
        forget_old(session)
        kept = [key for key in ("Ev1", "hint:a", "opening:U1", "hint:b") if was_noted(session, key)]
    assert kept == ["hint:a", "opening:U1"]


def test_a_delivery_is_new_once_and_not_where_its_work_was_undone(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        assert first_time(session, "Ev1")
        raise RuntimeError
    with database.write() as session:
        assert [first_time(session, "Ev1"), first_time(session, "Ev1")] == [True, False]
    with database.write() as session:
        forget_old(session)
        assert not first_time(session, "Ev1")
