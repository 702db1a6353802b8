"""From escalation to approved example, as agents live it: the real bot, over signed HTTP."""

import pytest
from sqlalchemy import select

from bot.standin.people import ActRefused, buttons_of, text_of
from records import examples, flags
from records.messages import Role
from records.states import EscalationState, ExampleState
from records.tables import Escalation, Example, Turn
from tests.bot.office import (
    ANSWER,
    CHANNEL,
    QUESTION,
    Office,
    fill,
    found,
    found_in_thread,
    offering,
    saying,
    told,
)


async def test_a_card_stands_in_the_channel_and_the_transcript_in_its_thread(
    office: Office,
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    for words in (QUESTION, "customer-7", "support-base", "asked for a person", "Waiting"):
        assert words in text_of(card).replace("\u2060", "")
    answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    thread = await ann.thread(CHANNEL, card["ts"])
    assert [QUESTION in text_of(thread[1]), ANSWER in text_of(thread[2])] == [True, True]
    assert thread[2]["ts"] == answer["ts"]
    assert buttons_of(thread[1]) == {}


async def test_a_customers_next_words_appear_in_the_thread(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    office.ask("Hello? Anybody?", "I have asked a colleague.")
    await found_in_thread(ann, card["ts"], saying("I have asked a colleague."))
    words = [text_of(m) for m in (await ann.thread(CHANNEL, card["ts"]))[1:]]
    wanted = [QUESTION, ANSWER, "Hello? Anybody?", "I have asked a colleague."]
    assert [w for w, text in zip(wanted, words, strict=True) if w in text] == wanted


async def test_only_one_agent_takes_over_and_the_others_see_who(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await found(ann, offering("take_over"))
    await ann.click(CHANNEL, card["ts"], "take_over")
    await found(ann, saying("<@U0ANN> speaks with the customer"))
    with pytest.raises(ActRefused, match="no_such_button"):
        await ben.click(CHANNEL, card["ts"], "take_over")


async def test_a_click_on_a_button_that_is_about_to_go_is_answered_politely(
    office: Office,
) -> None:
    escalation, _ = office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await found(ann, offering("take_over"))
    with office.database.write() as session:  # taken, but the card does not show it yet
        session.get_one(Escalation, escalation).owner = "U0ANN"
        session.get_one(Escalation, escalation).state = EscalationState.TAKEN
    await ben.click(CHANNEL, card["ts"], "take_over")
    await told(ben, "<@U0ANN> has already taken this over.")


async def test_words_reach_the_customer_only_from_the_owner_after_take_over(
    office: Office,
) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await found(ann, offering("take_over"))
    await ann.reply(CHANNEL, card["ts"], "too early")
    await told(ann, "Nobody has taken this over")
    await ann.click(CHANNEL, card["ts"], "take_over")
    await found(ann, saying("<@U0ANN> speaks with the customer"))
    await ben.reply(CHANNEL, card["ts"], "I would say no")
    await told(ben, "<@U0ANN> speaks with this customer")
    for note in ("note: she called before", "NOTE : twice", " *Note:* and again"):
        await ann.reply(CHANNEL, card["ts"], note)
    sent = await ann.reply(
        CHANNEL, card["ts"], "It comes &lt;today&gt;, see <https://a.example|here>."
    )
    marked = await found_in_thread(
        ann, card["ts"], lambda m: {r["name"] for r in m.get("reactions") or []} - {"lock"}
    )
    assert marked["ts"] == sent["ts"]
    relayed = [t.content for t in office.turns() if t.role is Role.AGENT]
    assert relayed == ["It comes <today>, see here (https://a.example)."]


async def test_messages_outside_of_an_escalations_thread_stay_where_they_are(
    office: Office,
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    await ann.click(CHANNEL, card["ts"], "take_over")
    lunch = await ann.reply(CHANNEL, None, "lunch?")
    await ann.reply(CHANNEL, lunch["ts"], "yes")
    await ann.reply(CHANNEL, card["ts"], "It is on its way.")
    await found_in_thread(ann, card["ts"], lambda m: m.get("reactions"))
    assert [t.content for t in office.turns() if t.role is Role.AGENT] == ["It is on its way."]


async def test_a_repeated_delivery_relays_nothing_twice(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    await ann.click(CHANNEL, card["ts"], "take_over")
    await found(ann, saying("speaks with the customer"))
    first = await ann.reply(CHANNEL, card["ts"], "It is on its way.")
    for _ in range(3):
        await ann.repeat_delivery(first["event_id"])
    last = await ann.reply(CHANNEL, card["ts"], "Anything else?")

    async def confirmed() -> bool:
        thread = await ann.thread(CHANNEL, card["ts"])
        return any(m["ts"] == last["ts"] and m.get("reactions") for m in thread)

    await ann.wait_for(confirmed)
    relayed = [t.content for t in office.turns() if t.role is Role.AGENT]
    assert relayed == ["It is on its way.", "Anything else?"]


async def test_resolving_proposes_the_reply_and_approval_is_shown(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ann.reply(CHANNEL, card["ts"], "It comes on Monday.")
    await found_in_thread(ann, card["ts"], lambda m: m.get("reactions"))
    await ann.click(CHANNEL, card["ts"], "resolve")
    await fill(ann, {})
    resolved = await found(ann, saying("Resolved by <@U0ANN>"))
    assert buttons_of(resolved) == {}
    example = await found_in_thread(ann, card["ts"], offering("approve_example"))
    assert all(words in text_of(example) for words in (QUESTION, ANSWER, "It comes on Monday."))
    await ben.click(CHANNEL, example["ts"], "approve_example")
    decided = await found_in_thread(ann, card["ts"], saying("Approved by <@U0BEN>"))
    assert buttons_of(decided) == {}
    with office.database.read() as session:
        approved = examples.approved(session, "support")
    assert [(e.chosen, e.decided_by) for e in approved] == [("It comes on Monday.", "U0BEN")]


async def test_an_example_can_be_approved_as_hand_over(office: Office) -> None:
    _, turn = office.escalated()
    ann = office.person("U0ANN")
    with office.database.write() as session:
        judgement = flags.Judgement(correction="Five days.")
        flags.add(session, turn, agent="U0ANN", judgement=judgement)
    card = await found(ann, offering("take_over"))
    example = await found_in_thread(ann, card["ts"], offering("approve_handover"))
    await ann.click(CHANNEL, example["ts"], "approve_handover")
    await found_in_thread(ann, card["ts"], saying("Approved by <@U0ANN>, <!date"))
    with office.database.read() as session:
        row = session.scalars(select(Example)).one()
    assert (row.state, row.should_escalate) == (ExampleState.APPROVED, True)


async def test_a_second_escalation_gets_a_card_and_the_whole_transcript(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await ann.click(CHANNEL, card["ts"], "resolve")
    await fill(ann, {})
    await found(ann, saying("Resolved by"))
    _, answer = office.ask("And now?", "Wait.")
    office.escalate(answer)
    again = await found(ann, offering("take_over"))
    await found_in_thread(ann, again["ts"], saying("Wait."))
    assert again["ts"] != card["ts"]
    assert len(await ann.thread(CHANNEL, again["ts"])) == 5
    assert len(await ann.thread(CHANNEL, card["ts"])) == 3
    with office.database.read() as session:
        assert len(list(session.scalars(select(Turn)))) == 4
