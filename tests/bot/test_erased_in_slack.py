"""With `understudy erase --slack` the bot takes a customer's words out of its own messages."""

from bot.standin.people import text_of
from records import erasing
from records import reached as reaching
from records.ids import utc_now
from tests.bot.office import ANSWER, CHANNEL, QUESTION, Office, found, found_in_thread, saying


async def test_cards_and_threads_say_nothing_of_an_erased_customer_any_more(
    office: Office,
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, saying(QUESTION))
    await found_in_thread(ann, card["ts"], saying(ANSWER))
    with office.database.write() as session:
        reached = reaching.reach(session, "customer-7", "hash")
        counts = erasing.blank(
            session, reached, "customer-7", actor="ops", at=utc_now(), in_slack=True
        )
    assert counts["messages in Slack"] == 3

    async def clean() -> bool:
        thread = [*await ann.messages(CHANNEL), *await ann.thread(CHANNEL, card["ts"])]
        words = " ".join(text_of(message) for message in thread)
        return bool(thread) and QUESTION not in words and ANSWER not in words

    await ann.wait_for(clean)
