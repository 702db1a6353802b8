"""What a person entered or pressed outlives a database that is away, and the bot's own death."""

import asyncio

import pytest
from sqlalchemy import select, text

from bot.app import web_client
from bot.attendance import Attendance, Place
from bot.incoming import act
from bot.incoming.inbox import Inbox
from bot.incoming.journal import Event
from bot.standin.people import ActRefused, Person, text_of
from records.database import Database
from records.errors import StorageFull
from records.tables import Flag
from tests.bot.day import Bot
from tests.bot.office import (
    CHANNEL,
    Office,
    found,
    found_in_thread,
    held,
    offering,
    opened_form,
    saying,
    told,
)

CORRECTION = {"reason": "wrong", "correction": "A card takes a week."}


def corrections(office: Office) -> list[str | None]:
    with office.database.read() as session:
        return [c for c in session.scalars(select(Flag.correction).order_by(Flag.id)) if c]


async def at_the_form(ann: Person) -> None:
    """Ann has the form of a flag before her."""
    card = await found(ann, offering("take_over"))
    answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    await ann.click(CHANNEL, answer["ts"], "flag_answer")
    await opened_form(ann, "The right answer")


async def test_a_form_that_was_acknowledged_is_not_lost_with_the_bot(
    closed_office: Office, sqlite: Database
) -> None:
    office, bot = closed_office, Bot(closed_office)
    async with office.slack():
        await bot.start()
        office.escalated()
        ann = office.person("U0ANN")
        await at_the_form(ann)
        with sqlite.write() as session:
            session.execute(text("SELECT 1"))  # from here on nobody else can write
            assert await ann.submit(CORRECTION) == {}
            assert await ann.open_view() is None  # it closed: what was typed is the bot's now
            await bot.kill()
        assert corrections(office) == []
        await bot.start()
        card = await found(ann, offering("take_over"))
        await found_in_thread(ann, card["ts"], lambda m: "Flagged by <@U0ANN>: wrong" in text_of(m))
        await bot.kill()
    assert corrections(office) == ["A card takes a week."]


async def test_a_form_sent_while_the_database_is_away_is_recorded_later_once(
    closed_office: Office, sqlite: Database
) -> None:
    closed_office.database = Database(sqlite.url)
    async with closed_office.open() as office:
        office.escalated()
        ann = office.person("U0ANN")
        await at_the_form(ann)
        with held(sqlite, closed_office.database):
            await ann.submit(CORRECTION)
            notice = await ann.open_view()
            assert notice is not None
            assert "you need not enter it again" in text_of(notice)
        card = await found(ann, offering("take_over"))
        await found_in_thread(ann, card["ts"], lambda m: "Flagged by <@U0ANN>: wrong" in text_of(m))
    assert corrections(office) == ["A card takes a week."]
    closed_office.database.close()


async def test_a_form_that_can_be_neither_kept_nor_done_stays_open(
    office: Office, sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    await at_the_form(ann)
    monkeypatch.setattr("bot.attendance.UNKEPT_SECONDS", 0.1)
    with sqlite.write() as session, monkeypatch.context() as disk:
        session.execute(text("SELECT 1"))
        disk.setattr(Inbox, "hold", full)
        with pytest.raises(ActRefused):
            await ann.submit(CORRECTION)
        assert await ann.open_view() is not None  # with what was typed
    await ann.submit(CORRECTION)
    card = await found(ann, offering("take_over"))
    await found_in_thread(ann, card["ts"], lambda m: "Flagged by <@U0ANN>: wrong" in text_of(m))
    assert corrections(office) == ["A card takes a week."]


async def test_a_press_that_can_be_neither_kept_nor_done_is_not_acknowledged(
    office: Office, sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    monkeypatch.setattr("bot.attendance.UNKEPT_SECONDS", 0.1)
    monkeypatch.setattr(Inbox, "hold", full)
    with sqlite.write() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(ActRefused):
            await ann.click(CHANNEL, card["ts"], "take_over")


async def test_a_form_that_cannot_be_kept_is_acknowledged_when_it_is_done(
    office: Office, sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    await at_the_form(ann)
    refused = asyncio.Event()

    async def full_now(self: Inbox, event: Event) -> None:
        refused.set()
        await full(self, event)

    monkeypatch.setattr(Inbox, "hold", full_now)
    with sqlite.write() as session:
        session.execute(text("SELECT 1"))
        sending = asyncio.create_task(ann.submit(CORRECTION))
        await refused.wait()
    await sending
    assert corrections(office) == ["A card takes a week."]


async def full(self: Inbox, event: Event) -> None:
    raise StorageFull("No space is left.")


async def test_a_form_for_now_is_not_done_later(closed_office: Office, sqlite: Database) -> None:
    closed_office.database = Database(sqlite.url)
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        await ann.slash("/retrain", channel=CHANNEL)
        await opened_form(ann, "submit")
        with held(sqlite, closed_office.database):
            await ann.submit({})
            notice = await ann.open_view()
        assert notice is None or "you need not" not in text_of(notice)
        if notice is None:
            await told(ann, "The database cannot be used now")
    assert office.rows("job_started") == []
    closed_office.database.close()


async def test_a_press_that_was_acknowledged_is_not_lost_with_the_bot(
    closed_office: Office, sqlite: Database
) -> None:
    office, bot = closed_office, Bot(closed_office)
    async with office.slack():
        await bot.start()
        office.escalated()
        ann = office.person("U0ANN")
        card = await found(ann, offering("take_over"))
        with sqlite.write() as session:
            session.execute(text("SELECT 1"))
            await ann.click(CHANNEL, card["ts"], "take_over")
            await bot.kill()
        await bot.start()
        await found(ann, saying("<@U0ANN> speaks with the customer"))
        await bot.kill()


async def test_a_press_of_long_ago_is_not_done_any_more(office: Office) -> None:
    attendance, done = Attendance(clock=lambda: 10_000.0), []

    async def work() -> None:
        done.append(1)

    ann, client = office.person("U0ANN"), web_client(office.bot_settings, "xoxb-standin")
    body = {"type": "block_actions", "user": {"id": "U0ANN"}, "actions": [{"action_ts": "1.0"}]}
    for kept_at in (10_000.0 - 16 * 60, 10_000.0 - 14 * 60):
        act.begin(act.Act(body).event(now=kept_at, lasts=False))
        await attendance.attend(Place(client, "U0ANN", CHANNEL), work())
    assert done == [1]
    await told(ann, "nothing was done")
