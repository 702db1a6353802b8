"""What was said stands in the thread: short histories turn by turn, long ones as a file."""

from bot.process import Bot
from bot.standin.people import Message, text_of
from records.outbox import Kind
from records.states import OutboxState
from records.tables import OutboxMessage
from tests.bot.office import CHANNEL, Office, found, found_in_thread, offering, saying


async def content(office: Office, message: Message) -> str:
    (file,) = message["files"]
    return await office.downloaded(file)


async def test_older_turns_come_as_one_file_and_the_last_ones_with_their_buttons(
    office: Office,
) -> None:
    for index in range(10):
        asked, answered = office.ask(f"question {index}", f"answer {index}")
    office.escalate(answered)
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    last = await found_in_thread(ann, card["ts"], saying("answer 9"))
    await office.all_sent()
    thread = await ann.thread(CHANNEL, card["ts"])
    assert len(thread) == 1 + 1 + 6
    (older,) = [message for message in thread if message.get("files")]
    assert "in one file: 14." in text_of(older)
    written = await content(office, older)
    assert [f"answer {n}" in written for n in range(10)] == [True] * 7 + [False] * 3
    assert written.count("Customer\n") == 7
    assert [m["ts"] for m in thread if offering("flag_answer")(m)][-1] == last["ts"]
    assert asked != answered


async def test_a_long_turn_is_begun_in_its_message_and_stands_whole_in_a_file(
    office: Office,
) -> None:
    question = "word " * 3_000
    _, answered = office.ask(f"{question}the end", "Yes.")
    office.escalate(answered)
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    begun = await found_in_thread(ann, card["ts"], saying("all of it stands in the file below"))
    file = await found_in_thread(ann, card["ts"], lambda message: message.get("files"))
    assert float(file["ts"]) > float(begun["ts"])
    assert "the end" not in text_of(begun)
    assert (await content(office, file)).endswith("word the end\n")


async def test_what_a_customer_writes_while_it_is_open_appears_whatever_came_before(
    office: Office,
) -> None:
    for index in range(5):
        _, answered = office.ask(f"question {index}", f"answer {index}")
    office.escalate(answered)
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    office.ask("x" * 7_000, "Passed on.")
    await office.all_sent()
    files = [m for m in await ann.thread(CHANNEL, card["ts"]) if m.get("files")]
    assert len(files) == 2


async def test_a_kill_between_upload_and_note_doubles_no_file(closed_office: Office) -> None:
    for index in range(5):
        _, answered = closed_office.ask(f"question {index}", f"answer {index}")
    closed_office.escalate(answered)
    async with closed_office.slack():
        async with Bot(closed_office.bot_settings, closed_office.desk):
            await closed_office.all_sent()
        with closed_office.database.write() as session:
            (row,) = closed_office.rows(Kind.TRANSCRIPT)
            session.get_one(OutboxMessage, row.id).state = OutboxState.SENDING
        async with Bot(closed_office.bot_settings, closed_office.desk):
            await closed_office.all_sent()
        ann = closed_office.person("U0ANN")
        (card,) = await ann.messages(CHANNEL)
        files = [m for m in await ann.thread(CHANNEL, card["ts"]) if m.get("files")]
    assert len(files) == 1
