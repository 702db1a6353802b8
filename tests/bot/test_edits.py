"""Edits and deletions in a thread: they follow to the customer for a while, and notes never do."""

import pytest
from sqlalchemy import select

from bot.standin.people import Person
from records import delivery, endings, events
from records.events import Cursor
from records.ids import utc_now
from records.messages import Role
from records.tables import Audit, Turn
from tests.bot.office import CHANNEL, Office, found_in_thread, offering, saying, told

WORDS = "It comes on Monday."


def said(office: Office) -> list[tuple[str, bool]]:
    """What agents said, and whether it was taken back."""
    turns = [turn for turn in office.turns() if turn.role is Role.AGENT]
    return [(turn.content, turn.removed_at is not None) for turn in turns]


async def settled(office: Office, agent: Person, thread: str) -> None:
    """When what was written later is recorded, so is what was done before it."""
    last = await agent.reply(CHANNEL, thread, "Anything else?")
    await office.said(last["ts"])


async def replied(office: Office, agent: Person, words: str = WORDS) -> tuple[str, str]:
    """Thread and message of a reply that is recorded."""
    office.escalated()
    card = await office.taken_by(agent)
    sent = await agent.reply(CHANNEL, card["ts"], words)
    await office.said(sent["ts"])
    return card["ts"], sent["ts"]


async def test_edits_and_deletions_follow_and_the_audit_says_who(office: Office) -> None:
    ann = office.person("U0ANN")
    thread, first = await replied(office, ann)
    second = await ann.reply(CHANNEL, thread, "Hm.")
    await office.said(second["ts"])
    for words in ("It comes on Tuesday.", "It comes on Friday."):
        await ann.edit(CHANNEL, first, words)
    await ann.delete(CHANNEL, second["ts"])
    await settled(office, ann, thread)
    assert said(office) == [
        ("It comes on Friday.", False),
        ("", True),
        ("Anything else?", False),
    ]
    with office.database.read() as session:
        happened = [i.kind for i in events.since(session, {"conv_c-1": Cursor()}, most=99) if i.seq]
        audit = session.execute(select(Audit.actor, Audit.action)).all()
        original = session.scalars(select(Turn.original).where(Turn.original.is_not(None))).all()
    assert happened[-3:] == ["edited", "edited", "removed"]
    assert [tuple(row) for row in audit[-3:-1]] == [("U0ANN", "edit_reply")] * 2
    assert tuple(audit[-1]) == ("U0ANN", "remove_reply")
    assert original == [WORDS, "Hm."]
    assert await ann.ephemerals() == []


async def test_words_that_become_a_note_are_taken_back_for_good(office: Office) -> None:
    ann = office.person("U0ANN")
    thread, ts = await replied(office, ann)
    await ann.edit(CHANNEL, ts, "note: he is rude")
    await settled(office, ann, thread)
    assert said(office)[0] == ("", True)
    await ann.edit(CHANNEL, ts, "He is kind")
    await told(ann, "because it was internal for a while")
    assert said(office)[0] == ("", True)


