"""Every kind of row is sent once, whatever breaks when; what cannot be sent keeps nobody else."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.app import web_client
from bot.outbox.commands import outbox as command
from bot.outbox.pump import OutboxPump, Pace
from bot.standin.people import text_of
from bot.wording.machine import HEAD_FAILED
from bot.workspaces.workspaces import OneWorkspace
from records import escalations, outbox
from records.database import Database
from records.errors import StorageUnavailable
from records.outbox import Kind
from records.states import OutboxState, Urgency
from records.tables import OutboxMessage
from tests.bot.office import CHANNEL, Office


class Killed(BaseException):
    """The process ends here."""


class TrickyClient(AsyncWebClient):
    """Does what a test says after, or in place of, a call."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.before: Callable[[str, dict[str, Any]], None] = lambda method, given: None
        self.after: Callable[[str, dict[str, Any]], None] = lambda method, given: None
        self.calls: list[str] = []

    async def api_call(self, api_method: str, **given: Any) -> AsyncSlackResponse:
        arguments = {**(given.get("params") or {}), **(given.get("json") or {})}
        self.calls.append(api_method)
        self.before(api_method, arguments)
        answer = await super().api_call(api_method, **given)
        self.after(api_method, arguments)
        return answer


def tricky(office: Office) -> TrickyClient:
    url = office.bot_settings.api_url
    return TrickyClient(token="xoxb-standin", base_url=url, retry_handlers=[])


def pump(
    office: Office, client: AsyncWebClient | None = None, *, clock: list[float] | None = None
) -> OutboxPump:
    workspace = OneWorkspace(client or web_client(office.bot_settings, "xoxb-standin"))
    ticking = time.monotonic if clock is None else lambda: clock[0]
    return OutboxPump(
        office.desk, workspace, pace=Pace(500.0, 0.0, call_seconds=0.0), clock=ticking
    )


def refused(
    code: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> SlackApiError:
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data={"ok": False, "error": code},
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError(code, response)


async def drained(office: Office, sender: OutboxPump, clock: list[float] | None = None) -> None:
    async with asyncio.timeout(20):
        while any(row.state in (OutboxState.PENDING, OutboxState.SENDING) for row in office.rows()):
            await sender.step()
            if clock is not None:
                clock[0] += 1.0
            await asyncio.sleep(0)


async def thread_of_first(office: Office) -> list[Any]:
    ann = office.person("U0ANN")
    (card, *_) = await ann.messages(CHANNEL)
    return await ann.thread(CHANNEL, card["ts"])


def long_turn(office: Office) -> str:
    """An escalation with a turn that needs a file of its own."""
    _, answer = office.ask("Where is my card?", "A long story. " * 2_000)
    return office.escalate(answer)


async def test_a_kill_after_an_upload_doubles_no_file(closed_office: Office) -> None:
    escalation = long_turn(closed_office)
    put(closed_office, Kind.TURN_SNIPPET, closed_office.turns()[1].id, escalation=escalation)
    async with closed_office.slack():
        client = tricky(closed_office)

        def die(method: str, _: Any) -> None:
            if method == "files.completeUploadExternal":
                raise Killed

        client.after = die
        with pytest.raises(Killed):
            await drained(closed_office, pump(closed_office, client))
        await drained(closed_office, pump(closed_office))
        thread = await thread_of_first(closed_office)
    assert sum(len(message.get("files") or []) for message in thread) == len(
        closed_office.rows(Kind.TURN_SNIPPET)
    )


def put(office: Office, kind: Kind, subject: str, **more: Any) -> None:
    with office.database.write() as session:
        outbox.put(session, kind, subject, **more)


@pytest.mark.parametrize("method", ["chat.update", "reactions.add"])
async def test_updates_and_reactions_that_were_cut_off_are_made_again(
    closed_office: Office, method: str
) -> None:
    escalation, _ = closed_office.escalated()
    async with closed_office.slack():
        await drained(closed_office, pump(closed_office))
        ann = closed_office.person("U0ANN")
        (card,) = await ann.messages(CHANNEL)
        said = await ann.reply(CHANNEL, card["ts"], "Hello!")
        with closed_office.database.write() as session:
            escalations.take_over(session, escalation, agent="U0ANN")
            source = f"slack:{card.get('channel', 'C0SUPPORT')}:{said['ts']}"
            turn = escalations.reply(
                session, escalation, agent="U0ANN", content="Hello!", source_key=source
            )
        put(closed_office, Kind.REPLY_RELAYED, turn.id)
        client = tricky(closed_office)

        def die(called: str, _: Any) -> None:
            if called == method:
                raise Killed

        client.after = die
        with pytest.raises(Killed):
            await drained(closed_office, pump(closed_office, client))
        await drained(closed_office, pump(closed_office))
        (card,) = await ann.messages(CHANNEL)
        thread = await ann.thread(CHANNEL, card["ts"])
    assert "<@U0ANN> speaks with the customer" in text_of(card)
    reactions = [r for m in thread if m["ts"] == said["ts"] for r in m.get("reactions", [])]
    assert [r["name"] for r in reactions if r["name"] == "white_check_mark"] == ["white_check_mark"]


async def test_a_message_that_slack_alone_cannot_take_is_set_aside_and_the_channel_goes_on(
    closed_office: Office,
) -> None:
    clock = [0.0]
    first, _ = closed_office.escalated(key="c-1")
    closed_office.escalated(key="c-2")
    async with closed_office.slack():
        client = tricky(closed_office)

        def fail(method: str, given: dict[str, Any]) -> None:
            if method == "chat.postMessage" and first in str(given.get("metadata")):
                raise refused("internal_error", status=500)

        client.before = fail
        sender = pump(closed_office, client, clock=clock)
        for _ in range(120):
            await sender.step()
            clock[0] += 1.0
        states = {row.subject: row.state for row in closed_office.rows(Kind.ESCALATION_OPENED)}
        assert sorted(states.values()) == [OutboxState.SENDING, OutboxState.SENT]
        client.before = lambda method, given: None
        await drained(closed_office, sender, clock)
        heads = await closed_office.person("U0ANN").messages(CHANNEL)
    assert len(heads) == 2
    assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}


