"""The outbox reaches Slack in order, once, and no faster than allowed, whatever breaks."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy import select, text

from bot.app import web_client
from bot.outbox.failures import Meaning, Paused, understood
from bot.outbox.leadership import Leadership
from bot.outbox.pump import OutboxPump, Pace
from bot.outbox.rendered import Post, Reaction
from bot.outbox.slack_calls import SlackCalls
from bot.standin.people import text_of
from bot.views.content import Content
from bot.workspaces.workspaces import OneWorkspace, Sender
from records import escalations, jobs
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.states import JobState, OutboxState
from records.tables import OutboxMessage
from tests.bot.office import CHANNEL, Office
from tests.conftest import install


class Killed(BaseException):
    """The process ends here."""


class DyingClient(AsyncWebClient):
    """Its process is killed when Slack has taken a message, before that can be noted."""

    async def chat_postMessage(self, **given: Any) -> Any:  # noqa: N802 - Slack's name
        await super().chat_postMessage(**given)
        raise Killed


class CutOffClient(AsyncWebClient):
    """The connection breaks when Slack has taken a message: who knows whether it arrived?"""

    async def chat_postMessage(self, **given: Any) -> Any:  # noqa: N802
        await super().chat_postMessage(**given)
        raise TimeoutError


class LockingClient(AsyncWebClient):
    """The database becomes busy when Slack has taken a message."""

    lock: Callable[[], object]

    async def chat_postMessage(self, **given: Any) -> Any:  # noqa: N802
        answer = await super().chat_postMessage(**given)
        self.lock()
        return answer


class CountingClient(AsyncWebClient):
    """Counts updates."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.updates: list[str] = []

    async def chat_update(self, **given: Any) -> Any:
        self.updates.append(given["text"])
        return await super().chat_update(**given)


def pump(
    office: Office,
    client: AsyncWebClient | None = None,
    *,
    call_seconds: float = 0.0,
    **changes: Any,
) -> OutboxPump:
    pace = Pace(office.messages_per_second, 0.0, call_seconds=call_seconds)
    workspace = OneWorkspace(client or web_client(office.bot_settings, "xoxb-standin"))
    return OutboxPump(office.desk, workspace, pace=pace, **changes)


def client_of(office: Office, kind: type[AsyncWebClient]) -> AsyncWebClient:
    settings = office.bot_settings
    return kind(token="xoxb-standin", base_url=settings.api_url, retry_handlers=[])


async def until_sent(office: Office, sender: OutboxPump, *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while any(r.state in (OutboxState.PENDING, OutboxState.SENDING) for r in office.rows()):
            await sender.step()
            await asyncio.sleep(0.01)


async def all_messages(office: Office) -> list[str]:
    ann = office.person("U0ANN")
    heads = await ann.messages(CHANNEL)
    return [text_of(m) for head in heads for m in await ann.thread(CHANNEL, head["ts"])]


async def test_a_kill_between_sending_and_noting_doubles_nothing(closed_office: Office) -> None:
    async with closed_office.slack():
        closed_office.escalated()
        for _ in range(3):  # card, question, answer
            with pytest.raises(Killed):
                await pump(closed_office, client_of(closed_office, DyingClient)).step()
        assert closed_office.rows()[-1].state is OutboxState.SENDING
        await until_sent(closed_office, pump(closed_office))
        messages = await all_messages(closed_office)
    assert len(messages) == 3


async def test_a_call_that_broke_off_is_looked_for_before_it_is_repeated(
    closed_office: Office,
) -> None:
    clock = [0.0]
    async with closed_office.slack():
        closed_office.escalated()
        broken = pump(closed_office, client_of(closed_office, CutOffClient), clock=lambda: clock[0])
        for _ in range(20):
            await broken.step()
            clock[0] += 5.0
        states = {row.state for row in closed_office.rows()}
        messages = await all_messages(closed_office)
    assert (states, len(messages)) == ({OutboxState.SENT}, 3)


async def test_a_message_that_could_not_be_noted_as_sent_is_not_sent_again(
    closed_office: Office, sqlite: Database
) -> None:
    closed_office.escalated()
    busy = Database(sqlite.url, lock_wait_seconds=0.05)
    closed_office.database = busy
    with ExitStack() as locks:
        client = client_of(closed_office, LockingClient)
        assert isinstance(client, LockingClient)
        client.lock = lambda: locks.enter_context(sqlite.write()).execute(text("SELECT 1"))
        async with closed_office.slack():
            await pump(closed_office, client).step()
            locks.close()
            await until_sent(closed_office, pump(closed_office))
            messages = await all_messages(closed_office)
    assert len(messages) == 3
    busy.close()


async def test_messages_wait_for_slack_and_keep_their_order(closed_office: Office) -> None:
    for index in range(3):
        closed_office.ask(f"question {index}", f"answer {index}", key="c-1")
    closed_office.escalate(closed_office.turns()[-1].id)
    sender = pump(closed_office)
    await sender.step()
    assert {row.state for row in closed_office.rows()} == {OutboxState.PENDING}
    async with closed_office.slack():
        await until_sent(closed_office, pump(closed_office))
        messages = await all_messages(closed_office)
    wanted = [f"{word} {index}" for index in range(3) for word in ("question", "answer")]
    assert [w for w, m in zip(wanted, messages[1:], strict=True) if w in m] == wanted


async def test_too_many_requests_delay_messages_but_lose_and_double_none(
    closed_office: Office,
) -> None:
    for index in range(2):
        closed_office.escalated(key=f"c-{index}")
    fast = pump(closed_office)  # it thinks that 500 a second are allowed
    async with closed_office.slack(standin_messages_per_second=4.0):
        await until_sent(closed_office, fast)
        messages = await all_messages(closed_office)
    assert len(messages) == 6
    assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}


