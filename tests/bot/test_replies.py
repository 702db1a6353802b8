"""An agent's words on their way to the customer: what goes, what stays internal, what is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.app import web_client
from bot.listeners.retry_reply import retried
from bot.process import Bot
from bot.standin.people import ActRefused, Message, Person, buttons_of, text_of
from records import delivery, endings
from records.assistant import SlackRoute
from records.database import Database
from records.errors import Conflict
from records.ids import utc_now
from records.messages import Role
from records.outbox import Kind
from records.states import EscalationReason
from tests.bot.office import (
    CHANNEL,
    Office,
    found,
    found_in_thread,
    offering,
    saying,
    told,
)

WORDS = "It comes on Monday."


def relayed(office: Office) -> list[str]:
    return [turn.content for turn in office.turns() if turn.role is Role.AGENT]


def marks(message: Message) -> list[str]:
    return [reaction["name"] for reaction in message.get("reactions") or []]


def customer_reads(office: Office, key: str = "c-1") -> None:
    """What the gateway notes when the customer's client has everything."""
    with office.database.write() as session:
        delivery.note(session, {f"conv_{key}": 10_000}, at=utc_now())


async def marked(person: Person, thread: str, ts: str, *names: str) -> Message:
    return await found_in_thread(
        person, thread, lambda m: m["ts"] == ts and marks(m) == list(names)
    )