async def test_an_outage_of_slack_changes_no_order(closed_office: Office) -> None:
    clock = [0.0]
    for index in range(6):
        closed_office.ask(f"question {index}", f"answer {index}")
    closed_office.escalate(closed_office.turns()[-1].id)
    async with closed_office.slack():
        client = tricky(closed_office)

        def fail(method: str, _: Any) -> None:
            if method == "chat.postMessage":
                raise refused("fatal_error", status=503)

        client.before = fail
        sender = pump(closed_office, client, clock=clock)
        for _ in range(400):
            await sender.step()
            clock[0] += 1.0
        client.before = lambda method, given: None
        await drained(closed_office, sender, clock)
        thread = [text_of(message) for message in await thread_of_first(closed_office)]
    asked = [int(text.split("question ")[1][0]) for text in thread[1:] if "question " in text]
    assert asked == sorted(asked)
    assert len(thread) == 1 + len(closed_office.rows(Kind.TURN_ADDED, Kind.TRANSCRIPT))


async def test_a_message_that_slack_refuses_is_given_up_shown_and_can_be_sent_again(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    escalation, _ = closed_office.escalated(key="c-1")
    other, _ = closed_office.escalated(key="c-2")
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", closed_office.database.url)
    async with closed_office.slack():
        client = tricky(closed_office)

        def refuse(method: str, given: dict[str, Any]) -> None:
            if method == "chat.postMessage" and escalation in str(given.get("metadata")):
                raise refused("invalid_blocks")

        client.before = refuse
        await drained(closed_office, pump(closed_office, client))
        states = {row.subject: row.state for row in closed_office.rows(Kind.ESCALATION_OPENED)}
        assert states == {escalation: OutboxState.FAILED, other: OutboxState.SENT}
        turns = [row for row in closed_office.rows() if row.payload.get("escalation") == escalation]
        assert {(row.state, row.error) for row in turns} == {(OutboxState.FAILED, HEAD_FAILED)}
        listed = await asyncio.to_thread(CliRunner().invoke, command)
        assert "invalid_blocks" in listed.output
        (card,) = [r for r in closed_office.rows(Kind.ESCALATION_OPENED) if r.subject == escalation]
        again = await asyncio.to_thread(CliRunner().invoke, command, ["retry", str(card.id)])
        assert again.output == f"{1 + len(turns)} messages wait to be sent again.\n"
        await drained(closed_office, pump(closed_office))
        heads = await closed_office.person("U0ANN").messages(CHANNEL)
    assert len(heads) == 2
    assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}


FOR_A_WHILE = [
    "restricted_action",
    "restricted_action_read_only_channel",
    "team_access_not_granted",
    "org_login_required",
    "ekm_access_denied",
    "no_permission",
    "a_code_that_nobody_knows",
]


@pytest.mark.parametrize("code", FOR_A_WHILE)
async def test_what_people_can_mend_waits_is_said_and_is_sent_in_order_afterwards(
    closed_office: Office, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [0.0]
    ids = [closed_office.escalated(key=f"c-{number}")[0] for number in range(2)]
    async with closed_office.slack():
        client = tricky(closed_office)

        def refuse(method: str, given: dict[str, Any]) -> None:
            if method == "chat.postMessage":
                raise refused(code)

        client.before = refuse
        sender = pump(closed_office, client, clock=clock)
        for _ in range(100):
            await sender.step()
            clock[0] += 1.0
        assert {row.state for row in closed_office.rows()} == {OutboxState.PENDING}
        (problem,) = sender.problems
        assert problem in caplog.text
        client.before = lambda method, given: None
        await drained(closed_office, sender, clock)
        assert sender.problems == []
        cards = sorted(closed_office.rows(Kind.ESCALATION_OPENED), key=lambda row: row.ts or "")
    assert [row.subject for row in cards] == ids
    assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}


