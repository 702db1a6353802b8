"""Agents ask versions in Slack: streamed, recorded apart from customers, judged, flagged."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from bot import wording
from bot.asking.growing_message import GrowingMessage
from bot.incoming.deliveries import first_time
from bot.incoming.message import Message
from bot.incoming.relay import take
from bot.process import Bot
from bot.standin.people import buttons_of, text_of
from bot.workspaces.channel_names import ChannelNames
from records import asking, drafts, trial_answers
from records.artifacts import Artifacts
from records.assistant import Assistant, SlackOptions
from records.database import Database
from records.engine import Engine
from records.errors import Conflict, InvalidInput, StorageUnavailable
from records.ids import utc_now
from records.messages import Role
from records.states import FlagReason
from records.tables import Audit, Conversation, Escalation, Example, Flag, Outcome, Turn
from tests.bot.asking_office import BOT, AskingOffice, Q, answered, asking_office, plain
from tests.bot.office import CHANNEL, Office, fill, found, found_in_thread, saying, told
from tests.conftest import install
from tests.stub_engine import Fault

if TYPE_CHECKING:
    from tests.real_engine import RealEngine


@pytest.fixture
async def office(closed_office: Office) -> AsyncIterator[AskingOffice]:
    made = asking_office(closed_office)
    async with made.open():
        yield made


async def test_a_direct_message_is_answered_in_its_thread_by_the_champion(
    office: AskingOffice,
) -> None:
    ann = office.person("U0ANN")
    asked = await ann.direct(Q)
    shown = await answered(ann, ann.dm(), asked["ts"], f"support-base answers: {Q}")
    assert re.search(r"Version 1 \(support-base\) · \d+ ms · ", plain(shown))
    assert "mean token probability 0.78" in plain(shown)
    assert "counted in no figure" in plain(shown)
    assert "flag_answer" in buttons_of(shown)
    assert shown["thread_ts"] == asked["ts"]
    question, answer = office.trial_turns()
    assert (question.role, question.content, question.author) == (Role.CUSTOMER, Q, "U0ANN")
    assert (answer.version, answer.content) == ("support-base", f"support-base answers: {Q}")
    assert answer.first_token_ms is not None
    assert answer.duration_ms is not None
    assert answer.first_token_ms <= answer.duration_ms


async def test_the_engine_gets_what_a_customers_question_would_be(office: AskingOffice) -> None:
    ann = office.person("U0ANN")
    asked = await ann.direct(Q)
    await answered(ann, ann.dm(), asked["ts"], "support-base answers")
    followed = await ann.direct("And my PIN?", thread_ts=asked["ts"])
    assert followed["ts"] != asked["ts"]
    await answered(ann, ann.dm(), asked["ts"], "answers: And my PIN?")
    chat = [
        {"role": "system", "content": office.assistant.system_prompt},
        {"role": "user", "content": Q},
        {"role": "assistant", "content": f"support-base answers: {Q}"},
        {"role": "user", "content": "And my PIN?"},
    ]
    sent = office.engine.requests[-1]
    served = office.assistant.engine_request(chat)
    added = {"model", "stream", "stream_options", "logprobs"}
    assert {key: value for key, value in sent.items() if key not in added} == served
    assert sent["model"] == "support-base"


async def test_a_mention_is_answered_once_though_slack_tells_of_it_twice(
    office: AskingOffice,
) -> None:
    ann = office.person("U0ANN")
    asked = await ann.reply(CHANNEL, None, f"{BOT} {Q}")
    await answered(ann, CHANNEL, asked["ts"], "support-base answers")
    for _ in range(2):
        await ann.repeat_delivery(asked["event_id"])
    later = await ann.reply(CHANNEL, asked["ts"], f"And my PIN? {BOT}")
    await answered(ann, CHANNEL, asked["ts"], "answers: And my PIN?")
    await ann.repeat_delivery(later["event_id"])
    assert [r["messages"][-1]["content"] for r in office.engine.requests] == [Q, "And my PIN?"]
    assert len(await ann.thread(CHANNEL, asked["ts"])) == 4


async def test_talk_in_a_thread_without_a_mention_is_left_alone(office: AskingOffice) -> None:
    ann = office.person("U0ANN")
    asked = await ann.reply(CHANNEL, None, f"{BOT} {Q}")
    await answered(ann, CHANNEL, asked["ts"], "support-base answers")
    await ann.reply(CHANNEL, asked["ts"], "nice")
    last = await ann.reply(CHANNEL, None, f"{BOT} another one")
    await answered(ann, CHANNEL, last["ts"], "support-base answers")
    assert len(office.engine.requests) == 2


async def test_the_answer_grows_while_it_is_made(office: AskingOffice) -> None:
    ann = office.person("U0ANN")
    office.engine.hold()
    asked = await ann.direct(Q)
    growing = await answered(ann, ann.dm(), asked["ts"], "support-base", ended=False)
    assert Q not in text_of(growing)
    office.engine.held.set()
    ended = await answered(ann, ann.dm(), asked["ts"], f"answers: {Q}")
    assert ended["ts"] == growing["ts"]


async def test_a_version_is_loaded_and_proved_before_it_is_asked(office: AskingOffice) -> None:
    ann, version = office.person("U0ANN"), office.add_version()
    asked = await ann.direct(f"ask version {version[:13]}: {Q}")
    shown = await answered(ann, ann.dm(), asked["ts"], f"{version} answers: {Q}")
    assert f"Version 2 ({version}) · " in plain(shown)
    assert list(office.engine.loaded) == [version]
    await ann.direct("And my PIN?", thread_ts=asked["ts"])
    await answered(ann, ann.dm(), asked["ts"], f"{version} answers: And my PIN?")


async def test_a_version_that_is_not_applied_is_not_asked(office: AskingOffice) -> None:
    ann, version = office.person("U0ANN"), office.add_version()
    office.engine.not_applied.add(version)
    asked = await ann.direct(f"ask {version} {Q}")
    shown = await answered(ann, ann.dm(), asked["ts"], "was not answered")
    assert "is loaded but not applied" in plain(shown)
    assert office.engine.requests == []


async def test_an_unknown_version_is_answered_with_those_that_there_are(
    office: AskingOffice,
) -> None:
    ann = office.person("U0ANN")
    await ann.direct(f"ask version 1234 {Q}")
    await told(ann, "no version `1234`. There are: version 1 (`support-base`).")
    assert office.trial_turns() == []


async def test_help_says_how_to_ask_and_offers_a_thread_with_a_version(
    office: AskingOffice,
) -> None:
    ann, version = office.person("U0ANN"), office.add_version()
    asked = await ann.direct("help")
    shown = await answered(ann, ann.dm(), asked["ts"], "Just ask")
    await ann.choose("pick_version", version, channel=ann.dm(), ts=shown["ts"])
    head = await found(ann, lambda m: "answers what you write" in text_of(m), channel=ann.dm())
    assert version in plain(head)
    await ann.direct(Q, thread_ts=head["ts"])
    await answered(ann, ann.dm(), head["ts"], f"{version} answers: {Q}")


@pytest.mark.parametrize("method", ["chat_postMessage", "chat_update"])
async def test_help_and_its_threads_come_later_or_say_nothing_false_where_slack_fails(
    office: AskingOffice, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    ann, version = office.person("U0ANN"), office.add_version()
    real, calls = getattr(AsyncWebClient, method), []

    async def once(self: AsyncWebClient, **given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise TimeoutError
        return await real(self, **given)

    monkeypatch.setattr(AsyncWebClient, method, once)
    monkeypatch.setattr("bot.incoming.said_once.LONGEST_SECONDS", 0.0)
    asked = await ann.direct("help")
    shown = await answered(ann, ann.dm(), asked["ts"], "Just ask")
    await ann.choose("pick_version", version, channel=ann.dm(), ts=shown["ts"])
    wanted = "One moment" if method == "chat_update" else "answers what you write"
    head = await found(ann, lambda m: wanted in text_of(m), channel=ann.dm())
    await ann.direct(Q, thread_ts=head["ts"])
    await answered(ann, ann.dm(), head["ts"], f"{version} answers: {Q}")


async def test_a_version_that_could_not_be_picked_is_not_said_to_answer(
    office: AskingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("The database cannot be used now.")

    ann, version = office.person("U0ANN"), office.add_version()
    asked = await ann.direct("help")
    shown = await answered(ann, ann.dm(), asked["ts"], "Just ask")
    monkeypatch.setattr(asking, "pin", away)
    await ann.choose("pick_version", version, channel=ann.dm(), ts=shown["ts"])
    await found_in_thread(ann, asked["ts"], saying("cannot be used now"), channel=ann.dm())
    said = [text_of(m) for m in await ann.messages(ann.dm())]
    assert not any("answers what you write" in words for words in said)


async def test_an_engine_that_is_down_is_said_in_words_and_can_be_asked_again(
    office: AskingOffice,
) -> None:
    ann = office.person("U0ANN")
    await office.engine.stop()
    asked = await ann.direct(Q)
    failed = await answered(ann, ann.dm(), asked["ts"], "was not answered")
    assert "understudy up" in text_of(failed)
    assert [t.role for t in office.trial_turns()] == [Role.CUSTOMER]
    await office.engine.start()
    await ann.click(ann.dm(), failed["ts"], "ask_again")
    await answered(ann, ann.dm(), asked["ts"], f"support-base answers: {Q}")
    changed = await answered(ann, ann.dm(), asked["ts"], "<@U0ANN> asked again")
    assert buttons_of(changed) == {}
    assert len(office.trial_turns()) == 2


@pytest.mark.parametrize("fault", [Fault.DIE, Fault.ERROR_EVENT, Fault.ERROR_500])
async def test_an_answer_that_breaks_off_is_taken_away_and_told_of(
    office: AskingOffice, fault: Fault
) -> None:
    ann = office.person("U0ANN")
    office.engine.fault = fault
    asked = await ann.direct(Q)
    await answered(ann, ann.dm(), asked["ts"], "was not answered")
    thread = await ann.thread(ann.dm(), asked["ts"])
    assert [m["ts"] for m in thread if "answers:" in text_of(m)] == []
    assert len(office.trial_turns()) == 1


async def test_the_handoff_marker_is_not_shown_but_said_in_words(office: AskingOffice) -> None:
    ann = office.person("U0ANN")
    office.engine.answer = lambda *_: "[handoff] A colleague will help."
    asked = await ann.direct(Q)
    shown = await answered(ann, ann.dm(), asked["ts"], "A colleague will help.")
    assert "asked for a person" in plain(shown)
    assert "[handoff]" not in plain(shown)
    assert office.trial_turns()[1].handed_over
    with office.database.read() as session:
        assert session.scalars(select(Escalation)).all() == []


async def test_a_models_words_cannot_ping_link_or_format_while_they_stream(
    office: AskingOffice,
) -> None:
    ann = office.person("U0ANN")
    office.engine.answer = lambda *_: "<!channel> <@U0BEN> [x](https://evil.example) **b** done"
    asked = await ann.direct(Q)
    shown = await answered(ann, ann.dm(), asked["ts"], "done")
    for harmful in ("<!channel>", "<@U0BEN>", "](", "https://", "**"):
        assert harmful not in text_of(shown)


async def test_a_thumb_up_is_noted_as_no_outcome_and_replaces_the_thumbs(
    office: AskingOffice,
) -> None:
    ann = office.person("U0ANN")
    asked = await ann.direct(Q)
    shown = await answered(ann, ann.dm(), asked["ts"], "answers:")
    answer = office.trial_turns()[1]
    await ann.feedback(ann.dm(), shown["ts"], "rate_answer", f"good:{answer.id}")
    liked = await answered(ann, ann.dm(), asked["ts"], "Good, says <@U0ANN>")
    assert "feedback_buttons" not in str(liked["blocks"])
    assert answer.content in text_of(liked)
    with office.database.read() as session:
        assert session.scalars(select(Outcome)).all() == []
        assert session.scalars(select(Audit.actor).where(Audit.action == "like_answer")).all() == [
            "U0ANN"
        ]


async def test_a_thumb_down_flags_at_once_and_the_correction_becomes_an_example(
    office: AskingOffice,
) -> None:
    ann = office.person("U0ANN")
    asked = await ann.direct(Q)
    shown = await answered(ann, ann.dm(), asked["ts"], "answers:")
    answer = office.trial_turns()[1]
    await ann.feedback(ann.dm(), shown["ts"], "rate_answer", f"bad:{answer.id}")
    with office.database.read() as session:
        assert [f.turn_id for f in session.scalars(select(Flag))] == [answer.id]
    await fill(ann, {"reason": "wrong", "correction": "Five days."})
    flagged = await answered(ann, ann.dm(), asked["ts"], "Flagged by <@U0ANN>: wrong")
    assert "flag_answer" in buttons_of(flagged)
    with office.database.read() as session:
        example = session.scalars(select(Example)).one()
        assert [f.reason for f in session.scalars(select(Flag))][-1] is FlagReason.WRONG
    assert (example.chosen, example.rejected, example.customer) == (
        "Five days.",
        answer.content,
        None,
    )
    assert example.prompt == [{"role": "customer", "content": Q}]


async def test_two_versions_answer_blind_and_are_named_when_one_is_judged(
    office: AskingOffice,
) -> None:
    ann, version = office.person("U0ANN"), office.add_version()
    office.engine.answer = lambda model, _: "Ja." if model == version else "Nein."
    asked = await ann.direct(f"compare {version} champion: {Q}")
    judging = await answered(ann, ann.dm(), asked["ts"], "Which answer is better?")
    shown = [m for m in await ann.thread(ann.dm(), asked["ts"]) if "Answer " in text_of(m)]
    assert [
        wording.asking.TITLE.format(number=n) in text_of(m) for n, m in enumerate(shown, 1)
    ] == [True, True]
    for message in [*shown, judging]:
        assert version not in plain(message)
        assert "support-base" not in plain(message)
    await ann.click(ann.dm(), judging["ts"], "judge_first")
    judged = await answered(ann, ann.dm(), asked["ts"], "is better than")
    assert buttons_of(judged) == {}
    first = shown[0]
    better = version if "Ja." in plain(first) else "support-base"
    assert f"({better})* is better than" in plain(judged)
    for name in (version, "support-base"):
        await answered(ann, ann.dm(), asked["ts"], f"({name}) · ")


async def test_answers_are_numbered_as_they_stand_however_late_the_first_begins(
    office: AskingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, overtaken = GrowingMessage.begin, asyncio.Event()

    async def slowly(message: GrowingMessage, heading: str = "") -> None:
        if "Answer 2" in heading:
            overtaken.set()
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(overtaken.wait(), 0.2)
        await begin(message, heading)

    monkeypatch.setattr(GrowingMessage, "begin", slowly)
    ann, version = office.person("U0ANN"), office.add_version()
    asked = await ann.direct(f"compare {version} support-base: {Q}")
    await answered(ann, ann.dm(), asked["ts"], "Which answer is better?")
    thread = [text_of(m) for m in await ann.thread(ann.dm(), asked["ts"])]
    numbered = [text for text in thread if "Answer " in text]
    assert ["Answer 1" in text for text in numbered] == [True, False]


async def test_of_two_answers_in_the_same_words_none_is_to_be_judged(office: AskingOffice) -> None:
    ann, version = office.person("U0ANN"), office.add_version()
    office.engine.answer = lambda *_: "In five days."
    asked = await ann.direct(f"compare {version} support-base: {Q}")
    same = await answered(ann, ann.dm(), asked["ts"], "Both versions gave the same answer")
    assert buttons_of(same) == {}


async def test_no_more_than_a_few_are_answered_at_a_time(office: AskingOffice) -> None:
    ann, ben, cem = (office.person(user) for user in ("U0ANN", "U0BEN", "U0CEM"))
    office.engine.hold()
    places = [(person, await person.direct(Q)) for person in (ann, ben)]
    for person, asked in places:
        await answered(person, person.dm(), asked["ts"], "support-base", ended=False)
    third = await cem.direct(Q)
    await told(cem, "2 answers are being made already")
    assert len(office.engine.requests) == 2
    office.engine.held.set()
    for person, asked in [*places, (cem, third)]:
        await answered(person, person.dm(), asked["ts"], f"support-base answers: {Q}")


async def test_a_stopped_bot_tells_the_asker_when_it_is_back(closed_office: Office) -> None:
    office = asking_office(closed_office)
    ann = office.person("U0ANN")
    async with office.slack(), office.engine:
        office.engine.hold()
        async with Bot(office.bot_settings, office.desk):
            asked = await ann.direct(Q)
            await answered(ann, ann.dm(), asked["ts"], "support-base", ended=False)
        office.engine.held.set()
        async with Bot(office.bot_settings, office.desk):
            stopped = await answered(ann, ann.dm(), asked["ts"], "was not answered")
            assert wording.asking.STOPPED in plain(stopped)
            await ann.click(ann.dm(), stopped["ts"], "ask_again")
            await answered(ann, ann.dm(), asked["ts"], f"support-base answers: {Q}")
            thread = await ann.thread(ann.dm(), asked["ts"])
        assert [m for m in thread if m.get("streaming") == "in_progress"] == []


@pytest.mark.parametrize("method", ["chat_startStream", "chat_appendStream", "chat_stopStream"])
async def test_a_stream_that_slack_refuses_becomes_an_ordinary_message(
    office: AskingOffice, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async def refused(*_: object, **__: object) -> None:
        answer = {"ok": False, "error": "message_not_in_streaming_state"}
        raise SlackApiError("refused", answer)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(AsyncWebClient, method, refused)
    office.engine.seconds_per_piece = 0.02
    ann = office.person("U0ANN")
    asked = await ann.direct(Q)
    shown = await answered(ann, ann.dm(), asked["ts"], f"support-base answers: {Q}")
    assert "streaming" not in shown
    assert "flag_answer" in buttons_of(shown)
    assert len(await ann.thread(ann.dm(), asked["ts"])) == 2


async def test_an_end_that_arrived_unnoticed_is_not_shown_twice(
    office: AskingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = AsyncWebClient.chat_stopStream

    async def unheard(client: AsyncWebClient, **given: Any) -> None:
        await stop(client, **given)
        raise TimeoutError

    monkeypatch.setattr(AsyncWebClient, "chat_stopStream", unheard)
    ann = office.person("U0ANN")
    asked = await ann.direct(Q)
    shown = await answered(ann, ann.dm(), asked["ts"], f"support-base answers: {Q}")
    row = await office.shown_row()
    assert (row.channel, row.ts) == (ann.dm(), shown["ts"])
    assert len(await ann.thread(ann.dm(), asked["ts"])) == 2


async def test_a_mention_in_an_escalations_thread_makes_a_draft_that_only_the_owner_sends(
    office: AskingOffice,
) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ann.reply(CHANNEL, card["ts"], f"{BOT} draft")
    draft = await answered(ann, CHANNEL, card["ts"], "Draft – the customer has not read this")
    assert f"support-base answers: {Q}" in plain(draft)
    assert [t.content for t in office.turns() if t.role is Role.AGENT] == []
    await ben.click(CHANNEL, draft["ts"], "send_draft")
    await told(ben, "Only the agent who has taken this over")
    await ann.click(CHANNEL, draft["ts"], "send_draft")
    sent = await answered(ann, CHANNEL, card["ts"], "Passed on to the customer by <@U0ANN>")
    assert "send_draft" not in buttons_of(sent)
    replies = [t for t in office.turns() if t.role is Role.AGENT]
    assert [(t.content, t.author) for t in replies] == [(f"support-base answers: {Q}", "U0ANN")]
    with office.database.read() as session:
        trial = session.scalars(select(Conversation).where(Conversation.trial)).one()
    assert trial.customer == "customer-7"


async def test_a_draft_is_edited_before_it_is_sent_and_only_once(office: AskingOffice) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ann.reply(CHANNEL, card["ts"], f"{BOT} draft")
    draft = await answered(ann, CHANNEL, card["ts"], "Draft – the customer has not read this")
    assert wording.asking.UNCOUNTED not in plain(draft)
    await ben.click(CHANNEL, draft["ts"], "edit_draft")
    await told(ben, "Only the agent who has taken this over")
    await ann.click(CHANNEL, draft["ts"], "edit_draft")
    form = await ann.open_view()
    assert form["blocks"][0]["element"]["initial_value"] == f"support-base answers: {Q}"
    refused = await ann.submit({"words": "  "})
    assert refused == {"words": wording.asking.EDIT_DRAFT_EMPTY}
    await ann.submit({"words": "It comes on Friday."})
    sent = await answered(ann, CHANNEL, card["ts"], "Edited and passed on to the customer")
    assert "It comes on Friday." in plain(sent)
    assert "white_check_mark" not in str(sent["blocks"])
    with office.database.read() as session, pytest.raises(Conflict, match="has sent this draft"):
        turn = session.scalars(select(Turn).where(Turn.source_key.startswith("answer:"))).one()
        drafts.to_edit(session, turn.id, agent="U0ANN")
    replies = [t for t in office.turns() if t.role is Role.AGENT]
    assert [(t.content, t.author) for t in replies] == [("It comes on Friday.", "U0ANN")]


async def test_a_draft_that_hands_over_is_not_offered_to_be_sent(office: AskingOffice) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    office.engine.answer = lambda *_: "[handoff] A colleague will help."
    await ann.reply(CHANNEL, card["ts"], f"{BOT} draft")
    draft = await answered(ann, CHANNEL, card["ts"], "The model asked for a person")
    assert {"send_draft", "edit_draft"} & set(buttons_of(draft)) == set()
    with office.database.write() as session, pytest.raises(InvalidInput, match="no words"):
        turn = session.scalars(select(Turn).where(Turn.handed_over)).one()
        drafts.send(session, turn.id, agent="U0ANN", source_key="slack:C:1")


async def test_opening_the_messages_greets_once(office: AskingOffice) -> None:
    ann = office.person("U0ANN")
    for _ in range(2):
        await ann._do("open_home", tab="messages")
    greeting = await found(ann, lambda m: "Write to me here" in text_of(m), channel=ann.dm())
    asked = await ann.direct(Q)
    await answered(ann, ann.dm(), asked["ts"], "support-base answers")
    heads = [m for m in await ann.messages(ann.dm()) if "Write to me here" in text_of(m)]
    assert [m["ts"] for m in heads] == [greeting["ts"]]


async def test_an_unsure_answer_says_that_no_customer_would_have_got_it(
    closed_office: Office, assistant: Assistant
) -> None:
    options = assistant.escalation.model_copy(update={"min_confidence": 0.9})
    closed_office.assistant = assistant.model_copy(update={"escalation": options})
    office = asking_office(closed_office)
    async with office.open():
        ann = office.person("U0ANN")
        asked = await ann.direct(Q)
        shown = await answered(ann, ann.dm(), asked["ts"], f"support-base answers: {Q}")
    assert "Not sure enough* (mean token probability 0.78, at least 0.90 wanted)" in plain(shown)


async def test_what_a_killed_bot_left_is_told_and_shown_by_the_next_one(
    closed_office: Office,
) -> None:
    office = asking_office(closed_office)
    ann = office.person("U0ANN")
    async with office.slack(), office.engine:
        asked, other = await ann.direct(Q), await ann.direct("And my PIN?")
        left_behind(office, ann.dm(), asked["ts"], words=Q)
        left_behind(office, ann.dm(), other["ts"], words="And my PIN?", answer="In the app.")
        async with Bot(office.bot_settings, office.desk):
            lost = await answered(ann, ann.dm(), asked["ts"], "was not answered")
            assert wording.asking.STOPPED in plain(lost)
            shown = await answered(ann, ann.dm(), other["ts"], "In the app.")
            assert "flag_answer" in buttons_of(shown)
            await ann.click(ann.dm(), lost["ts"], "ask_again")
            await answered(ann, ann.dm(), asked["ts"], f"support-base answers: {Q}")


def left_behind(
    office: AskingOffice, channel: str, ts: str, *, words: str, answer: str = ""
) -> None:
    """What stands in the records when a bot died ten minutes ago."""
    earlier = utc_now() - timedelta(minutes=10)
    thread = asking.Thread(channel, ts)
    with office.database.write() as session:
        first_time(session, f"ask:{channel}:{ts}")  # it was taken in
        wanted = asking.Asked(thread, ts, "U0ANN", "support", ("support-base",), words)
        (question,) = asking.ask(session, wanted)
        question.created_at = earlier
        if answer:
            turn, _ = trial_answers.answer(
                session, question.id, content=answer, version="support-base"
            )
            turn.created_at = earlier


async def test_a_mention_that_is_read_later_in_the_thread_is_no_reply_either(
    office: AskingOffice,
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    channel = office.rows("escalation_opened")[0].channel
    message = Message.read(
        {
            "user": "U0ANN",
            "channel": channel,
            "ts": f"{utc_now().timestamp() + 60:.6f}",
            "thread_ts": card["ts"],
            "text": f"{BOT} what should I say?",
        },
        bot="U0STANDIN",
    )
    assert message is not None
    client = AsyncWebClient(token="xoxb-standin", base_url=office.bot_settings.api_url)
    assert await take(office.running, client, message, bot="U0STANDIN") is None
    assert [t for t in office.turns() if t.role is Role.AGENT] == []


async def test_in_a_channel_its_assistant_is_meant(closed_office: Office) -> None:
    office = asking_office(closed_office)
    async with office.slack():
        client = AsyncWebClient(token="xoxb-standin", base_url=office.bot_settings.api_url)
        channels = (await client.conversations_list())["channels"]
        channel = next(c["id"] for c in channels if c["name"] == CHANNEL)
        other = office.assistant.model_copy(
            update={"name": "writer", "slack": SlackOptions(channel="writers")}
        )
        both = {"support": office.assistant, "writer": other}
        names = ChannelNames()
        assert await names.assistant_of(client, channel, both) == "support"
        assert await names.assistant_of(client, channel, {"writer": other}) is None
        assert await names.assistant_of(client, "C0NOWHERE", both) is None


@pytest.mark.slow
async def test_the_real_engine_says_in_slack_what_it_says_to_customers(
    sqlite: Database, artifacts: Artifacts, real_engine: "RealEngine", tmp_path: Path
) -> None:
    assistant = real_engine.assistant
    install(sqlite, assistant)
    office = AskingOffice(sqlite, assistant, artifacts, tmp_path)
    office.quick = {"engine_urls": real_engine.url, "ask_seconds": 120.0}
    chat = [
        {"role": "system", "content": assistant.system_prompt},
        {"role": "user", "content": Q},
    ]
    async with Engine(real_engine.url) as engine:
        body = {**assistant.engine_request(chat), "model": assistant.base_version}
        said = (await engine.chat(body))["choices"][0]["message"]["content"]
    async with office.open():
        ann = office.person("U0ANN")
        asked = await ann.direct(Q)
        await answered(ann, ann.dm(), asked["ts"], "mean token probability")
    assert office.trial_turns()[1].content.strip() == said.strip()
