"""An approved example that is doubted comes back to reviewers with what speaks against it."""

from typing import Any

from sqlalchemy import select

from bot.standin.people import Person, text_of
from records import doubts, examples
from records.states import DoubtKind, ExampleState
from records.tables import Example
from tests.bot.office import CHANNEL, Office, found_in_thread, saying
from tests.bot.test_review_home import (
    card_of_example,
    flagged,
    found_example,
    home_saying,
    imported,
    opened,
    rows,
    with_slack,
)


def approved(office: Office) -> None:
    with office.database.write() as session:
        for example_id in session.scalars(select(Example.id)).all():
            examples.decide(session, example_id, approve=True, actor="U0REV")


def doubted(
    office: Office, answer: str, other: str, kind: DoubtKind = DoubtKind.CONTRADICTION
) -> None:
    found = rows(office)
    with office.database.write() as session:
        assert doubts.send_back(session, found[answer].id, kind=kind, other_id=found[other].id)


def contradicting(office: Office) -> None:
    """Two approved examples that contradict each other, both sent back."""
    imported(office, ("How do I get a PIN?", "In the app."), ("PIN, how?", "At a machine."))
    approved(office)
    doubted(office, "In the app.", "At a machine.")
    doubted(office, "At a machine.", "In the app.")


async def test_home_says_why_with_the_other_question_and_answer(office: Office) -> None:
    contradicting(office)
    rev = office.person("U0REV")
    why = "Doubted because another example answers nearly the same question otherwise"
    other = ("“PIN, how?”", "At a machine.", "waits for review too")
    await opened(rev, why, "How do I get a PIN?", *other)


async def test_one_press_with_its_question_settles_a_contradiction(office: Office) -> None:
    contradicting(office)
    rev = office.person("U0REV")
    await opened(rev, "1 of 2", "Approve, and reject the other")
    await rev.press("review_settle", home=True)
    await home_saying(rev, "Nothing waits for review", "Approved, and the other rejected")
    found = rows(office)
    assert found["In the app."].state is ExampleState.APPROVED
    assert found["At a machine."].state is ExampleState.REJECTED
    assert found["At a machine."].decision_note == "wrong"
    with office.database.read() as session:
        assert doubts.answered(session, "support") >= {
            (found["In the app."].id, DoubtKind.CONTRADICTION)
        }


async def test_nobody_settles_what_was_edited_after_they_read_it(office: Office) -> None:
    contradicting(office)
    rev = office.person("U0REV")
    await opened(rev, "Approve, and reject the other")
    other = rows(office)["At a machine."].id
    with office.database.write() as session:
        examples.edit(session, other, chosen="By post.", should_escalate=False, actor="U0BEN")
    await rev.press("review_settle", home=True)
    await home_saying(rev, "This example was edited by <@U0BEN> meanwhile", "By post.")
    assert {e.state for e in rows(office).values()} == {ExampleState.PROPOSED}


async def test_both_may_be_right_and_each_is_approved_in_one_click(office: Office) -> None:
    contradicting(office)
    rev = office.person("U0REV")
    await opened(rev, "1 of 2")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "1 of 1", "“How do I get a PIN?”", "approved by <@U0REV>")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Nothing waits for review")


async def test_the_other_is_a_press_away_and_an_approved_one_is_not_rejected(
    office: Office,
) -> None:
    imported(office, ("How do I get a PIN?", "In the app."), ("PIN, how?", "At a machine."))
    approved(office)
    doubted(office, "In the app.", "At a machine.", DoubtKind.LABEL_NOISE)
    rev = office.person("U0REV")
    shown = await opened(rev, "examples with questions like it teach another answer", "“PIN, how?”")
    assert "reject the other" not in text_of(shown)


async def test_with_four_eyes_nobody_settles_for_what_they_wrote(closed_office: Office) -> None:
    async with with_slack(closed_office, four_eyes=True).open() as office:
        flagged(office, "Five days.")
        flagged(office, "Two days.", agent="U0BEN", key="c-2")
        approved(office)
        doubted(office, "Five days.", "Two days.")
        doubted(office, "Two days.", "Five days.")
        shown = await opened(office.person("U0ANN"), "1 of 2", "You wrote this", "Doubted because")
        assert "reject the other" not in text_of(shown)
        await opened(office.person("U0BEN"), "1 of 2", "reject the other")


async def test_the_card_in_the_thread_says_why_and_can_be_decided_on_again(
    office: Office,
) -> None:
    answer = flagged(office, "Five days.")
    office.escalate(answer)
    imported(office, ("Where is my card??", "Two days."))
    rev = office.person("U0REV")
    card = await card_of_example(office, rev)
    approved(office)
    thread = card.get("thread_ts") or card["ts"]
    await _shown(rev, card, thread, "Approved by <@U0REV>")
    doubted(office, "Five days.", "Two days.")
    await _shown(rev, card, thread, "Doubted because another example")
    await rev.click(CHANNEL, card["ts"], "approve_example")
    await _shown(rev, card, thread, "Approved by <@U0REV>")


async def _shown(person: Person, card: Any, thread: str, words: str) -> None:
    if thread == card["ts"]:
        await found_example(person, words)
    else:
        await found_in_thread(person, thread, saying(words))
