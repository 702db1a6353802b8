"""App Home: a reviewer decides on one example after the other, two clicks each at most."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.app import web_client
from bot.review import home
from bot.review.home import Doorway
from bot.review.home_state import HomeState
from bot.standin.people import ActRefused, Person, text_of
from records import examples, flags, imports
from records.flags import Judgement
from records.imports import Lesson
from records.messages import Message, Role
from records.states import ExampleState, FlagReason
from records.tables import Audit, Example
from tests.bot.office import CHANNEL, Office, fill, found_in_thread, opened_form, saying
from tests.records.talks import waiting_example

Home = dict[str, Any]


def imported(office: Office, *pairs: tuple[str, str]) -> None:
    """Examples that nobody has approved yet, in this order."""
    with office.database.write() as session:
        for asked, answer in pairs:
            imports.add_imported(
                session,
                Lesson([Message(Role.CUSTOMER, asked)], answer),
                assistant=office.assistant.name,
                key=f"import:{asked}",
                approved=False,
                actor="ops",
            )


def flagged(office: Office, correction: str, *, agent: str = "U0ANN", key: str = "c-1") -> str:
    """A flag with its example, which waits; the id of the flagged answer."""
    _, answer = office.ask(key=key)
    with office.database.write() as session:
        judgement = Judgement(FlagReason.WRONG, correction, note="Asked twice.")
        flags.add(session, answer, agent=agent, judgement=judgement)
    return answer


def with_slack(office: Office, **changes: Any) -> Office:
    slack = office.assistant.slack.model_copy(update=changes)
    office.assistant = office.assistant.model_copy(update={"slack": slack})
    return office


async def home_saying(person: Person, *words: str) -> Home:
    """The person's Home, as soon as it says all this."""
    return await home_that(person, lambda shown: all(word in text_of(shown) for word in words))


async def home_that(person: Person, fits: Callable[[Home], bool]) -> Home:
    async def look() -> Home | None:
        shown = await person.home()
        return shown if shown is not None and fits(shown) else None

    return await person.wait_for(look)


async def opened(person: Person, *words: str) -> Home:
    await person.open_home()
    return await home_saying(person, *words)


def rows(office: Office) -> dict[str, Example]:
    with office.database.read() as session:
        return {example.chosen: example for example in session.scalars(select(Example))}


async def test_home_shows_what_waits_and_the_first_example_as_a_diff(office: Office) -> None:
    flagged(office, "Cards take five days.")
    imported(office, ("How do I pay?", "With your card."))
    rev = office.person("U0REV")
    shown = await opened(rev, "2* examples wait for review", "1 of 2", "Asked twice.", "Wrong")
    parts = [e for b in shown["blocks"] if b["type"] == "rich_text" for e in b["elements"]]
    styles = {e["text"]: e.get("style") for part in parts for e in part["elements"]}
    assert styles["a year"] == {"strike": True}
    assert styles["five days"] == {"bold": True}


async def test_approving_is_one_click_and_the_next_example_follows(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Second.", "Approved: “a?”", "*One* example waits")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Nothing waits for review")
    assert {(e.state, e.decided_by) for e in rows(office).values()} == {
        (ExampleState.APPROVED, "U0REV")
    }


