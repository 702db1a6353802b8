"""Who may believe that a customer got something which they have not is told, whatever fails."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.app import web_client
from bot.incoming.catching_up import CatchingUp
from bot.incoming.hints import Hints
from bot.incoming.message import Message
from bot.incoming.taking_in import take_in
from bot.process import Bot
from bot.standin.people import Person, text_of
from bot.workspaces.workspaces import OneWorkspace
from records import escalations
from records.messages import Role
from tests.bot.office import CHANNEL, Office, told

WORDS = "It comes on Monday."
MAP = {"name": "map.png", "content": "x"}


def relayed(office: Office) -> list[str]:
    return [turn.content for turn in office.turns() if turn.role is Role.AGENT]


async def hints(person: Person) -> list[str]:
    return [text_of(m) for m in await person.ephemerals()]


def refused(code: str, status: int = 200) -> SlackApiError:
    answer = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="x",
        req_args={},
        data={"ok": False, "error": code},
        headers={},
        status_code=status,
    )
    return SlackApiError("refused", answer)


@contextmanager
def failing(
    patched: pytest.MonkeyPatch, method: str, error: SlackApiError, *, times: int = 10_000
) -> Iterator[asyncio.Semaphore]:
    """Let a method of Slack's fail so many times; each time may be waited for."""
    real: Any = getattr(AsyncWebClient, method)
    failed, seen = 0, asyncio.Semaphore(0)

    async def call(self: AsyncWebClient, **given: Any) -> Any:
        nonlocal failed
        if failed < times:
            failed += 1
            seen.release()
            raise error
        return await real(self, **given)

    with patched.context() as patch:
        patch.setattr(AsyncWebClient, method, call)
        yield seen


async def test_a_reply_that_mentions_a_colleague_needs_no_word_of_slacks(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    with failing(monkeypatch, "auth_test", refused("token_expired")):
        sent = await ann.reply(CHANNEL, card["ts"], f"<@U0BEN> looks at it. {WORDS}")
        await office.said(sent["ts"])
    assert relayed(office) == [f"@colleague looks at it. {WORDS}"]


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [("fatal_error", 500, "tried again by itself"), ("thread_not_found", 200, "Press *Retry*, or")],
)
async def test_who_wrote_what_cannot_be_taken_in_is_told_whatever_the_reason(
    office: Office, monkeypatch: pytest.MonkeyPatch, code: str, status: int, words: str
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)

    async def broken(*_: Any, **__: Any) -> None:
        raise refused(code, status)

    with monkeypatch.context() as patch:
        patch.setattr("bot.listeners.reply.take", broken)
        await ann.reply(CHANNEL, card["ts"], WORDS)
        notice = await told(ann, f"the customer has *not* got it: “{WORDS}”")
    assert words in text_of(notice)


async def test_what_nobody_could_be_told_of_is_not_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.incoming.inbox._LONGEST_WAIT_SECONDS", 0.05)
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)

    async def broken(*_: Any, **__: Any) -> None:
        raise refused("thread_not_found")

    with monkeypatch.context() as patch:
        patch.setattr("bot.listeners.reply.take", broken)
        with failing(monkeypatch, "chat_postEphemeral", refused("fatal_error", 500)) as failed:
            await ann.reply(CHANNEL, card["ts"], WORDS)
            for _ in range(3):
                await failed.acquire()
        await told(ann, "the customer has *not* got it")


async def test_every_late_reply_of_a_former_owner_is_told_of(office: Office) -> None:
    escalation, _ = office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    channel = office.rows("escalation_opened")[0].channel
    late = [await ann.reply(CHANNEL, None, words) for words in ("First words", "Second words")]
    with office.database.write() as session:
        escalations.take_over(session, escalation, agent="U0BEN", instead_of="U0ANN")
    for words, written in zip(("First words", "Second words"), late, strict=True):
        about = {"user": "U0ANN", "channel": channel, "ts": written["ts"], "thread_ts": card["ts"]}
        message = Message.read({**about, "text": words})
        assert message is not None
        with office.database.write() as session:
            hint = take_in(session, message)
        assert hint is not None
        assert f"has *not* got it: “{words}”" in hint.words
        assert "<@U0BEN> had taken this over" in hint.words
    after = await ann.reply(CHANNEL, card["ts"], "And I think")
    await told(ann, "<@U0BEN> speaks with this customer")
    await office.settled(after["event_id"])
    assert relayed(office) == []