async def test_a_note_that_becomes_words_stays_a_note_and_its_author_is_told_once(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    thread, _ = await replied(office, ann)
    note = await ann.reply(CHANNEL, thread, "note: he is rude")
    await ann.edit(CHANNEL, note["ts"], "He is rude")
    await told(ann, "A note stays a note")
    await ann.edit(CHANNEL, note["ts"], "note: really")
    await ann.edit(CHANNEL, note["ts"], "Really rude")
    await settled(office, ann, thread)
    assert said(office) == [(WORDS, False), ("Anything else?", False)]
    assert len(await ann.ephemerals()) == 1


@pytest.mark.parametrize(("minutes", "words"), [(0.0, "stays"), (0.0001, "0 s only")])
async def test_after_the_allowed_time_nothing_follows_and_the_author_is_told_once(
    closed_office: Office, minutes: float, words: str
) -> None:
    slack = closed_office.assistant.slack.model_copy(update={"edit_minutes": minutes})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    async with closed_office.open():
        ann = closed_office.person("U0ANN")
        thread, ts = await replied(closed_office, ann)
        await ann.edit(CHANNEL, ts, "Never.")
        await told(ann, words.replace("stays", "keeps your message as it was"))
        await ann.delete(CHANNEL, ts)
        await settled(closed_office, ann, thread)
        assert said(closed_office)[0] == (WORDS, False)
        assert len(await ann.ephemerals()) == 1


async def test_what_others_wrote_and_edit_stays_internal_without_a_word(office: Office) -> None:
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    thread, _ = await replied(office, ann)
    mine = await ben.reply(CHANNEL, thread, "I would say no")
    await told(ben, "stays internal")
    await ben.edit(CHANNEL, mine["ts"], "I would say yes")
    await ben.delete(CHANNEL, mine["ts"])
    await settled(office, ann, thread)
    assert said(office) == [(WORDS, False), ("Anything else?", False)]
    assert len(await ben.ephemerals()) == 1


async def test_edits_follow_after_the_end_and_the_proposed_example_with_them(
    office: Office,
) -> None:
    escalation, _ = office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    sent = await ann.reply(CHANNEL, card["ts"], WORDS)
    await office.said(sent["ts"])
    with office.database.write() as session:
        endings.resolve(session, escalation, agent="U0ANN")
    example = await found_in_thread(ann, card["ts"], offering("approve_example"))
    await ann.edit(CHANNEL, sent["ts"], "It comes on Friday.")
    changed = await found_in_thread(
        ann,
        card["ts"],
        lambda m: m["ts"] == example["ts"] and saying("It comes on Friday.")(m),
    )
    assert not saying(WORDS)(changed)
    assert said(office) == [("It comes on Friday.", False)]


async def test_repeated_deliveries_of_an_edit_and_a_deletion_change_nothing(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    thread, ts = await replied(office, ann)
    edited = await ann.edit(CHANNEL, ts, "Friday.")
    await ann.edit(CHANNEL, ts, "Sunday.")
    await ann.repeat_delivery(edited["event_id"])
    await settled(office, ann, thread)
    assert said(office)[0] == ("Sunday.", False)
    gone = await ann.delete(CHANNEL, ts)
    await ann.repeat_delivery(gone["event_id"])
    await ann.repeat_delivery(edited["event_id"])
    await settled(office, ann, thread)
    assert said(office)[0] == ("", True)


async def test_words_that_become_a_question_to_the_bot_are_taken_back(office: Office) -> None:
    ann = office.person("U0ANN")
    thread, ts = await replied(office, ann)
    await ann.edit(CHANNEL, ts, "<@U0STANDIN> draft: she is lying, be firm")
    await settled(office, ann, thread)
    assert said(office) == [("", True), ("Anything else?", False)]


async def test_a_question_to_the_bot_that_becomes_words_stays_internal_and_its_author_is_told(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    thread, _ = await replied(office, ann)
    asked = await ann.reply(CHANNEL, thread, "<@U0STANDIN> is she lying?")
    await ann.edit(CHANNEL, asked["ts"], "Is she lying?")
    await told(ann, "What you wrote to me stays internal")
    await settled(office, ann, thread)
    assert said(office) == [(WORDS, False), ("Anything else?", False)]


@pytest.mark.parametrize("is_read", [False, True])
async def test_what_became_a_note_shows_no_mark_of_the_customers(
    office: Office, is_read: bool
) -> None:
    ann = office.person("U0ANN")
    thread, ts = await replied(office, ann)
    if is_read:
        with office.database.write() as session:
            delivery.note(session, {"conv_c-1": 10_000}, at=utc_now())
    mark = "white_check_mark" if is_read else "hourglass_flowing_sand"
    await found_in_thread(ann, thread, lambda m: m["ts"] == ts and mark in str(m.get("reactions")))
    await ann.edit(CHANNEL, ts, "note: he is rude")
    await found_in_thread(ann, thread, lambda m: m["ts"] == ts and not m.get("reactions"))


async def test_a_change_that_cannot_be_recorded_is_told_of(office: Office) -> None:
    ann = office.person("U0ANN")
    _, ts = await replied(office, ann)
    office.running._assistants = {}  # its file is gone
    await ann.edit(CHANNEL, ts, "Never.")
    await told(ann, "the customer keeps your message as it was")
    assert said(office) == [(WORDS, False)]