async def test_a_code_that_nobody_knows_of_one_message_keeps_no_other(
    closed_office: Office,
) -> None:
    clock = [0.0]
    first, _ = closed_office.escalated(key="c-1")
    closed_office.escalated(key="c-2")
    async with closed_office.slack():
        client = tricky(closed_office)

        def refuse(method: str, given: dict[str, Any]) -> None:
            if method == "chat.postMessage" and first in str(given.get("metadata")):
                raise refused("a_code_that_nobody_knows")

        client.before = refuse
        sender = pump(closed_office, client, clock=clock)
        for _ in range(120):
            await sender.step()
            clock[0] += 1.0
        states = {row.subject: row.state for row in closed_office.rows(Kind.ESCALATION_OPENED)}
    assert sorted(states.values()) == [OutboxState.PENDING, OutboxState.SENT]
    assert len(sender.problems) == 1


async def test_a_card_that_was_deleted_in_slack_is_not_brought_up_to_date_for_ever(
    closed_office: Office,
) -> None:
    escalation, _ = closed_office.escalated()
    async with closed_office.slack():
        client = tricky(closed_office)
        await drained(closed_office, pump(closed_office, client))
        (card,) = closed_office.rows(Kind.ESCALATION_OPENED)
        assert card.channel is not None
        assert card.ts is not None
        await client.chat_delete(channel=card.channel, ts=card.ts)
        for number in range(3):
            put(closed_office, Kind.ESCALATION_CHANGED, escalation, revision=number)
            await drained(closed_office, pump(closed_office, client))
    assert client.calls.count("chat.update") == 1
    assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}


async def test_a_reading_failure_of_one_row_keeps_no_other(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    first, _ = closed_office.escalated(key="c-1")
    closed_office.escalated(key="c-2")
    from bot.outbox import sending

    render = sending.render

    def fails_for_one(session: Any, row: OutboxMessage, desk: Any) -> Any:
        if row.subject == first:
            raise StorageUnavailable("its file is away")
        return render(session, row, desk)

    monkeypatch.setattr(sending, "render", fails_for_one)
    async with closed_office.slack():
        sender = pump(closed_office, clock=clock)
        for _ in range(120):
            await sender.step()
            clock[0] += 1.0
    states = {row.subject: row.state for row in closed_office.rows(Kind.ESCALATION_OPENED)}
    assert states.pop(first) is OutboxState.PENDING
    assert set(states.values()) == {OutboxState.SENT}


async def test_only_the_call_that_slack_says_must_wait_waits(closed_office: Office) -> None:
    clock = [0.0]
    escalation, _ = closed_office.escalated()
    async with closed_office.slack():
        client = tricky(closed_office)
        sender = pump(closed_office, client, clock=clock)
        await drained(closed_office, sender)
        clock[0] += 100.0

        def refuse(method: str, _: Any) -> None:
            if method == "chat.update":
                raise refused("ratelimited", status=429, headers={"Retry-After": "30"})

        client.before = refuse
        with closed_office.database.write() as session:
            escalations.take_over(session, escalation, agent="U0ANN")
        closed_office.ask("And now?", "Soon.")
        await sender.step()
        client.before = lambda method, given: None
        waits = {row.kind for row in closed_office.rows() if row.state is OutboxState.PENDING}
        assert waits == {Kind.ESCALATION_CHANGED}
        clock[0] += 29.0
        await sender.step()
        assert client.calls.count("chat.update") == 1
        clock[0] += 2.0
        await drained(closed_office, sender)
        assert client.calls.count("chat.update") == 2


async def test_a_channel_with_a_thousand_stuck_messages_keeps_no_other_channel(
    closed_office: Office,
) -> None:
    with closed_office.database.write() as session:
        for number in range(1_100):
            outbox.put(
                session,
                Kind.EXAMPLES_IMPORTED,
                "support",
                revision=number,
                number=1,
                channel="C0NOWHERE1",
            )
    closed_office.escalated()
    async with closed_office.slack():
        sender = pump(closed_office)
        async with asyncio.timeout(20):
            while closed_office.rows(Kind.ESCALATION_OPENED)[0].state is not OutboxState.SENT:
                await sender.step()
                await asyncio.sleep(0)


async def test_a_look_at_five_thousand_waiting_messages_is_quick(closed_office: Office) -> None:
    closed_office.messages_per_second = 1.0
    with closed_office.database.write() as session:
        session.add_all(
            OutboxMessage(
                key=f"k{number}",
                kind=Kind.EXAMPLES_IMPORTED,
                subject="support",
                urgency=Urgency.LATER,
                payload={"number": 1, "channel": f"C0CHANNEL{number % 7}"},
            )
            for number in range(5_000)
        )
    sender = pump(closed_office)  # nobody listens: nothing can be sent
    took = []
    async with asyncio.timeout(20):
        while len(took) < 20:
            began = time.perf_counter()
            await sender.step()
            if len(sender._waiting.items) == 5_000:
                took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.1


def test_two_senders_cannot_begin_the_same_row(closed_office: Office, sqlite: Database) -> None:
    closed_office.escalated()
    (card,) = closed_office.rows(Kind.ESCALATION_OPENED)
    with sqlite.write() as session:
        assert outbox.mark_sending(session, card, channel="C1")
    with sqlite.write() as session:
        assert not outbox.mark_sending(session, card, channel="C1")
