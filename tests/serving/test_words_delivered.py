"""An agent's words count as delivered when a reader of the customer's has them, and only then."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from records import endings, escalations, keys, revisions
from records.ids import utc_now
from records.outbox import Kind
from records.states import KeyScope
from records.tables import OutboxMessage, Turn
from serving.receipts import Receipts
from serving.recorder import Recorder
from tests.serving.events_client import following
from tests.serving.running_gateway import Stack, until

WORDS = "It was posted on Monday."


async def taken(stack: Stack) -> tuple[str, str]:
    """A conversation that an agent has, and its escalation."""
    begun = await stack.call("POST", "/v1/conversations", json={})
    name = begun["id"]
    await stack.call(
        "POST", f"/v1/conversations/{name}/turns", json={"content": "Hello?", "stream": False}
    )
    asked = await stack.call("POST", f"/v1/conversations/{name}/escalate", json={})
    with stack.database.write() as session:
        escalations.take_over(session, asked["escalation_id"], agent="U0ANN")
    return str(name), str(asked["escalation_id"])


def reply(stack: Stack, escalation: str, words: str = WORDS, *, ts: str = "1.1") -> str:
    with stack.database.write() as session:
        return escalations.reply(
            session, escalation, agent="U0ANN", content=words, source_key=f"slack:C:{ts}"
        ).id


def key_of(stack: Stack, scope: KeyScope) -> str:
    with stack.database.write() as session:
        return keys.create(session, name=scope, scope=scope, actor="test")


def rows(stack: Stack, kind: Kind) -> list[str]:
    with stack.database.read() as session:
        return [row.subject for row in session.query(OutboxMessage).filter_by(kind=kind)]


def delivered(stack: Stack, turn_id: str) -> Callable[[], Any]:
    def look() -> Any:
        with stack.database.read() as session:
            return session.get_one(Turn, turn_id).delivered_at

    return look


async def written(stack: Stack) -> None:
    """Until what was gathered is noted."""
    await until(lambda: not stack.gateway.receipts.waiting)
    await stack.gateway.recorder.write(lambda _session: None)


async def read(stack: Stack, name: str, key: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"} if key else stack.headers()
    return await stack.call("GET", f"/v1/conversations/{name}", headers=headers)


async def test_an_open_stream_of_the_customers_confirms_once(stack: Stack) -> None:
    name, escalation = await taken(stack)
    async with following(stack, name) as one, following(stack, name) as other:
        await one.next(), await other.next()
        turn = reply(stack, escalation)
        assert (await one.next()).words == f"agent: {WORDS}"
        await other.next()
        await until(delivered(stack, turn))
        await written(stack)
    await read(stack, name)
    async with following(stack, name, **{"from": "start"}) as again:
        await again.until(lambda event: event.name == "turn" and event.data["role"] == "agent")
    await written(stack)
    assert rows(stack, Kind.REPLY_RELAYED) == [turn]


async def test_a_poll_of_the_customers_confirms(stack: Stack) -> None:
    name, escalation = await taken(stack)
    turn = reply(stack, escalation)
    assert delivered(stack, turn)() is None
    assert (await read(stack, name))["turns"][-1]["content"] == WORDS
    await until(delivered(stack, turn))
    assert rows(stack, Kind.REPLY_RELAYED) == [turn]


@pytest.mark.parametrize("scope", [KeyScope.AGENT, KeyScope.ADMIN])
async def test_nobody_elses_reading_confirms(stack: Stack, scope: KeyScope) -> None:
    name, escalation = await taken(stack)
    key = key_of(stack, scope)
    async with following(stack, name, key=key) as events:
        await events.next()
        turn = reply(stack, escalation)
        await events.next()
        seen = await read(stack, name, key)
        assert seen["turns"][-1]["delivered_at"] is None
    async with following(stack, name, key=key, after=seen["cursor"]) as events:
        await events.next()
    await written(stack)
    assert delivered(stack, turn)() is None
    await read(stack, name)
    await until(delivered(stack, turn))
    assert (await read(stack, name, key))["turns"][-1]["delivered_at"]


async def test_a_reader_that_comes_back_confirms_what_was_not_noted_when_it_was_sent(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, escalation = await taken(stack)
    with monkeypatch.context() as patched:
        patched.setattr(Receipts, "had", lambda *_: None)  # killed before it could be noted
        async with following(stack, name) as events:
            await events.next()
            turn = reply(stack, escalation)
            last = (await events.next()).id
    await written(stack)
    assert delivered(stack, turn)() is None
    async with following(stack, name, after=last) as events:
        await events.next()
        await until(delivered(stack, turn))
    assert rows(stack, Kind.REPLY_RELAYED) == [turn]


async def test_a_cursor_before_the_words_confirms_nothing_but_brings_them(stack: Stack) -> None:
    name, escalation = await taken(stack)
    before = (await read(stack, name))["cursor"]
    turn = reply(stack, escalation)
    async with following(stack, name, after=before) as events:
        await events.next()
        assert (await events.next()).data["id"] == turn
    await until(delivered(stack, turn))


async def test_a_stream_from_now_on_brings_what_nobody_was_there_to_read(stack: Stack) -> None:
    name, escalation = await taken(stack)
    first, second = reply(stack, escalation), reply(stack, escalation, "Anything else?", ts="1.2")
    async with following(stack, name) as events:
        await events.next()
        assert [(await events.next()).data["id"] for _ in range(2)] == [first, second]
        await until(delivered(stack, second))
    async with following(stack, name) as events:
        assert (await events.next()).name == "connected"
        third = reply(stack, escalation, "Bye", ts="1.3")
        assert (await events.next()).data["id"] == third


async def test_while_nothing_can_be_recorded_it_waits_and_is_noted_later(stack: Stack) -> None:
    name, escalation = await taken(stack)
    turn = reply(stack, escalation)
    with stack.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE outbox RENAME TO away"))
    async with following(stack, name) as events:
        await events.next()
        await events.next()
        await until(lambda: stack.gateway.receipts.failing)
        with stack.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO outbox"))
        await until(delivered(stack, turn))
    assert rows(stack, Kind.REPLY_RELAYED) == [turn]


async def test_what_is_gathered_is_written_when_the_gateway_stops(stack: Stack) -> None:
    name, escalation = await taken(stack)
    turn = reply(stack, escalation)
    recorder = Recorder(stack.database)
    recorder.start()
    receipts = Receipts(recorder)
    receipts.had(name, 99)
    await receipts.stop()
    await recorder.close()
    assert delivered(stack, turn)()


async def test_edits_and_removals_reach_streams_and_polls(stack: Stack) -> None:
    name, escalation = await taken(stack)
    turn, other = reply(stack, escalation), reply(stack, escalation, "Hm.", ts="1.2")
    async with following(stack, name) as events:
        await events.next()
        await events.next(), await events.next()
        with stack.database.write() as session:
            revisions.edit(session, turn, content="On Tuesday.", at=utc_now(), actor="U0ANN")
            revisions.remove(session, other, at=utc_now(), actor="U0ANN")
        edited, removed = await events.next(), await events.next()
    assert (edited.name, edited.data["id"], edited.data["content"]) == (
        "edited", turn, "On Tuesday.",
    )  # fmt: skip
    assert edited.data["edited_at"]
    assert (removed.name, removed.data["id"]) == ("removed", other)
    shown = [(t["id"], t["content"]) for t in (await read(stack, name))["turns"]]
    assert shown[-1] == (turn, "On Tuesday.")
    for_agents = (await read(stack, name, key_of(stack, KeyScope.AGENT)))["turns"][-1]
    assert (for_agents["id"], for_agents["content"]) == (other, "")
    assert for_agents["removed_at"]
    async with following(stack, name, **{"from": "start"}) as fresh:
        seen = await fresh.until(lambda event: event.words == "taken")
    assert WORDS not in str(seen)
    assert await asyncio.wait_for(_rest(stack, name, seen[-1].id), 5) == ["agent: On Tuesday."]


async def _rest(stack: Stack, name: str, after: str | None) -> list[str]:
    """What comes after a point, up to an answer that is asked for now."""
    async with following(stack, name, after=after) as events:
        await events.next()
        await stack.call(
            "POST", f"/v1/conversations/{name}/turns", json={"content": "Bye", "stream": False}
        )
        found = await events.until(lambda event: event.words == "customer: Bye")
    return [event.words for event in found[:-1]]


async def test_the_model_gets_edited_words_and_none_that_were_taken_back(stack: Stack) -> None:
    name, escalation = await taken(stack)
    turn, other = reply(stack, escalation), reply(stack, escalation, "Hm.", ts="1.2")
    with stack.database.write() as session:
        revisions.edit(session, turn, content="On Tuesday.", at=utc_now(), actor="U0ANN")
        revisions.remove(session, other, at=utc_now(), actor="U0ANN")
        endings.hand_back(session, escalation, agent="U0ANN")
    prompts: list[Any] = []

    def answer(_model: str, messages: Any) -> str:
        prompts.append(messages)
        return "Bye."

    stack.engine.answer = answer
    await stack.call(
        "POST", f"/v1/conversations/{name}/turns", json={"content": "And?", "stream": False}
    )
    said = [message["content"] for message in prompts[-1]]
    assert "On Tuesday." in said
    assert not {WORDS, "Hm.", ""} & set(said)