async def test_rejecting_for_a_reason_is_two_clicks_and_keeps_the_reason(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    example = rows(office)["First."]
    await rev.choose("review_reject", f"{example.id} duplicate", home=True)
    await home_saying(rev, "Second.", "Rejected: “a?”")
    assert rows(office)["First."].decision_note == "duplicate"


async def test_rejecting_in_words_asks_for_them(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    await rev.choose("review_reject", f"{rows(office)['First.'].id} other", home=True)
    await fill(rev, {"why": "Fees *changed*."})
    await home_saying(rev, "Second.", "Rejected: “a?”")
    assert rows(office)["First."].decision_note == "Fees *changed*."
    await rev.press("review_back", home=True)
    shown = await home_saying(rev, "First.", "Rejected by <@U0REV>")
    assert "*changed*" not in text_of(shown)


async def test_an_edit_saves_and_approves_in_one_go(office: Office) -> None:
    flagged(office, "Cards take five days.")
    rev = office.person("U0REV")
    await opened(rev, "1 of 1")
    await rev.press("review_edit", home=True)
    form = await opened_form(rev, "Save and approve")
    assert "Cards take five days." in str(form)
    await fill(rev, {"chosen": "Cards take five working days."})
    await home_saying(rev, "Nothing waits for review")
    example = rows(office)["Cards take five working days."]
    assert (example.state, example.edited_by) == (ExampleState.APPROVED, "U0REV")


async def test_an_edit_that_teaches_nothing_is_refused_in_the_form(office: Office) -> None:
    flagged(office, "Cards take five days.")
    rev = office.person("U0REV")
    await opened(rev, "1 of 1")
    await rev.press("review_edit", home=True)
    errors = await fill(rev, {"chosen": ""})
    assert "Write the right answer" in errors["chosen"]
    assert await fill(rev, {"chosen": "", "should_escalate": ["should_escalate"]}) == {}
    await home_saying(rev, "Nothing waits for review")
    assert rows(office)[""].should_escalate


async def test_skipping_goes_round_and_back_goes_back(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    for answer in ("Second.", "First.", "Second."):
        await rev.press("review_skip", home=True)
        await home_saying(rev, answer)
    await rev.press("review_back", home=True)
    await home_saying(rev, "First.")
    assert all(e.state is ExampleState.PROPOSED for e in rows(office).values())


async def test_a_decision_can_be_taken_back_at_once(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Second.")
    await rev.press("review_undo", home=True)
    await home_saying(rev, "First.", "Taken back: decide anew.")
    assert rows(office)["First."].state is ExampleState.PROPOSED


async def test_home_opens_where_it_was_left_with_the_filters_that_were_chosen(
    office: Office,
) -> None:
    flagged(office, "A flag.")
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev = office.person("U0REV")
    shown = await opened(rev, "A flag.")
    assert "Flagged answers (1)" in text_of(shown)
    assert "Imports (2)" in text_of(shown)
    await rev.choose("review_source", "import", home=True)
    await home_saying(rev, "First.", "*2* of 3 waiting examples fit")
    await rev.press("review_skip", home=True)
    await home_saying(rev, "Second.")
    await opened(rev, "Second.", "*2* of 3 waiting examples fit")
    await rev.choose("review_whose", "mine", home=True)
    await home_saying(rev, "Nothing that waits fits what you chose. 3 others wait.")
    await rev.press("review_show_all", home=True)
    await home_saying(rev, "*3* examples wait for review")


async def test_of_two_who_decide_the_second_is_told_and_goes_on(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev, ben = office.person("U0REV"), office.person("U0BEN")
    await opened(rev, "First.")
    await opened(ben, "First.")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Second.")
    await ben.choose("review_reject", f"{rows(office)['First.'].id} wrong", home=True)
    await home_saying(ben, "Second.", "already approved by <@U0REV>")
    assert rows(office)["First."].state is ExampleState.APPROVED


async def test_who_approves_what_somebody_approved_already_is_told_so(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev, ben = office.person("U0REV"), office.person("U0BEN")
    await opened(rev, "First.")
    await opened(ben, "First.")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Second.")
    await ben.press("review_approve", home=True)
    await home_saying(ben, "Second.", "already approved by <@U0REV>")
    assert rows(office)["First."].decided_by == "U0REV"


async def test_with_four_eyes_nobody_approves_what_they_wrote(closed_office: Office) -> None:
    async with with_slack(closed_office, four_eyes=True).open() as office:
        flagged(office, "Cards take five days.")
        ann, rev = office.person("U0ANN"), office.person("U0REV")
        await opened(ann, "You wrote this, so somebody else must approve it")
        with pytest.raises(ActRefused, match="no_such_button"):
            await ann.press("review_approve", home=True)
        await opened(rev, "1 of 1")
        await rev.press("review_edit", home=True)
        form = await opened_form(rev, "somebody else decides")
        assert "Save and approve" not in str(form)
        await fill(rev, {"chosen": "Cards take five working days."})
        await home_saying(rev, "Saved; somebody else must approve it", "You wrote this")
        assert rows(office)["Cards take five working days."].state is ExampleState.PROPOSED
        ben = office.person("U0BEN")
        await opened(ben, "Edited by <@U0REV>")
        await ben.press("review_approve", home=True)
        await home_saying(ben, "Nothing waits for review")


async def test_four_eyes_are_checked_on_the_server_too(closed_office: Office) -> None:
    async with with_slack(closed_office, four_eyes=True).open() as office:
        answer = flagged(office, "Cards take five days.")
        office.escalate(answer)
        ann = office.person("U0ANN")
        await opened(ann, "1 of 1")
        example = rows(office)["Cards take five days."]
        for row in office.rows("example_proposed"):
            assert row.subject == example.id
        card = await card_of_example(office, ann)
        await ann.click(CHANNEL, card["ts"], "approve_example")
        await told_privately(ann, "You wrote this example, so somebody else must approve it.")
        assert rows(office)["Cards take five days."].state is ExampleState.PROPOSED


async def card_of_example(office: Office, person: Person) -> Any:
    async def look() -> Any:
        for message in await person.messages(CHANNEL):
            for reply in [message, *(await person.thread(CHANNEL, message["ts"]))]:
                if "approve_example" in str(reply.get("blocks")):
                    return reply
        return None

    return await person.wait_for(look)


async def told_privately(person: Person, words: str) -> None:
    async def look() -> bool:
        return any(words in text_of(message) for message in await person.ephemerals())

    await person.wait_for(look)


async def test_who_is_no_reviewer_sees_numbers_and_who_reviews(closed_office: Office) -> None:
    async with with_slack(closed_office, reviewers=("U0REV", "S0TEAM")).open() as office:
        flagged(office, "Cards take five days.")
        ann, ben = office.person("U0ANN"), office.person("U0BEN")
        await ann.set_usergroup("S0TEAM", ["U0BEN"])
        shown = await opened(ann, "1 examples wait. <@U0REV>, <!subteam^S0TEAM> review them")
        assert "Cards take five days." not in text_of(shown)
        assert "*1* flagged" in text_of(shown)
        await opened(ben, "1 of 1")
        await ben.press("review_approve", home=True)
        await home_saying(ben, "Nothing waits for review")


async def test_a_group_that_is_gone_locks_nobody_out_of_another_and_breaks_no_page(
    closed_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    named = ("S0GONE", "S0TEAM")
    async with with_slack(closed_office, reviewers=named, operators=named).open() as office:
        flagged(office, "Cards take five days.")
        ann, ben = office.person("U0ANN"), office.person("U0BEN")
        await ann.set_usergroup("S0TEAM", ["U0BEN"])
        await opened(ben, "1 of 1")
        assert "who is in S0GONE" in caplog.text
        await opened(ann, "1 examples wait")
        await ann.slash("/retrain", channel=CHANNEL)
        await told_privately(ann, "Slack does not say who is in <!subteam^S0GONE>")


async def test_a_card_is_rejected_with_a_reason_and_by_reviewers_only(
    closed_office: Office,
) -> None:
    async with with_slack(closed_office, reviewers=("U0REV",)).open() as office:
        answer = flagged(office, "Cards take five days.")
        office.escalate(answer)
        ann, rev = office.person("U0ANN"), office.person("U0REV")
        card = await card_of_example(office, ann)
        option = f"{rows(office)['Cards take five days.'].id} one_off"
        await ann.choose("reject_example", option, channel=CHANNEL, ts=card["ts"])
        await told_privately(ann, "Only <@U0REV> may review examples for support.")
        await rev.choose("reject_example", option, channel=CHANNEL, ts=card["ts"])
        thread = card.get("thread_ts") or card["ts"]
        words = "Rejected by <@U0REV>, <!date"
        if thread == card["ts"]:
            await found_example(rev, words)
        else:
            await found_in_thread(rev, thread, saying(words))
        assert rows(office)["Cards take five days."].decision_note == "one_off"


async def found_example(person: Person, words: str) -> None:
    async def look() -> bool:
        return any(words in text_of(message) for message in await person.messages(CHANNEL))

    await person.wait_for(look)


async def test_the_conversation_before_the_question_is_a_click_away(office: Office) -> None:
    said = [(Role.CUSTOMER, "Hi there"), (Role.ASSISTANT, "Hello!"), (Role.CUSTOMER, "PIN?")]
    with office.database.write() as session:
        lesson = Lesson([Message(role, words) for role, words in said], "In the app.")
        imports.add_imported(
            session, lesson, assistant="support", key="i", approved=False, actor="ops"
        )
    rev = office.person("U0REV")
    await opened(rev, "Before that", "Hi there", "Hello!")
    await rev.press("review_conversation", home=True)
    form = str(await opened_form(rev, "Conversation"))
    assert all(words in form for _, words in said)


async def test_near_duplicates_that_agree_are_approved_together(office: Office) -> None:
    imported(
        office,
        ("How do I change my PIN?", "In the app."),
        ("How do I change my PIN??", "In the app."),
        ("how do i change my PIN", "In the App."),
        ("Where is my card?", "In the post."),
    )
    rev = office.person("U0REV")
    await opened(rev, "Nearly the same question, and the same right answer", "Approve all 3")
    await rev.press("review_approve_all", home=True)
    await home_saying(rev, "Approved 3 examples.", "In the post.")
    states = [e.state for e in rows(office).values()]
    assert states.count(ExampleState.PROPOSED) == 1


async def test_near_duplicates_that_contradict_are_marked_and_not_approved_together(
    office: Office,
) -> None:
    imported(
        office,
        ("How do I change my PIN?", "In the app."),
        ("How do I change my PIN??", "At a machine."),
    )
    rev = office.person("U0REV")
    shown = await opened(rev, "the right answers differ", "another answer: At a machine.")
    assert "Approve all" not in text_of(shown)
    await rev.press("review_show", home=True)
    await home_saying(rev, "another answer: In the app.")


async def test_what_changed_meanwhile_is_not_approved_with_the_others(office: Office) -> None:
    imported(office, ("My PIN is wrong?", "In the app."), ("My PIN is wrong??", "In the app."))
    rev = office.person("U0REV")
    await opened(rev, "Approve all 2")
    with office.database.write() as session:
        waiting = session.scalars(select(Example.id).order_by(Example.created_at)).all()
        examples.edit(session, waiting[1], chosen="No.", should_escalate=False, actor="U0BEN")
    await rev.press("review_approve_all", home=True)
    await home_saying(rev, "Approved 1 examples. 1 were left alone")
    assert rows(office)["No."].state is ExampleState.PROPOSED


async def test_nobody_approves_words_that_were_edited_after_they_read_them(
    office: Office,
) -> None:
    imported(office, ("My PIN is wrong?", "In the app."))
    rev = office.person("U0REV")
    await opened(rev, "In the app.")
    example_id = rows(office)["In the app."].id
    with office.database.write() as session:
        examples.edit(session, example_id, chosen="No.", should_escalate=False, actor="U0BEN")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "This example was edited by <@U0BEN> meanwhile", "No.")
    assert rows(office)["No."].state is ExampleState.PROPOSED
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Nothing waits for review")


async def test_personal_data_is_named(office: Office) -> None:
    imported(office, ("I am ann@mail.example", "Thank you, +49 170 1234567."))
    await opened(office.person("U0REV"), "Personal data:* e-mail address, phone number")


async def test_imports_are_one_message_and_no_cards(office: Office) -> None:
    imported(office, *((f"Question {n}?", f"{n}.") for n in range(20)))
    with office.database.write() as session:
        imports.tell_imported(session, "support", run="imp_1", number=1250)
    rev = office.person("U0REV")

    async def look() -> Any:
        return await rev.messages(CHANNEL)

    messages = await rev.wait_for(look)
    assert [text_of(m) for m in messages if "1,250 examples" in text_of(m)]
    assert len(messages) == 1


async def test_every_press_is_in_the_audit_with_its_person(office: Office) -> None:
    imported(office, ("a?", "First."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    await rev.press("review_approve", home=True)
    await home_saying(rev, "Nothing waits for review")
    with office.database.read() as session:
        noted = session.execute(select(Audit.actor, Audit.action)).all()
    assert ("U0REV", "example_approved") in [tuple(row) for row in noted]


async def test_five_thousand_waiting_examples_open_quickly(office: Office) -> None:
    with office.database.write() as session:
        session.add_all(waiting_example(number) for number in range(5000))
    rev = office.person("U0REV")
    began = time.perf_counter()
    await opened(rev, "*5,000* examples wait for review")
    assert time.perf_counter() - began < 1


async def test_home_says_that_it_is_loading_while_the_database_is_slow(office: Office) -> None:
    imported(office, ("a?", "First."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    with office.database.write() as session:
        session.execute(text("DELETE FROM slack_events"))  # holds SQLite's write lock
        session.flush()
        await rev.press("review_approve", home=True)  # acknowledged all the same
        await home_saying(rev, "Loading …")
        await asyncio.sleep(0)
    await home_saying(rev, "Nothing waits for review")


async def test_what_fails_is_said_in_home_and_can_be_tried_again(office: Office) -> None:
    imported(office, ("a?", "First."))
    rev = office.person("U0REV")
    await opened(rev, "First.")
    with office.database.write() as session:
        session.execute(text("ALTER TABLE flags RENAME TO hidden"))
    await rev.press("review_skip", home=True)
    await home_saying(rev, "Load again")
    with office.database.write() as session:
        session.execute(text("ALTER TABLE hidden RENAME TO flags"))
    await rev.press("review_reload", home=True)
    await home_saying(rev, "First.")


async def test_a_late_opening_does_not_undo_what_was_pressed_since(office: Office) -> None:
    imported(office, ("a?", "First."), ("b?", "Second."))
    rev = office.person("U0REV")
    left = await opened(rev, "First.")
    await rev.press("review_skip", home=True)
    await home_saying(rev, "Second.")
    client = web_client(office.bot_settings, "xoxb-standin")
    state = HomeState.loaded(left["private_metadata"])
    await home.show(office.running, Doorway(client, "U0REV", state, hash=left["hash"]))
    assert "Second." in text_of(await rev.home() or {})