async def test_a_reply_waits_until_the_customer_has_it(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    sent = await ann.reply(CHANNEL, card["ts"], WORDS)
    await marked(ann, card["ts"], sent["ts"], "hourglass_flowing_sand")
    customer_reads(office)
    await marked(ann, card["ts"], sent["ts"], "white_check_mark")
    assert relayed(office) == [WORDS]


async def test_what_somebody_broadcasts_and_what_bots_write_stays_internal(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await ann._do("reply", channel=CHANNEL, thread_ts=card["ts"], text="Look, all", broadcast=True)
    await told(ann, "also sent to the channel stays internal")
    await ann.reply(CHANNEL, card["ts"], WORDS)
    await office.said((await ann.thread(CHANNEL, card["ts"]))[-1]["ts"])
    assert relayed(office) == [WORDS]


async def test_words_from_before_the_take_over_stay_internal_however_late_they_come(
    office: Office,
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    early = await ann.reply(CHANNEL, card["ts"], "What a fool!")
    await told(ann, "Nobody has taken this over")
    await office.forgets(early["event_id"])
    await office.taken_by(ann)
    await ann.repeat_delivery(early["event_id"])
    await told(ann, "You wrote this before you took over")
    assert relayed(office) == []


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(minutes=-10)])
async def test_clocks_that_differ_keep_no_reply_back_and_let_no_earlier_words_through(
    office: Office, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    for module in ("records.escalations", "records.events"):
        monkeypatch.setattr(f"{module}.utc_now", lambda: utc_now() + ahead)
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    early = await ann.reply(CHANNEL, card["ts"], "What a fool!")
    await told(ann, "Nobody has taken this over")
    await office.forgets(early["event_id"])
    await office.taken_by(ann)
    await ann.repeat_delivery(early["event_id"])
    await told(ann, "You wrote this before you took over")
    reply = await ann.reply(CHANNEL, card["ts"], WORDS)
    await office.said(reply["ts"])
    assert relayed(office) == [WORDS]


@pytest.fixture
def impatient(closed_office: Office, sqlite: Database) -> Iterator[Office]:
    """An office whose database is soon given up on; `sqlite` is another way into it."""
    closed_office.database = Database(sqlite.url, lock_wait_seconds=0.05)
    yield closed_office
    closed_office.database.close()


@contextmanager
def nobody_can_write(database: Database) -> Iterator[Session]:
    with database.write() as session:
        session.execute(text("SELECT 1"))
        yield session


async def test_words_that_come_after_the_end_are_said_to_be_lost(
    impatient: Office, sqlite: Database
) -> None:
    async with impatient.open():
        escalation, _ = impatient.escalated()
        ann = impatient.person("U0ANN")
        card = await impatient.taken_by(ann)
        with nobody_can_write(sqlite) as session:
            await ann.reply(CHANNEL, card["ts"], WORDS)
            await told(ann, "could not be recorded")
            endings.resolve(session, escalation, agent="U0ANN")
        await told(ann, "this was resolved already, so the customer has *not* got it")
    assert relayed(impatient) == []


async def test_who_could_not_be_heard_is_told_at_once_and_heard_later_once(
    impatient: Office, sqlite: Database
) -> None:
    async with impatient.open():
        impatient.escalated()
        ann, ben = impatient.person("U0ANN"), impatient.person("U0BEN")
        card = await impatient.taken_by(ann)
        lunch = await ben.reply(CHANNEL, None, "lunch?")
        with nobody_can_write(sqlite):
            await ben.reply(CHANNEL, lunch["ts"], "yes")
            await ann.reply(CHANNEL, card["ts"], "note: she is cross")
            sent = await ann.reply(CHANNEL, card["ts"], WORDS)
            notice = await told(ann, f"the customer has *not* got it: “{WORDS}”")
            with pytest.raises(ActRefused):
                await ben.click(CHANNEL, notice["ts"], "retry_reply")
            await ann.click(CHANNEL, notice["ts"], "retry_reply")
            await told(ann, "The database cannot be used now")
        await marked(ann, card["ts"], sent["ts"], "hourglass_flowing_sand")
        await ann.click(CHANNEL, notice["ts"], "retry_reply")
        gone = await told(ann, f"Sent by <@U0ANN>: “{WORDS}”")
        assert (gone["ts"], buttons_of(gone)) == (notice["ts"], {})
        notices = [m for m in await ann.ephemerals() if "could not be recorded" in text_of(m)]
        assert (notices, await ben.ephemerals()) == ([], [])
    assert relayed(impatient) == [WORDS]


async def test_retry_keeps_to_the_same_rules_as_every_message(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    client = web_client(office.bot_settings, "xoxb-standin")

    async def retry(person: Person, ts: str) -> str:
        value = f"{card['channel']}:{card['ts']}:{ts}"
        sentence, _ = await retried(
            office.running, client, value, user=person.user_id, bot="U0STANDIN"
        )
        return sentence

    card = {**card, "channel": office.rows(Kind.ESCALATION_OPENED)[0].channel}
    mine = await ann.reply(CHANNEL, card["ts"], WORDS)
    assert "Sent by <@U0ANN>" in await retry(ann, mine["ts"])
    with pytest.raises(Conflict, match="Only <@U0ANN> can send this"):
        await retry(ben, mine["ts"])
    note = await ann.reply(CHANNEL, card["ts"], "note: cross")
    assert "no message to the customer" in await retry(ann, note["ts"])
    bens = await ben.reply(CHANNEL, card["ts"], "I would say no")
    await told(ben, "stays internal")
    await office.settled(bens["event_id"])
    assert "no message to the customer" in await retry(ben, bens["ts"])
    await ann.delete(CHANNEL, note["ts"])
    assert "does not stand there any more" in await retry(ann, note["ts"])
    assert relayed(office) == [WORDS]


@pytest.fixture
def hasty(closed_office: Office) -> Office:
    """An office that soon says what no customer had."""
    slack = closed_office.assistant.slack.model_copy(update={"unread_minutes": 0.002})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    return closed_office


async def test_what_nobody_had_in_time_is_said_and_retried_and_confirmed_when_it_is_had(
    hasty: Office,
) -> None:
    async with hasty.open():
        hasty.escalated()
        ann, ben = hasty.person("U0ANN"), hasty.person("U0BEN")
        card = await hasty.taken_by(ann)
        sent = await ann.reply(CHANNEL, card["ts"], WORDS)
        unread = await found_in_thread(ann, card["ts"], offering("send_again"))
        assert "<@U0ANN>, your reply of" in text_of(unread)
        assert WORDS in text_of(unread)
        await ben.click(CHANNEL, unread["ts"], "send_again")
        await found_in_thread(ann, card["ts"], saying("Sent again by <@U0BEN>"))
        vain = await found_in_thread(ann, card["ts"], saying("in vain so far"))
        assert "send_again" in buttons_of(vain)
        customer_reads(hasty)
        delivered = await found_in_thread(ann, card["ts"], saying("Delivered at"))
        assert (delivered["ts"], buttons_of(delivered)) == (unread["ts"], {})
        await marked(ann, card["ts"], sent["ts"], "white_check_mark")
        thread = await ann.thread(CHANNEL, card["ts"])
        assert len([m for m in thread if WORDS in text_of(m)]) == 2


async def test_what_the_customer_has_or_what_was_taken_back_is_not_said_to_be_unread(
    hasty: Office,
) -> None:
    async with hasty.open():
        hasty.escalated()
        ann = hasty.person("U0ANN")
        card = await hasty.taken_by(ann)
        sent = await ann.reply(CHANNEL, card["ts"], WORDS)
        unread = await found_in_thread(ann, card["ts"], offering("send_again"))
        await ann.delete(CHANNEL, sent["ts"])
        gone = await found_in_thread(ann, card["ts"], saying("took this reply back"))
        assert (gone["ts"], buttons_of(gone)) == (unread["ts"], {})
        again = await ann.reply(CHANNEL, card["ts"], "Tuesday.")
        customer_reads(hasty)
        if await hasty.said(again["ts"]):
            customer_reads(hasty)
        await marked(ann, card["ts"], again["ts"], "white_check_mark")


async def test_files_are_refused_by_kind_and_name_and_the_text_goes(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    files = [{"name": "map.png", "content": "x"}, {"name": "terms.pdf", "content": "y"}]
    await ann.reply(CHANNEL, card["ts"], WORDS, files=files)
    hint = await told(ann, "Your text went to the customer without")
    assert "picture map.png, the document terms.pdf" in text_of(hint).replace("\u2060", "")
    await ann.reply(CHANNEL, card["ts"], "", files=files[:1])
    await told(ann, "Nothing went to the customer")
    assert relayed(office) == [WORDS]


async def test_a_card_in_a_routed_channel_has_a_thread_of_the_same_rules(
    closed_office: Office,
) -> None:
    route = SlackRoute(channel="cards", reasons=(EscalationReason.MODEL,))
    slack = closed_office.assistant.slack.model_copy(update={"routes": (route,)})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    closed_office.channels = (CHANNEL, "cards")
    async with closed_office.open():
        closed_office.escalated()
        ann, ben = closed_office.person("U0ANN"), closed_office.person("U0BEN")
        card = await closed_office.taken_by(ann, channel="cards")
        await ann.reply("cards", None, "Busy day")
        await ben.reply("cards", card["ts"], "I would say no")
        sent = await ann.reply("cards", card["ts"], WORDS)
        await closed_office.said(sent["ts"])
    assert relayed(closed_office) == [WORDS]


async def test_what_was_written_while_no_bot_was_there_is_caught_up_on(
    closed_office: Office,
) -> None:
    office = closed_office
    async with office.slack(standin_retry_seconds=()):
        ann, ben = office.person("U0ANN"), office.person("U0BEN")
        async with Bot(office.bot_settings, office.desk):
            office.escalated()
            card = await office.taken_by(ann)
            first_one = await ann.reply(CHANNEL, card["ts"], "One.")
            await office.said(first_one["ts"])
        for person, words in ((ann, "Two."), (ben, "No!"), (ann, "note: cross"), (ann, "Three.")):
            await person.reply(CHANNEL, card["ts"], words)
        edited = await ann.reply(CHANNEL, card["ts"], "note: rude")
        await ann.edit(CHANNEL, edited["ts"], "He is rude")
        async with Bot(office.bot_settings, office.desk):
            await told(ann, "edited this while the bot was away")
            await told(ben, "stays internal")
            await office.all_sent()
        said = relayed(office)
        async with Bot(office.bot_settings, office.desk):
            await office.said(first_one["ts"])
    assert said == relayed(office) == ["One.", "Two.", "Three."]