async def test_the_pump_itself_keeps_to_the_rate(closed_office: Office) -> None:
    closed_office.messages_per_second = 1.0
    clock = [0.0]
    for index in range(3):
        closed_office.escalated(key=f"c-{index}")
    async with closed_office.slack(standin_messages_per_second=100.0):
        sender = pump(closed_office, clock=lambda: clock[0])
        sent = []
        for _ in range(4):
            await sender.step()
            sent.append(sum(row.state is OutboxState.SENT for row in closed_office.rows()))
            clock[0] += 1.0
    assert sent == [3, 4, 5, 6]


async def test_a_channel_that_the_bot_cannot_see_is_explained_and_loses_nothing(
    closed_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [0.0]
    slack = closed_office.assistant.slack.model_copy(update={"channel": "night-shift"})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    closed_office.escalated()
    async with closed_office.slack():
        await pump(closed_office, clock=lambda: clock[0]).step()
    assert {row.state for row in closed_office.rows()} == {OutboxState.PENDING}
    assert "sees no channel #night-shift" in caplog.text


async def test_a_wrong_token_is_explained_and_loses_nothing(
    closed_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    closed_office.escalated()
    client = AsyncWebClient(
        token="xoxb-other", base_url=closed_office.bot_settings.api_url, retry_handlers=[]
    )
    async with closed_office.slack():
        await pump(closed_office, client).step()
    assert {row.state for row in closed_office.rows()} == {OutboxState.PENDING}
    assert "set SLACK_BOT_TOKEN rightly" in caplog.text


async def test_a_jobs_steps_make_one_update_in_two_seconds_and_the_last_is_never_missed(
    closed_office: Office,
) -> None:
    clock = [0.0]
    async with closed_office.slack():
        client = client_of(closed_office, CountingClient)
        assert isinstance(client, CountingClient)
        workspace, pace = OneWorkspace(client), Pace(500, 2.0)
        sender = OutboxPump(closed_office.desk, workspace, pace=pace, clock=lambda: clock[0])
        with closed_office.database.write() as session:
            job = jobs.request(session, "support", requested_by="U0OLGA").id
        await sender.step()
        for step in range(40):  # ten seconds
            with closed_office.database.write() as session:
                progress = {"step": step, "steps": 40}
                jobs.advance(session, job, stage="train", progress=progress)
            await sender.step()
            clock[0] += 0.25
        assert len(client.updates) == 5
        with closed_office.database.write() as session:
            jobs.finish(session, job, state=JobState.SUCCEEDED)
        await sender.step()
    assert len(client.updates) == 6
    assert "done" in client.updates[-1]
    assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}


async def test_updates_do_not_wait_behind_a_queue_of_messages(closed_office: Office) -> None:
    closed_office.messages_per_second = 1.0
    async with closed_office.slack(standin_messages_per_second=100.0):
        clock = [0.0]
        sender = pump(closed_office, clock=lambda: clock[0])
        escalation, _ = closed_office.escalated()
        for index in range(5):
            closed_office.ask(f"question {index}", f"answer {index}")
        await sender.step()
        with closed_office.database.write() as session:
            escalations.take_over(session, escalation, agent="U0ANN")
        await sender.step()
        (card,) = await closed_office.person("U0ANN").messages(CHANNEL)
    assert "<@U0ANN> speaks with the customer" in text_of(card)
    assert any(row.state is OutboxState.PENDING for row in closed_office.rows())


def test_one_of_two_bots_on_one_database_sends(database: Database) -> None:
    first, second = Leadership(database), Leadership(database)
    assert (first.holds(), second.holds(), first.holds()) == (True, False, True)
    first.release()
    assert second.holds()
    second.release()


class LateClient(AsyncWebClient):
    """Its process is killed while Slack still works on the call, which Slack does in the end."""

    late: dict[str, Any]

    async def chat_postMessage(self, **given: Any) -> Any:  # noqa: N802
        self.late = given
        raise Killed


async def test_a_call_that_outlives_its_process_is_not_repeated(closed_office: Office) -> None:
    clock = [0.0]
    async with closed_office.slack():
        closed_office.escalated()
        client = client_of(closed_office, LateClient)
        assert isinstance(client, LateClient)
        with pytest.raises(Killed):
            await pump(closed_office, client).step()
        second = pump(closed_office, call_seconds=15.0, clock=lambda: clock[0])
        await second.step()
        assert await all_messages(closed_office) == []
        clock[0] += 14.0
        await second.step()
        await web_client(closed_office.bot_settings, "xoxb-standin").chat_postMessage(**client.late)
        clock[0] += 1.5
        await until_sent(closed_office, second)
        assert len(await all_messages(closed_office)) == 3


async def test_a_host_whose_clock_is_fast_finds_what_it_sent(
    closed_office: Office,
) -> None:
    async with closed_office.slack():
        closed_office.escalated(key="c-1")
        await until_sent(closed_office, pump(closed_office))
        closed_office.escalated(key="c-2")
        with closed_office.database.write() as session:
            for row in session.scalars(select(OutboxMessage)):
                row.created_at += timedelta(days=3)
        for _ in range(3):
            with pytest.raises(Killed):
                await pump(closed_office, client_of(closed_office, DyingClient)).step()
        await until_sent(closed_office, pump(closed_office))
        assert len(await all_messages(closed_office)) == 6


async def test_the_first_message_of_a_channel_is_found_by_a_host_that_is_minutes_fast(
    closed_office: Office,
) -> None:
    async with closed_office.slack():
        closed_office.escalated()
        with closed_office.database.write() as session:
            for row in session.scalars(select(OutboxMessage)):
                row.created_at += timedelta(minutes=30)
        with pytest.raises(Killed):
            await pump(closed_office, client_of(closed_office, DyingClient)).step()
        await until_sent(closed_office, pump(closed_office))
        assert len(await all_messages(closed_office)) == 3


async def test_of_two_bots_that_think_that_they_lead_one_repeats_a_call(
    closed_office: Office,
) -> None:
    clocks = [[0.0], [0.0]]
    async with closed_office.slack():
        closed_office.escalated()
        with pytest.raises(Killed):
            await pump(closed_office, client_of(closed_office, LateClient)).step()
        both = [
            pump(closed_office, call_seconds=15.0, clock=partial(clock.__getitem__, 0))
            for clock in clocks
        ]
        for sender in both:
            await sender.step()
        for clock in clocks:
            clock[0] += 16.0
        await asyncio.gather(*(sender.step() for sender in both))
        for clock in clocks:
            clock[0] += 16.0
        await asyncio.gather(*(until_sent(closed_office, sender) for sender in both))
        assert len(await all_messages(closed_office)) == 3


class SlowClient(AsyncWebClient):
    """Slack takes its time."""

    begun: asyncio.Event
    go_on: asyncio.Event

    async def chat_postMessage(self, **given: Any) -> Any:  # noqa: N802
        self.begun.set()
        await self.go_on.wait()
        return await super().chat_postMessage(**given)


async def test_a_leader_that_loses_its_lock_while_it_sends_doubles_nothing(
    postgres: Database, assistant: Assistant, artifacts: Artifacts, tmp_path: Path
) -> None:
    install(postgres, assistant)
    office = Office(postgres, assistant, artifacts, tmp_path)
    office.escalated()
    client, stop = client_of(office, SlowClient), asyncio.Event()
    assert isinstance(client, SlowClient)
    client.begun, client.go_on = asyncio.Event(), asyncio.Event()
    pace = Pace(500.0, 0.0, poll_seconds=0.02, call_seconds=15.0)
    pumps = [OutboxPump(office.desk, OneWorkspace(client), pace=pace) for _ in range(2)]
    async with office.slack():
        running = [asyncio.create_task(sender.run(stop)) for sender in pumps]
        async with asyncio.timeout(10):
            await client.begun.wait()
            (second,) = [sender for sender in pumps if not sender._working]
            while not second._waiting.items:  # the first one may have the lock again before it
                with postgres.write() as session:
                    session.execute(text(END_LOCKS))
                await asyncio.sleep(0.1)
        client.go_on.set()
        await office.all_sent()
        stop.set()
        await asyncio.gather(*running)
        assert len(await all_messages(office)) == 3


END_LOCKS = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks "
    "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
)


