"""A conversation's stream of events, over HTTP: from any point on, from any process, to the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from records import conversations, escalations, keys
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.messages import Role
from records.states import KeyScope
from records.tables import Turn
from tests.serving.events_client import Event, following
from tests.serving.running_gateway import Stack, running, until
from tests.stub_engine import StubEngine

SCRIPT = [
    "customer: Where is my card?",
    "assistant: support-base answers: Where is my card?",
    "escalated",
    "taken",
    "typing",
    "agent: It is in the post.",
    "customer: Thanks",
    "assistant: Your message has been passed on to the colleague who is helping you.",
    "resolved",
    "customer: Bye",
    "assistant: support-base answers: Bye",
]


async def post(stack: Stack, path: str, key: str = "customer", **body: Any) -> dict[str, Any]:
    headers = stack.headers(key)
    return await stack.call("POST", f"/v1/conversations{path}", json=body, headers=headers)


async def begun(stack: Stack) -> str:
    return str((await post(stack, ""))["id"])


async def say(stack: Stack, name: str, content: str) -> dict[str, Any]:
    return await post(stack, f"/{name}/turns", content=content, stream=False)


async def agent(stack: Stack, name: str, act: str, **body: Any) -> dict[str, Any]:
    return await post(stack, f"/{name}/agent/{act}", "admin", agent="U1", **body)


async def play(stack: Stack, name: str, *others: Stack) -> None:
    """The script; with other gateways, each act goes to the next one."""
    turn = iter([stack, *others] * 20)
    await say(next(turn), name, "Where is my card?")
    await post(next(turn), f"/{name}/escalate")
    await agent(next(turn), name, "take-over")
    await agent(next(turn), name, "typing")
    await agent(next(turn), name, "reply", content="It is in the post.", id="1")
    await say(next(turn), name, "Thanks")
    await agent(next(turn), name, "resolve")
    await say(next(turn), name, "Bye")


def words(events: list[Event]) -> list[str]:
    return [event.words for event in events]


def is_last(event: Event) -> bool:
    return event.words == SCRIPT[-1]


async def everything(stack: Stack, name: str, **how: Any) -> list[Event]:
    async with following(stack, name, **how) as events:
        hello, *rest = await events.until(is_last)
        assert hello.name == "connected"
        return rest


async def test_what_happens_comes_as_it_happens(stack: Stack) -> None:
    name = await begun(stack)
    async with following(stack, name) as events:
        hello = await events.next()
        assert (hello.name, hello.data["state"], hello.id) == ("connected", "open", "-1.0")
        await play(stack, name)
        assert words(await events.until(is_last)) == SCRIPT
        assert events.retry == 1000


async def test_a_stream_begins_now_or_at_the_start_or_where_the_conversation_was_read(
    stack: Stack,
) -> None:
    name = await begun(stack)
    await say(stack, name, "Where is my card?")
    read = await stack.call("GET", f"/v1/conversations/{name}")
    assert read["cursor"] == "1.0"
    async with following(stack, name) as live:
        assert (await live.next()).id == "1.0"
        await say(stack, name, "Bye")
        assert words(await live.until(is_last)) == SCRIPT[-2:]
    assert words(await everything(stack, name, **{"from": read["cursor"]})) == SCRIPT[-2:]
    assert len(await everything(stack, name, **{"from": "start"})) == 4
    both = await everything(stack, name, after=read["cursor"], **{"from": "start"})
    assert words(both) == SCRIPT[-2:], "a client that comes back sends both"


async def test_coming_back_at_any_point_loses_and_doubles_nothing(stack: Stack) -> None:
    name = await begun(stack)
    await play(stack, name)
    whole = await everything(stack, name, **{"from": "start"})
    assert words(whole) == SCRIPT
    assert len({event.id for event in whole}) == len(whole)
    for cut in range(len(whole) - 1):
        again = await everything(stack, name, after=whole[cut].id)
        assert again == whole[cut + 1 :], f"after {whole[cut].id}"


async def test_coming_back_while_things_happen_loses_and_doubles_nothing(stack: Stack) -> None:
    name = await begun(stack)
    playing = asyncio.create_task(play(stack, name))
    seen: list[Event] = []
    last: str | None = None
    while not seen or not is_last(seen[-1]):
        start = {} if last else {"from": "start"}
        async with following(stack, name, after=last, **start) as events:
            await events.next()
            seen.append(await events.next())
            last = seen[-1].id
    await playing
    assert words(seen) == SCRIPT


@pytest.mark.parametrize(
    ("after", "status"),
    [("nonsense", 400), ("1", 400), ("0.0", 409), ("99.0", 409), ("-1.7", 409)],
)
async def test_a_cursor_that_is_not_of_this_conversation_is_refused(
    stack: Stack, after: str, status: int
) -> None:
    name = await begun(stack)
    headers = {**stack.headers(), "Last-Event-ID": after}
    refused = await stack.call("GET", f"/v1/conversations/{name}/events", headers=headers)
    assert refused["status"] == status
    assert "Last-Event-ID" in refused["error"]["message"]


async def test_only_those_who_may_read_a_conversation_follow_it(stack: Stack) -> None:
    name = await begun(stack)
    path = f"/v1/conversations/{name}/events"
    assert (await stack.call("GET", path, headers={}))["status"] == 401
    assert (await stack.call("GET", "/v1/conversations/conv_0/events"))["status"] == 404
    with stack.database.write() as session:
        ops = keys.create(session, name="ops", scope=KeyScope.OPS, actor="test")
        desk = keys.create(session, name="desk", scope=KeyScope.AGENT, actor="test")
    refused = await stack.call("GET", path, headers={"Authorization": f"Bearer {ops}"})
    assert refused["status"] == 403
    async with following(stack, name, key=desk) as events:
        assert (await events.next()).name == "connected"


@asynccontextmanager
async def two_gateways(
    home: Path,
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
    **settings: Any,
) -> AsyncIterator[list[Stack]]:
    """Two gateways that share nothing but the database."""
    async with AsyncExitStack() as opened:
        stacks = []
        for _ in range(2):
            own = Database(database.url)
            opened.callback(own.close)
            gateway = running(
                home,
                database=own,
                artifacts=artifacts,
                assistant=assistant,
                engine=engine,
                **settings,
            )
            stacks.append(await opened.enter_async_context(gateway))
        yield stacks


@pytest.mark.alone
async def test_an_agents_reply_in_one_process_reaches_streams_of_another_within_a_second(
    tmp_path: Path,
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    async with two_gateways(tmp_path, database, artifacts, assistant, engine) as (here, there):
        name = await begun(here)
        await post(here, f"/{name}/escalate")
        await agent(here, name, "take-over")
        async with following(there, name) as events:
            await events.next()
            taken = []
            for number in range(5):
                began = time.monotonic()
                await agent(here, name, "reply", content=f"word {number}", id=str(number))
                said = await events.next()
                taken.append(time.monotonic() - began)
                assert said.words == f"agent: word {number}"
    assert max(taken) < 1.0, taken


async def test_a_conversation_over_two_processes_is_one_to_its_readers(
    tmp_path: Path,
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    async with two_gateways(tmp_path, database, artifacts, assistant, engine) as (here, there):
        name = await begun(here)
        async with following(here, name) as near, following(there, name) as far:
            await near.next(), await far.next()
            await play(here, name, there)
            live = await near.until(is_last)
            assert words(live) == SCRIPT
            assert await far.until(is_last) == live
        for cut, stack in zip(range(len(live) - 1), [here, there] * 20, strict=False):
            assert await everything(stack, name, after=live[cut].id) == live[cut + 1 :]


async def test_what_slack_writes_reaches_a_stream(stack: Stack) -> None:
    name = await begun(stack)
    escalation = (await post(stack, f"/{name}/escalate"))["escalation_id"]
    async with following(stack, name) as events:
        await events.next()
        with stack.database.write() as session:
            escalations.take_over(session, escalation, agent="U1")
            escalations.reply(
                session, escalation, agent="U1", content="I'm here", source_key="slack:C:1"
            )
        assert words([await events.next(), await events.next()]) == ["taken", "agent: I'm here"]


async def test_while_the_database_fails_streams_stay_open_and_then_go_on(stack: Stack) -> None:
    name = await begun(stack)
    async with following(stack, name) as events:
        await events.next()
        with stack.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE turns RENAME TO away"))
        await until(lambda: stack.gateway.feed.failing)
        with stack.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO turns"))
        await say(stack, name, "Bye")
        assert words(await events.until(is_last)) == SCRIPT[-2:]
        assert not stack.gateway.feed.failing


async def test_a_client_that_leaves_is_forgotten(stack: Stack) -> None:
    name = await begun(stack)
    for _ in range(3):
        async with following(stack, name) as events:
            await events.next()
            assert stack.gateway.feed.open == 1
            events.response.close()
            await until(lambda: stack.gateway.feed.open == 0)


async def test_a_quiet_stream_gets_comments(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    async with running(
        tmp_path,
        database=sqlite,
        artifacts=artifacts,
        assistant=assistant,
        engine=engine,
        event_heartbeat_seconds=0.05,
        event_poll_seconds=0.02,
    ) as stack:
        name = await begun(stack)
        async with following(stack, name) as events:
            await events.next()
            waiting = asyncio.create_task(events.next())
            await until(lambda: events.comments >= 3)
            await say(stack, name, "Bye")
            assert (await waiting).words == SCRIPT[-2]


async def test_more_streams_than_fit_are_refused(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    async with running(
        tmp_path,
        database=sqlite,
        artifacts=artifacts,
        assistant=assistant,
        engine=engine,
        most_event_streams=1,
    ) as stack:
        name = await begun(stack)
        async with following(stack, name) as events:
            await events.next()
            refused = await stack.call("GET", f"/v1/conversations/{name}/events")
            assert (refused["status"], refused["error"]["code"]) == (503, "overloaded")
            assert refused["headers"]["Retry-After"]


@pytest.mark.alone
async def test_a_client_that_does_not_read_is_cut_off_and_comes_back_for_the_rest(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    texts = [f"{number} " + "x" * 200_000 for number in range(60)]
    async with running(
        tmp_path,
        database=sqlite,
        artifacts=artifacts,
        assistant=assistant,
        engine=engine,
        event_poll_seconds=0.02,
        send_seconds=0.2,
    ) as stack:
        name = await begun(stack)
        with sqlite.write() as session:
            for content in texts:
                turn = Turn(conversation_id=name, role=Role.CUSTOMER, content=content)
                conversations.add_turn(session, turn)
        got: list[Event] = []
        async with following(stack, name, **{"from": "start"}) as events:
            await until(lambda: stack.gateway.feed.open == 0)
            with pytest.raises((EOFError, aiohttp.ClientError)):
                while True:
                    got.append(await events.next())
        assert len(got) < len(texts), "it took all of it"
        async with following(stack, name, after=got[-1].id) as events:
            await events.next()
            while len(got) <= len(texts):
                got.append(await events.next())
    assert [event.data["content"] for event in got[1:]] == texts


async def test_a_gateway_that_stops_ends_its_streams_at_once(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    ended: list[list[Event]] = []

    async def follow(stack: Stack, name: str, ready: asyncio.Event) -> None:
        async with following(stack, name) as events:
            await events.next()
            ready.set()
            ended.append(await events.rest())

    async with AsyncExitStack() as opened:
        stack = await opened.enter_async_context(
            running(
                tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine
            )
        )
        name = await begun(stack)
        ready = [asyncio.Event() for _ in range(3)]
        readers = [asyncio.create_task(follow(stack, name, one)) for one in ready]
        await asyncio.gather(*(one.wait() for one in ready))
        began = time.monotonic()
        stopping = asyncio.create_task(opened.aclose())
        await asyncio.gather(*readers)
        await stopping
    assert time.monotonic() - began < 3
    assert ended == [[], [], []], "the end is a whole one: clients come back by themselves"
