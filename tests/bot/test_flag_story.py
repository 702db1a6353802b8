"""*Flag answer* by button, message shortcut and emoji, through the form; and taking it back."""

import pytest
from sqlalchemy import select

from bot.process import Bot
from bot.standin.people import ActRefused, Message, Person, text_of
from records.flags import stands
from records.states import ExampleState, FlagReason
from records.tables import Example, Flag
from tests.bot.office import (
    ANSWER,
    CHANNEL,
    Office,
    fill,
    found,
    found_in_thread,
    offering,
    opened_form,
    saying,
    told,
)

EMOJI = "triangular_flag_on_post"


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
    await opened_form(ann, "What is wrong with it?")
    assert [(f.agent, f.reason, f.correction) for f in flags(office)] == [("U0ANN", None, None)]
    await ann.close()
    await found_in_thread(ann, card, saying("Flagged by <@U0ANN>"))


async def test_a_correction_becomes_an_example_and_the_answer_shows_who_flagged(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    errors = await fill(
        ann, {"reason": "wrong", "correction": "Cards take five days.", "note": "*very* wrong"}
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
    await fill(ben, {"reason": "should_have_escalated"})
    await found_in_thread(ben, card, offering("approve_example"))
    with office.database.read() as session:
        example = session.scalars(select(Example)).one()
    assert (example.should_escalate, example.chosen, example.rejected) == (True, "", ANSWER)


async def test_the_shortcut_on_the_card_means_the_answer_that_led_to_it(office: Office) -> None:
    ann = office.person("U0ANN")
    card, _ = await answer_shown(office, ann)
    await ann.shortcut("flag_answer", CHANNEL, card)
    await opened_form(ann, "What is wrong with it?")
    assert len(flags(office)) == 1


async def test_the_shortcut_on_anything_else_says_what_can_be_flagged(office: Office) -> None:
    ann = office.person("U0ANN")
    lunch = await ann.reply(CHANNEL, None, "lunch?")
    await ann.shortcut("flag_answer", CHANNEL, lunch["ts"])
    await told(ann, "Only the assistant's answers")
    assert flags(office) == []


async def test_an_answer_left_as_it_was_is_no_correction_and_that_is_said(office: Office) -> None:
    ann = office.person("U0ANN")
    _, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    assert await fill(ann, {"reason": "wrong"}) == {}
    assert await ann.open_view() is None
    await told(ann, "saved without a right answer")
    assert [(f.reason, f.correction) for f in flags(office)] == [
        (None, None),
        (FlagReason.WRONG, None),
    ]


async def test_a_reason_alone_is_enough_where_it_wants_no_answer(office: Office) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    assert await fill(ann, {"reason": "tone"}) == {}
    await found_in_thread(ann, card, saying("Flagged by <@U0ANN>: tone"))
    assert not any("right answer" in text_of(message) for message in await ann.ephemerals())


async def test_an_unchanged_answer_that_a_person_should_give_is_no_correction(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    await fill(ann, {"reason": "should_have_escalated"})
    await found_in_thread(ann, card, offering("approve_example"))
    assert [f.correction for f in flags(office)] == [None, None]


async def test_the_form_wants_a_reason(office: Office) -> None:
    ann = office.person("U0ANN")
    _, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    with pytest.raises(ActRefused, match=r"field_required.*reason"):
        await fill(ann, {"correction": "Five days."})


async def test_a_second_click_adds_no_empty_flag_and_a_later_form_replaces_the_example(
    office: Office,
) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    for correction in ("Four days.", "Five days."):
        await ann.click(CHANNEL, answer, "flag_answer")
        await fill(ann, {"reason": "wrong", "correction": correction})
    await found_in_thread(ann, card, saying("Replaced by a later flag"))
    assert [f.correction for f in flags(office)] == [None, "Four days.", "Five days."]
    with office.database.read() as session:
        states = {e.chosen: e.state for e in session.scalars(select(Example))}
    assert states == {
        "Four days.": ExampleState.SUPERSEDED,
        "Five days.": ExampleState.PROPOSED,
    }


def standing(office: Office) -> list[tuple[str, str | None]]:
    """Flags that count: who, and what they say would be right."""
    with office.database.read() as session:
        found = session.scalars(select(Flag).where(stands()).order_by(Flag.agent))
        return [(flag.agent, flag.correction) for flag in found]


def examples_by_state(office: Office) -> dict[str, ExampleState]:
    with office.database.read() as session:
        return {e.chosen: e.state for e in session.scalars(select(Example))}


async def test_a_revised_flag_begins_with_what_was_said_last(office: Office) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    await fill(ann, {"reason": "wrong", "correction": "Five days.", "note": "Asked twice."})
    await found_in_thread(ann, card, saying("Revise flag"))
    await ann.click(CHANNEL, answer, "flag_answer")
    form = str(await opened_form(ann, "'initial_value': 'Five days.'"))
    assert "'initial_value': 'Asked twice.'" in form
    await fill(ann, {})  # nothing new is said
    await ann.click(CHANNEL, answer, "flag_answer")
    await fill(ann, {"correction": "Six days."})
    await found_in_thread(ann, card, saying("Six days."))
    assert [f.correction for f in flags(office)] == [None, "Five days.", "Six days."]


async def test_a_flag_by_mistake_is_withdrawn_in_the_form(office: Office) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    await fill(ann, {"reason": "wrong", "correction": "Five days."})
    await found_in_thread(ann, card, saying("Flagged by <@U0ANN>: wrong"))
    await ann.click(CHANNEL, answer, "flag_answer")
    await opened_form(ann, "withdraw_flag")
    await ann.press("withdraw_flag")
    await opened_form(ann, "Your flag is withdrawn")
    await found_in_thread(ann, card, saying("Withdrawn with its flag"))
    shown = await found_in_thread(ann, card, lambda m: m["ts"] == answer and not flagged_in(m))
    assert "Flag answer" in text_of(shown)
    assert standing(office) == []
    assert len(flags(office)) == 3


def flagged_in(message: Message) -> bool:
    return "Flagged by" in text_of(message)


async def test_withdrawing_says_that_an_approved_example_stays(office: Office) -> None:
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card, answer = await answer_shown(office, ann)
    await ann.click(CHANNEL, answer, "flag_answer")
    await fill(ann, {"reason": "wrong", "correction": "Five days."})
    example = await found_in_thread(ben, card, offering("approve_example"))
    await ben.click(CHANNEL, example["ts"], "approve_example")
    await found_in_thread(ann, card, saying("Approved by <@U0BEN>"))
    await ann.click(CHANNEL, answer, "flag_answer")
    await opened_form(ann, "withdraw_flag")
    await ann.press("withdraw_flag")
    await opened_form(ann, "was approved already and stays: ask <@U0BEN>")
    assert examples_by_state(office) == {"Five days.": ExampleState.APPROVED}


async def test_a_flag_that_is_gone_cannot_be_withdrawn_again(office: Office) -> None:
    ann = office.person("U0ANN")
    _, answer = await answer_shown(office, ann)
    await ann.react(CHANNEL, answer, EMOJI)
    note = await told(ann, "Your flag on this answer is saved")
    await ann.click(CHANNEL, note["ts"], "withdraw_flag")
    await told(ann, "Your flag is withdrawn")
    await ann.click(CHANNEL, note["ts"], "withdraw_flag")
    await told(ann, "You have no flag on this answer.")


async def test_an_emoji_flags_at_once_and_its_note_opens_the_form(office: Office) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    sent = await ann.react(CHANNEL, answer, EMOJI)
    await ann.repeat_delivery(sent["event_id"])
    note = await told(ann, "Your flag on this answer is saved")
    assert note["thread_ts"] == card
    await found_in_thread(ann, card, saying("Flagged by <@U0ANN>"))
    await ann.click(CHANNEL, note["ts"], "flag_answer")
    await fill(ann, {"reason": "wrong", "correction": "Five days."})
    await found_in_thread(ann, card, offering("approve_example"))
    assert [f.correction for f in flags(office)] == [None, "Five days."]
    assert [(f.channel, f.thread_ts) for f in flags(office)] == [(note["channel"], card)] * 2


async def test_an_emoji_on_the_card_flags_the_answer_that_led_to_it(office: Office) -> None:
    ann = office.person("U0ANN")
    card, _ = await answer_shown(office, ann)
    await ann.react(CHANNEL, card, EMOJI)
    await told(ann, "Your flag on this answer is saved")
    assert standing(office) == [("U0ANN", None)]


async def test_taking_the_emoji_away_takes_a_bare_flag_back(office: Office) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.react(CHANNEL, answer, EMOJI)
    await found_in_thread(ann, card, saying("Flagged by <@U0ANN>"))
    await ann.unreact(CHANNEL, answer, EMOJI)
    await told(ann, "Your flag is withdrawn.")
    assert standing(office) == []
    assert len(flags(office)) == 2


@pytest.mark.parametrize("last", ["added", "removed"])
async def test_what_was_done_last_with_the_emoji_counts_in_whatever_order_it_comes(
    closed_office: Office, last: str
) -> None:
    office, ann = closed_office, closed_office.person("U0ANN")
    async with office.slack(standin_retry_seconds=()):
        async with Bot(office.bot_settings, office.desk):
            _, answer = await answer_shown(office, ann)
        did = [await ann.react(CHANNEL, answer, EMOJI), await ann.unreact(CHANNEL, answer, EMOJI)]
        if last == "added":
            did.append(await ann.react(CHANNEL, answer, EMOJI))
        async with Bot(office.bot_settings, office.desk):
            for event in (did[-1], *did[:-1]):
                await ann.repeat_delivery(event["event_id"])
                await office.settled(event["event_id"])
    assert standing(office) == ([("U0ANN", None)] if last == "added" else [])


async def test_taking_the_emoji_away_leaves_a_flag_with_details(office: Office) -> None:
    ann = office.person("U0ANN")
    card, answer = await answer_shown(office, ann)
    await ann.react(CHANNEL, answer, EMOJI)
    await found_in_thread(ann, card, saying("Flagged by <@U0ANN>"))
    await ann.click(CHANNEL, answer, "flag_answer")
    await fill(ann, {"reason": "wrong", "correction": "Five days."})
    await ann.unreact(CHANNEL, answer, EMOJI)
    note = await told(ann, "Your flag stays")
    assert standing(office) == [("U0ANN", "Five days.")]
    await ann.click(CHANNEL, note["ts"], "withdraw_flag")
    await told(ann, "Your flag is withdrawn.")
    assert examples_by_state(office) == {"Five days.": ExampleState.WITHDRAWN}


async def test_other_emoji_and_other_messages_mean_nothing(office: Office) -> None:
    ann = office.person("U0ANN")
    _, answer = await answer_shown(office, ann)
    lunch = await ann.reply(CHANNEL, None, "lunch?")
    await ann.react(CHANNEL, lunch["ts"], EMOJI)
    await ann.react(CHANNEL, answer, "tada")
    await ann.react(CHANNEL, answer, EMOJI)  # events are worked on in order
    await told(ann, "Your flag on this answer is saved")
    assert len(flags(office)) == 1


async def test_the_emoji_is_the_assistants_own(closed_office: Office) -> None:
    slack = closed_office.assistant.slack.model_copy(update={"flag_reaction": "thumbsdown"})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        _, answer = await answer_shown(office, ann)
        await ann.react(CHANNEL, answer, EMOJI)
        await ann.react(CHANNEL, answer, "thumbsdown::skin-tone-4")
        await told(ann, "Your flag on this answer is saved")
        assert len(flags(office)) == 1