SHIPIT = {
    "text": ":shipit:",
    "blocks": [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "emoji", "name": "shipit"}],
                }
            ],
        }
    ],
}
FORWARD = {"attachments": [{"text": "an answer", "is_share": True}]}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (SHIPIT, "your message holds no text"),
        ({"text": "", **FORWARD}, "Nothing went to the customer: only text can be passed on, not"),
        ({"text": "See:", **FORWARD}, "went to the customer without the forwarded message"),
    ],
)
async def test_an_owner_is_told_what_of_a_message_cannot_be_passed_on(
    office: Office, what: dict[str, Any], words: str
) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    later = await ann.reply(CHANNEL, None, "lunch?")
    about = {"user": "U0ANN", "ts": later["ts"], "thread_ts": card["ts"], **what}
    message = Message.read(about, channel=office.rows("escalation_opened")[0].channel)
    assert message is not None
    with office.database.write() as session:
        hint = take_in(session, message)
    assert hint is not None
    assert words in hint.words
    assert relayed(office) == (["See:"] if what.get("text") == "See:" else [])


@pytest.mark.parametrize("code", ["fatal_error", "service_unavailable", "token_expired"])
async def test_a_hint_that_slack_does_not_take_comes_later_and_keeps_nothing_back(
    office: Office, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr("bot.incoming.inbox._LONGEST_WAIT_SECONDS", 0.05)
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    with failing(monkeypatch, "chat_postEphemeral", refused(code)) as failed:
        await ann.reply(CHANNEL, card["ts"], "", files=[MAP])
        for _ in range(2):
            await failed.acquire()
        sent = await ann.reply(CHANNEL, card["ts"], WORDS)
        await office.said(sent["ts"])
        assert await hints(ann) == []
    await told(ann, "Nothing went to the customer")
    assert len(await hints(ann)) == 1


async def test_a_hint_outlives_the_bot_that_could_not_tell_it(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = closed_office
    office.escalated()
    ann = office.person("U0ANN")
    async with office.slack(standin_retry_seconds=()):
        async with Bot(office.bot_settings, office.desk):
            card = await office.taken_by(ann)
            with failing(monkeypatch, "chat_postEphemeral", refused("fatal_error")):
                sent = await ann.reply(CHANNEL, card["ts"], "", files=[MAP])
                await office.settled(sent["event_id"])
        async with Bot(office.bot_settings, office.desk):
            await told(ann, "Nothing went to the customer")


async def caught_up(office: Office) -> None:
    """When everything that was missed is read."""
    workspaces = OneWorkspace(web_client(office.bot_settings, "xoxb-standin"))
    await CatchingUp(office.desk, workspaces, Hints(office.desk), pause_seconds=0.0).run()


@pytest.mark.parametrize("code", ["fatal_error", "service_unavailable", "request_timeout"])
async def test_hiccups_of_slacks_at_the_start_lose_nothing_that_was_missed(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    office = closed_office
    office.escalated()
    ann = office.person("U0ANN")
    async with office.slack(standin_retry_seconds=()):
        async with Bot(office.bot_settings, office.desk):
            card = await office.taken_by(ann)
        await ann.reply(CHANNEL, card["ts"], WORDS)
        with failing(monkeypatch, "conversations_replies", refused(code), times=7):
            await caught_up(office)
    assert relayed(office) == [WORDS]


async def test_a_thread_of_many_pages_is_read_to_its_end_and_told_of_once(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.incoming.thread_reading._PAGE", 2)
    office = closed_office
    office.escalated()
    ann = office.person("U0ANN")
    words = [f"word {number}" for number in range(15)]
    async with office.slack(standin_retry_seconds=()):
        async with Bot(office.bot_settings, office.desk):
            card = await office.taken_by(ann)
        for one in words:
            await ann.reply(CHANNEL, card["ts"], one)
        await ann.reply(CHANNEL, card["ts"], "", files=[MAP])
        for _ in range(3):
            await caught_up(office)
        assert len(await hints(ann)) == 1
    assert relayed(office) == words
