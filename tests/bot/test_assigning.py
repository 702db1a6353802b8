"""Who is asked to take over, who follows whom, and what everybody sees of it."""

import pytest

from bot.standin.people import ActRefused, buttons_of, text_of
from records import escalations, handling
from records.messages import Role
from records.tables import Escalation
from tests.bot.office import (
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


async def test_a_colleague_is_asked_in_the_thread_and_the_card_says_so(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await found(ann, offering("assign"))
    await ann.click(CHANNEL, card["ts"], "assign")
    assert await fill(ann, {"assignee": "U0BEN"}) == {}
    asked = await found_in_thread(ben, card["ts"], saying("<@U0BEN>, <@U0ANN> asks you"))
    assert "press *Take over* on the card" in text_of(asked)
    await found(ben, saying("<@U0BEN> was asked to take over"))
    await ben.reply(CHANNEL, card["ts"], "I am asked, so I may speak?")
    await told(ben, "Nobody has taken this over")
    await ben.click(CHANNEL, card["ts"], "take_over")
    taken = await found(ann, saying("<@U0BEN> speaks with the customer"))
    assert "was asked" not in text_of(taken)
    assert [t.role for t in office.turns()] == [Role.CUSTOMER, Role.ASSISTANT]


async def test_an_owner_passes_on_and_speaks_until_the_colleague_takes_over(
    office: Office,
) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ann.click(CHANNEL, card["ts"], "assign")
    await fill(ann, {"assignee": "U0BEN"})
    await found_in_thread(ben, card["ts"], saying("asks you to take this over from them"))
    sent = await ann.reply(CHANNEL, card["ts"], "One moment, a colleague comes.")
    await office.said(sent["ts"])
    await ben.click(CHANNEL, card["ts"], "take_over_from")
    await found_in_thread(ann, card["ts"], saying("<@U0ANN>, what you write here stays internal"))
    await ann.reply(CHANNEL, card["ts"], "Did it work?")
    await told(ann, "<@U0BEN> speaks with this customer")
    said = await ben.reply(CHANNEL, card["ts"], "Here I am.")
    await office.said(said["ts"])
    words = [(t.author, t.content) for t in office.turns() if t.role is Role.AGENT]
    assert words == [("U0ANN", "One moment, a colleague comes."), ("U0BEN", "Here I am.")]


async def test_anybody_may_follow_an_owner_who_is_ill_and_both_are_told(office: Office) -> None:
    office.escalated()
    ann, cem = office.person("U0ANN"), office.person("U0CEM")
    card = await office.taken_by(ann)
    await cem.click(CHANNEL, card["ts"], "take_over_from")
    await found(ann, saying("<@U0CEM> speaks with the customer"))
    note = await found_in_thread(ann, card["ts"], saying("<@U0CEM> speaks with the customer now"))
    assert "<@U0ANN>" in text_of(note)


async def test_following_somebody_who_has_it_no_more_is_answered_politely(office: Office) -> None:
    escalation, _ = office.escalated()
    ann, cem = office.person("U0ANN"), office.person("U0CEM")
    card = await office.taken_by(ann)
    with office.database.write() as session:  # it went on, but the card does not show it yet
        session.get_one(Escalation, escalation).owner = "U0BEN"
    await cem.click(CHANNEL, card["ts"], "take_over_from")
    await told(cem, "Somebody else has this now")
    with office.database.read() as session:
        assert escalations.get(session, escalation).owner == "U0BEN"


async def test_bots_and_oneself_cannot_be_asked(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("assign"))
    await ann.click(CHANNEL, card["ts"], "assign")
    for user, words in (("U0STANDIN", "Bots can't"), ("U0ANN", "That is you")):
        errors = await fill(ann, {"assignee": user})
        assert words in errors["assignee"]
    assert await fill(ann, {"assignee": "U0BEN"}) == {}


async def test_who_may_not_pass_it_on_reads_why_in_the_form(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ben.click(CHANNEL, card["ts"], "assign")
    await fill(ben, {"assignee": "U0CEM"})
    view = await opened_form(ben, "Only <@U0ANN>, who has taken this over, can pass it on.")
    assert view["type"] == "modal"
    with office.database.read() as session:
        assert session.query(Escalation).one().assignee is None


async def test_what_has_ended_can_be_given_to_nobody(office: Office) -> None:
    escalation, _ = office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("assign"))
    await ann.click(CHANNEL, card["ts"], "dismiss")
    closed = await found(ann, saying("no person was needed"))
    assert buttons_of(closed) == {}
    with pytest.raises(ActRefused, match="no_such_button"):
        await ann.click(CHANNEL, card["ts"], "assign")
    with office.database.read() as session:
        assert escalations.get(session, escalation).assignee is None


async def test_a_question_to_a_colleague_that_came_too_late_is_not_asked(
    closed_office: Office,
) -> None:
    escalation, _ = closed_office.escalated()
    with closed_office.database.write() as session:
        handling.assign(session, escalation, agent="U0ANN", assignee="U0BEN")
        escalations.take_over(session, escalation, agent="U0CEM")
    async with closed_office.open():
        ann = closed_office.person("U0ANN")
        card = await found(ann, saying("<@U0CEM> speaks with the customer"))
        await ann.reply(CHANNEL, card["ts"], "note: done")
        await closed_office.all_sent()
        thread = await ann.thread(CHANNEL, card["ts"])
    assert not any("asks you" in text_of(message) for message in thread)
