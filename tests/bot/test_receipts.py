"""When a version that fixes a flagged answer is promoted, the flag's thread says so, once."""

from sqlalchemy import select

from bot.process import Bot
from bot.standin.people import Person, text_of
from records import escalations, examples, fixes, flags, versions
from records.flags import FlaggedAt, Judgement
from records.tables import Conversation, Example, Flag, Turn
from tests.bot.office import (
    ANSWER,
    CHANNEL,
    Office,
    fill,
    found,
    found_in_thread,
    offering,
    saying,
)
from tests.bot.test_review_home import home_saying, opened
from tests.records.build import trained

VERSION = "support-aaa"


async def flagged(office: Office, ann: Person, **entered: object) -> str:
    """An answer that Ann flagged in its thread; the thread's ts."""
    office.escalated()
    card = await found(ann, offering("take_over"))
    answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    await ann.click(CHANNEL, answer["ts"], "flag_answer")
    await fill(ann, {"reason": "wrong", "correction": "Cards take five days.", **entered})
    await found_in_thread(ann, card["ts"], offering("approve_example"))
    return str(card["ts"])


def answered(office: Office, version: str, words: str, *, handed_over: bool = False) -> None:
    """A version that says this to the question of the last flag, rightly."""
    trained(office.database, version)
    with office.database.write() as session:
        flag = session.scalars(select(Flag).order_by(Flag.position.desc())).first()
        assert flag is not None
        example = session.scalars(select(Example).where(Example.flag_id == flag.id)).one()
        examples.decide(session, example.id, approve=True, actor="U0BEN")
        fixes.record(
            session,
            flag.id,
            version=version,
            answer=words,
            handed_over=handed_over,
            fixed=True,
        )


def promote(office: Office, version: str) -> None:
    with office.database.write() as session:
        versions.promote(session, version, actor="U0OPS", without_evidence=True)


async def test_the_thread_gets_before_the_correction_and_after(office: Office) -> None:
    ann = office.person("U0ANN")
    thread = await flagged(office, ann)
    answered(office, VERSION, "Cards take *five* working days.")
    promote(office, VERSION)
    receipt = await found_in_thread(ann, thread, saying("Fixed."))
    words = text_of(receipt)
    assert f"Version 2 ({VERSION}) serves customers now" in words
    assert "Thank you, <@U0ANN>!" in words
    for said in (ANSWER, "Cards take five days.", "Cards take *five* working days."):
        assert said in words
    plain = [b["text"]["type"] for b in receipt["blocks"] if "*five*" in str(b)]
    assert plain == ["plain_text"]


async def test_a_hand_over_is_a_fix_too(office: Office) -> None:
    ann = office.person("U0ANN")
    thread = await flagged(office, ann, reason="should_have_escalated")
    answered(office, VERSION, "", handed_over=True)
    promote(office, VERSION)
    receipt = await found_in_thread(ann, thread, saying("Fixed."))
    assert "a person is asked" in text_of(receipt)


async def test_going_back_and_promoting_again_says_nothing_twice(office: Office) -> None:
    ann = office.person("U0ANN")
    thread = await flagged(office, ann)
    answered(office, VERSION, "Five days.")
    promote(office, VERSION)
    await found_in_thread(ann, thread, saying("Fixed."))
    with office.database.write() as session:
        versions.rollback(session, "support", actor="U0OPS")
    promote(office, VERSION)
    await ann.wait_for(lambda: releases_said(ann, 3))
    shown = await ann.thread(CHANNEL, thread)
    assert sum("Fixed." in text_of(message) for message in shown) == 1


async def test_a_version_that_was_rolled_back_is_told_of_once_it_serves_again(
    closed_office: Office,
) -> None:
    office, ann = closed_office, closed_office.person("U0ANN")
    async with office.slack():
        async with Bot(office.bot_settings, office.desk):
            thread = await flagged(office, ann)
            answered(office, VERSION, "Five days.")
            await office.all_sent()
        promote(office, VERSION)
        with office.database.write() as session:
            versions.rollback(session, "support", actor="U0OPS")
        async with Bot(office.bot_settings, office.desk):
            await office.all_sent()
            shown = await ann.thread(CHANNEL, thread)
            assert not any("Fixed." in text_of(message) for message in shown)
            promote(office, VERSION)
            await found_in_thread(ann, thread, saying("Fixed."))


async def releases_said(person: Person, number: int) -> bool:
    words = ("was promoted", "Rolled back")
    shown = [text_of(message) for message in await person.messages(CHANNEL)]
    return sum(any(word in text for word in words) for text in shown) >= number


async def test_the_receipt_of_a_trial_stands_where_it_was_flagged(office: Office) -> None:
    ann = office.person("U0ANN")
    asked = await ann.direct("Where is my card?")
    _, answer = office.ask()
    with office.database.write() as session:
        turn = session.get_one(Turn, answer)
        session.get_one(Conversation, turn.conversation_id).trial = True
        judgement = Judgement(correction="Five days.", should_escalate=True)
        where = FlaggedAt(asked["channel"], asked["ts"])
        flag = flags.add(session, answer, agent="U0ANN", judgement=judgement, where=where)
        assert escalations.escalate_flagged(session, flag) is None
    answered(office, VERSION, "Five days.")
    promote(office, VERSION)
    await found_in_thread(ann, asked["ts"], saying("Fixed."), channel=asked["channel"])
    assert "approve_example" not in str(await ann.messages(CHANNEL))  # it waits in App Home


async def test_without_cards_examples_wait_in_app_home_only(closed_office: Office) -> None:
    slack = closed_office.assistant.slack.model_copy(update={"example_cards": False})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        _, answer = office.escalated()
        with office.database.write() as session:
            judgement = Judgement(correction="Five days.")
            flags.add(session, answer, agent="U0ANN", judgement=judgement)
        await opened(ann, "1 of 1")
        await ann.press("review_approve", home=True)
        await home_saying(ann, "Nothing waits for review")
        card = await found(ann, offering("take_over"))
        await found_in_thread(ann, card["ts"], saying("Flagged by <@U0ANN>"))
        await office.all_sent()
        assert "Five days." not in str(await ann.thread(CHANNEL, card["ts"]))
