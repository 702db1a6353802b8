"""How an escalation ends: *Resolve* with its form, *Hand back*, *Not needed*."""

import asyncio

import pytest
from sqlalchemy import select, text

from bot import forms
from bot.standin.people import buttons_of, text_of
from records import endings, escalations
from records.outbox import Kind
from records.states import EscalationState, Resolution
from records.tables import Escalation, Example, Outcome
from tests.bot.office import CHANNEL, Office, fill, found, offering, opened_form, saying, told


def row(office: Office) -> Escalation:
    with office.database.read() as session:
        return session.scalars(select(Escalation)).one()


async def test_the_form_asks_how_it_ended_and_the_card_says_it(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await office.said((await ann.reply(CHANNEL, card["ts"], "It comes on Monday."))["ts"])
    await ann.click(CHANNEL, card["ts"], "resolve")
    await fill(ann, {"resolution": "partly_solved", "note": "See ticket 7."})
    resolved = await found(ann, saying("Resolved by <@U0ANN>: *partly solved*"))
    assert "See ticket 7." in text_of(resolved)
    assert "Handling time" in text_of(resolved)
    assert buttons_of(resolved) == {}
    assert row(office).resolution is Resolution.PARTLY_SOLVED
    with office.database.read() as session:
        metrics = {row.metric: row.value for row in session.scalars(select(Outcome))}
        assert session.scalars(select(Example.chosen)).all() == ["It comes on Monday."]
    assert metrics[endings.SOLVED_BY_PERSON] == 0
    assert metrics["handle_minutes"] >= 0


async def test_replies_are_kept_from_learning_by_a_tick_less(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await office.said((await ann.reply(CHANNEL, card["ts"], "It comes on Monday."))["ts"])
    await ann.click(CHANNEL, card["ts"], "resolve")
    await fill(ann, {"save_example": []})
    await found(ann, saying("Resolved by <@U0ANN>: *solved*"))
    assert office.rows(Kind.EXAMPLE_PROPOSED) == []


async def test_of_several_replies_the_agent_says_what_would_have_been_right(
    office: Office,
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    for words in ("Hello, I am Ann.", "It comes on Monday, by post.", "Bye!"):
        await office.said((await ann.reply(CHANNEL, card["ts"], words))["ts"])
    await ann.click(CHANNEL, card["ts"], "resolve")
    view = await opened_form(ann, "How did it end?")
    assert "It comes on Monday, by post." in str(view)
    await fill(ann, {"right_answer": "It comes within a week, by post."})
    await found(ann, saying("Resolved by <@U0ANN>: *solved*"))
    with office.database.read() as session:
        example = session.scalars(select(Example)).one()
    assert example.chosen == "It comes within a week, by post."
    assert example.created_by == "U0ANN"


async def test_several_replies_that_nobody_chose_from_are_no_example(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    for words in ("Hello, I am Ann.", "It comes on Monday."):
        await office.said((await ann.reply(CHANNEL, card["ts"], words))["ts"])
    await ann.click(CHANNEL, card["ts"], "resolve")
    await fill(ann, {})
    await found(ann, saying("Resolved by <@U0ANN>: *solved*"))
    assert office.rows(Kind.EXAMPLE_PROPOSED) == []


async def test_where_nothing_was_said_there_is_nothing_to_learn_from(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await ann.click(CHANNEL, card["ts"], "resolve")
    view = await opened_form(ann, "How did it end?")
    assert "save_example" not in str(view)
    await fill(ann, {"resolution": "no_reply"})
    await found(ann, saying("the customer did not come back"))


async def test_only_the_owner_gets_the_form(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ben.click(CHANNEL, card["ts"], "resolve")
    await told(ben, "Only <@U0ANN>, who has taken this over, can resolve it.")
    assert await ben.open_view() is None


async def test_a_form_that_comes_too_late_says_why(office: Office) -> None:
    escalation, _ = office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await ann.click(CHANNEL, card["ts"], "resolve")
    with office.database.write() as session:
        escalations.take_over(session, escalation, agent="U0BEN", instead_of="U0ANN")
    await fill(ann, {})
    await opened_form(ann, "Only <@U0BEN>, who has taken this over, can resolve it.")
    assert row(office).state is EscalationState.TAKEN


async def test_a_form_that_is_sent_twice_ends_it_once(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await ann.click(CHANNEL, card["ts"], "resolve")
    view = await opened_form(ann, "How did it end?")
    sent = [ann.submit({}, view_id=view["id"]) for _ in range(2)]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    assert {} in answers
    await found(ann, saying("Resolved by <@U0ANN>"))
    assert [m for m in await ann.ephemerals() if "resolved already" in text_of(m)] == []


async def test_while_the_database_is_slow_something_is_shown_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "PATIENCE_SECONDS", 0.02)
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    slow = asyncio.Event()
    read = office.running.read

    async def late(work: object) -> object:
        await slow.wait()
        return await read(work)  # type: ignore[arg-type]

    monkeypatch.setattr(office.running, "read", late)
    await ann.click(CHANNEL, card["ts"], "resolve")
    await opened_form(ann, "One moment")
    slow.set()
    await opened_form(ann, "How did it end?")


async def test_handing_back_is_shown_as_that_and_not_as_resolved(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ben.click(CHANNEL, card["ts"], "hand_back")
    await told(ben, "Only <@U0ANN>, who has taken this over, can hand it back.")
    await ann.click(CHANNEL, card["ts"], "hand_back")
    back = await found(ann, saying("Handed back to the assistant by <@U0ANN>"))
    assert "Resolved" not in text_of(back)
    assert buttons_of(back) == {}
    await ann.reply(CHANNEL, card["ts"], "One more thing.")
    await told(ann, "stays internal")


async def test_what_needs_nobody_is_closed_and_a_later_take_over_is_told_so(
    office: Office,
) -> None:
    escalation, _ = office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await found(ann, offering("dismiss"))
    assert "resolve" not in buttons_of(card)
    with office.database.write() as session:
        session.execute(text("UPDATE outbox SET state = 'sent' WHERE state = 'pending'"))
        endings.dismiss(session, escalation, agent="U0ANN")
        session.execute(text("UPDATE outbox SET state = 'failed' WHERE state = 'pending'"))
    await ben.click(CHANNEL, card["ts"], "take_over")
    await told(ben, "This escalation is resolved already.")