class LimitedClient(AsyncWebClient):
    """Slack has had enough of some methods, and says for how long."""

    def __init__(self, *limited: str) -> None:
        super().__init__()
        self.limited = limited
        self.called: list[str] = []

    async def api_call(self, api_method: str, **_: Any) -> Any:
        self.called.append(api_method)
        refused = api_method in self.limited
        answer = AsyncSlackResponse(
            client=None,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data={"ok": not refused, "error": "ratelimited", "ts": "1.1", "messages": []},
            headers={"Retry-After": "30"},
            status_code=429 if refused else 200,
        )
        return answer.validate()


def calls_of(client: AsyncWebClient, now: list[float]) -> SlackCalls:
    return SlackCalls(Sender(None, client), messages_per_second=1.0, clock=lambda: now[0])


async def test_a_method_that_slack_wants_no_more_of_is_called_by_no_other_lane_meanwhile() -> None:
    client, now = LimitedClient("conversations.history"), [0.0]
    calls = calls_of(client, now)
    row, post = OutboxMessage(key="k", begun_after="1.0"), Post("C1", Content("Hello"))
    with pytest.raises(SlackApiError):
        await calls.find_post(row, "C1", post)
    now[0] = 29.9
    with pytest.raises(Paused) as paused:
        await calls.find_post(row, "C2", post)
    failure = understood(paused.value)
    assert failure is not None
    assert (failure.meaning, round(failure.wait_seconds, 3)) == (Meaning.WAIT, 0.1)
    now[0] = 30.1
    with pytest.raises(SlackApiError):
        await calls.find_post(row, "C2", post)
    assert client.called == ["conversations.history"] * 2


async def test_the_second_call_of_a_reaction_keeps_to_its_own_limit() -> None:
    client, now = LimitedClient("reactions.remove"), [0.0]
    calls = calls_of(client, now)
    for channel, refusal in (("C1", SlackApiError), ("C2", Paused)):
        with pytest.raises(refusal):
            await calls.react(Reaction(channel, "1.0", "eyes", ("lock",)))
    assert client.called == ["reactions.add", "reactions.remove", "reactions.add"]


async def test_slacks_wait_for_one_channel_holds_no_other_channel() -> None:
    client, now = LimitedClient("chat.postMessage"), [0.0]
    calls = calls_of(client, now)
    with pytest.raises(SlackApiError):
        await calls.post("k", "C1", Post("C1", Content("Hello")))
    client.limited = ()
    await calls.post("k", "C2", Post("C2", Content("Hello")))
    with pytest.raises(Paused):
        await calls.post("k", "C1", Post("C1", Content("Hello")))
    assert client.called == ["chat.postMessage"] * 2
