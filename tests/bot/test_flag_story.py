"""*Flag answer* by button and by message shortcut, through the form."""

import pytest
from sqlalchemy import select

from bot.standin.people import ActRefused, Person, text_of
from records.states import ExampleState, FlagReason
from records.tables import Example, Flag
from tests.bot.office import (
    ANSWER,
    CHANNEL,
    Office,
    found,
    found_in_thread,
    offering,
    saying,
    told,
)


async def answer_shown(office: Office, person: Person) -> tuple[str, str]:
    """The card's and the answer's ts."""
    office.escalated()
    card = await found(person, offering("take_over"))
    answer = await found_in_thread(person, card["ts"], offering("flag_answer"))
    return card["ts"], answer["ts"]


def flags(office: Office) -> list[Flag]:
    with office.database.read() as session:
        return list(session.scalars(select(Flag).order_by(Flag.created_at)))


async def test_the_flag_is_saved_before_the_form_is_filled_in(office: Office) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    assert [(f.agent, f.reason, f.correction) for f in flags(office)] == [("U0ANN", None, None)]
    view = await ann.open_view()
    assert view is not None
    await ann.close()
    await found_in_thread(ann, card, saying("Flagged by <@U0ANN>"))


async def test_a_correction_becomes_an_example_and_the_answer_shows_who_flagged(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    errors = await ann.submit(
        {"reason": "wrong", "correction": "Cards take five days.", "note": "*very* wrong"}
    )
    assert errors == {}
    assert await ann.open_view() is None
    shown = await found_in_thread(ann, card, saying("wrong"))
    assert "Flagged by <@U0ANN>: wrong" in text_of(shown)
    assert "*very*" not in text_of(shown)
    example = await found_in_thread(ann, card, offering("approve_example"))
    assert "Cards take five days." in text_of(example)
    assert [f.reason for f in flags(office)] == [None, FlagReason.WRONG]


async def test_the_form_by_message_shortcut_is_the_same(office: Office) -> None:
    ben = office.person("U0BEN")
    card, answer = await answer_shown(office, ben)
    await ben.shortcut("flag_answer", CHANNEL, answer)
    await ben.submit({"reason": "should_have_escalated"})
    await found_in_thread(ben, card, offering("approve_example"))
    with office.database.read() as session:
        example = session.scalars(select(Example)).one()
    assert (example.should_escalate, example.chosen, example.rejected) == (True, "", ANSWER)


async def test_the_shortcut_on_the_card_means_the_answer_that_led_to_it(office: Office) -> None:
    ann = office.person("U0ANN")
    card, _ = await answer_shown(office, ann)
    await ann.shortcut("flag_answer", CHANNEL, card)
    assert len(flags(office)) == 1


async def test_the_shortcut_on_anything_else_says_what_can_be_flagged(office: Office) -> None:
    ann = office.person("U0ANN")
    lunch = await ann.reply(CHANNEL, None, "lunch?")
    await ann.shortcut("flag_answer", CHANNEL, lunch["ts"])
    await told(ann, "Only the assistant's answers")
    assert flags(office) == []


async def test_an_answer_left_as_it_was_is_refused_in_the_form(office: Office) -> None:
    ann = office.person("U0ANN")
    _, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    errors = await ann.submit({"reason": "wrong"})
    assert "Write the right one" in errors["correction"]
    assert await ann.open_view() is not None
    assert await ann.submit({"reason": "wrong", "correction": "Five days."}) == {}


async def test_an_unchanged_answer_that_a_person_should_give_is_no_correction(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    await ann.submit({"reason": "wrong", "should_escalate": True})
    await found_in_thread(ann, card, offering("approve_example"))
    assert [f.correction for f in flags(office)] == [None, None]


async def test_the_form_wants_a_reason(office: Office) -> None:
    ann = office.person("U0ANN")
    _, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    with pytest.raises(ActRefused, match=r"field_required.*reason"):
        await ann.submit({"correction": "Five days."})


async def test_a_second_click_adds_no_empty_flag_and_a_later_form_replaces_the_example(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    for correction in ("Four days.", "Five days."):
        await ann.click(CHANNEL, answer, "flag_answer")
        await ann.submit({"reason": "wrong", "correction": correction})
    await found_in_thread(ann, card, saying("Replaced by a later flag"))
    assert [f.correction for f in flags(office)] == [None, "Four days.", "Five days."]
    with office.database.read() as session:
        states = {e.chosen: e.state for e in session.scalars(select(Example))}
    assert states == {
        "Four days.": ExampleState.SUPERSEDED,
        "Five days.": ExampleState.PROPOSED,
    }
