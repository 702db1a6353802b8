"""What stays among colleagues carries a lock, where one could take it for a reply."""

from typing import Any

from bot.standin.people import Person
from records.outbox import Kind
from tests.bot.office import CHANNEL, Office, fill, found, offering, saying, told


async def locked(person: Person, thread: str, words: str) -> dict[str, Any]:
    """The message with these words, as soon as it carries a lock."""

    async def look() -> dict[str, Any] | None:
        for message in await person.thread(CHANNEL, thread):
            names = {reaction["name"] for reaction in message.get("reactions") or []}
            if words in message.get("text", "") and "lock" in names:
                return message
        return None

    return await person.wait_for(look)


async def test_notes_of_anybody_carry_a_lock_and_replies_do_not(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ann.reply(CHANNEL, card["ts"], "note: second one today")
    await ben.reply(CHANNEL, card["ts"], "Note: ask IT")
    await office.said((await ann.reply(CHANNEL, card["ts"], "It comes on Monday."))["ts"])
    await locked(ann, card["ts"], "second one today")
    await locked(ann, card["ts"], "ask IT")
    assert len(office.rows(Kind.MESSAGE_INTERNAL)) == 2


async def test_what_an_owner_writes_too_late_carries_a_lock_and_colleagues_talk_none(
    office: Office,
) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ben.reply(CHANNEL, card["ts"], "I know them.")
    await told(ben, "stays internal")
    await ann.click(CHANNEL, card["ts"], "resolve")
    await fill(ann, {})
    await found(ann, saying("Resolved by <@U0ANN>"))
    await ann.reply(CHANNEL, card["ts"], "One more thing.")
    await locked(ann, card["ts"], "One more thing.")
    assert len(office.rows(Kind.MESSAGE_INTERNAL)) == 1


async def test_a_note_that_is_told_of_twice_gets_one_lock(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    note = await ann.reply(CHANNEL, card["ts"], "note: looks like fraud")
    await locked(ann, card["ts"], "looks like fraud")
    await office.forgets(note["event_id"])
    await ann.repeat_delivery(note["event_id"])
    await office.settled(note["event_id"])
    await office.all_sent()
    assert len(office.rows(Kind.MESSAGE_INTERNAL)) == 1
