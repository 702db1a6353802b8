"""Engine down, dying, hanging; nothing can be recorded: never a dead end, never a lost answer."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from sqlalchemy import Connection, func, select

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import StorageFull
from records.keys import local_key
from records.messages import Role
from records.states import ConversationState, EscalationReason, TurnStatus
from records.tables import Conversation, Turn
from serving import turn_log
from serving.turn_log import Entry, Recorded
from tests.conftest import free_port
from tests.serving.running_gateway import Stack, running, until
from tests.stub_engine import Fault, StubEngine

SORRY = "I can't answer right now. I've asked a colleague to reply to you here."


write_all = turn_log.write_all


def full_for_answers(connection: Connection, entries: Sequence[Entry]) -> list[Recorded]:
    """A disk that is full just when an answer comes."""
    if any(turn["role"] == Role.ASSISTANT for entry in entries for turn in entry.turns):
        raise StorageFull("no space left")
    return write_all(connection, entries)


async def read_stream(stack: Stack, text: str = "hello") -> tuple[str, list[dict[str, Any]], bool]:
    """What a client reads: the text, all events, and whether the stream said that it was done."""
    body = {"model": "support", "messages": [{"role": "user", "content": text}], "stream": True}
    said, events, done = "", [], False
    async with stack.http.post(
        f"{stack.url}/v1/chat/completions", json=body, headers=stack.headers()
    ) as response:
        async for line in response.content:
            if line.startswith(b"data: [DONE]"):
                done = True
            elif line.startswith(b"data: "):
                event = json.loads(line[6:])
                events.append(event)
                for choice in event.get("choices", []):
                    said += choice["delta"].get("content") or ""
    return said, events, done


@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.HANG, Fault.DIE])
async def test_an_engine_that_fails_means_a_sentence_and_a_person(
    tmp_path: Path,
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
    fault: Fault,
) -> None:
    async with running(
        tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine,
        answer_seconds=0.3, silence_seconds=0.3,
    ) as stack:  # fmt: skip
        engine.fault = fault
        answer = await stack.chat()
        assert answer["status"] == 200
        assert answer["choices"][0]["message"]["content"] == SORRY
        about = answer["understudy"]
        assert (about["status"], about["reason"], about["version"]) == ("fallback", "engine", None)
        (escalation,) = stack.escalations()
        assert escalation.reason is EscalationReason.ENGINE
        (turn,) = stack.turns(role=Role.ASSISTANT)
        assert (turn.status, turn.version, turn.content) == (TurnStatus.FALLBACK, None, SORRY)


@pytest.mark.parametrize("fault", [Fault.DIE, Fault.ERROR_EVENT])
async def test_an_engine_that_dies_in_mid_answer_leaves_what_was_said(
    stack: Stack, fault: Fault
) -> None:
    stack.engine.fault = fault
    said, events, done = await read_stream(stack)
    assert said.startswith("sup")
    assert said.endswith(f" {SORRY}")
    assert done
    (turn,) = stack.turns(role=Role.ASSISTANT)
    assert (turn.content, turn.status) == (said, TurnStatus.INTERRUPTED)
    assert turn.version == "support-base"
    about = events[-1]["understudy"]
    assert (about["status"], about["escalated"], about["reason"]) == ("interrupted", True, "engine")


async def test_an_engine_that_is_gone_and_comes_back_is_used_again(stack: Stack) -> None:
    await stack.engine.stop()
    said, events, _ = await read_stream(stack)
    assert said == SORRY
    assert events[-1]["understudy"]["status"] == "fallback"
    await until(lambda: not stack.gateway.fleet.healthy)
    assert (await stack.call("GET", "/health/ready"))["status"] == 503
    assert (await stack.call("GET", "/health/live"))["status"] == 200
    await stack.engine.start()
    await until(lambda: stack.gateway.fleet.healthy)
    assert (await stack.chat())["understudy"]["version"] == "support-base"


async def test_another_engine_takes_over_before_the_first_byte(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    async with (
        StubEngine() as second,
        running(
            tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine,
            engine_urls=f"{engine.url},{second.url}",
        ) as stack,
    ):  # fmt: skip
        engine.fault = Fault.ERROR_500
        answers = [await stack.chat() for _ in range(4)]
        assert {a["understudy"]["status"] for a in answers} == {"complete"}
        said, _, _ = await read_stream(stack)
        assert said == "support-base answers: hello"
        assert stack.escalations() == []


async def test_while_an_agent_has_the_conversation_the_model_is_silent(stack: Stack) -> None:
    naming = {"headers": {"X-Conversation-Id": "c"}}
    await stack.chat("one", **naming)
    (conversation,) = stack.conversations()
    await stack.call("POST", f"/v1/conversations/{conversation.id}/escalate")
    asked = len(stack.engine.requests)
    with stack.database.write() as session:
        row = session.get_one(Conversation, conversation.id)
        row.state, row.owner = ConversationState.WITH_AGENT, "U1"
    answer = await stack.chat("two", **naming)
    assert len(stack.engine.requests) == asked
    assert answer["choices"][0]["message"]["content"] == stack.assistant.waiting_sentence
    about = answer["understudy"]
    assert (about["status"], about["escalated"], about["version"]) == ("fallback", True, None)
    assert about["escalation_id"] == stack.escalations()[0].id
    assert [t.content for t in stack.turns()][2] == "two"


async def test_what_cannot_be_recorded_is_not_answered(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StorageFull("no space left")

    monkeypatch.setattr("serving.turn_log.write_all", full)
    for stream in (False, True):
        answer = await stack.chat(stream=stream)
        assert (answer["status"], answer["error"]["code"]) == (503, "storage_unavailable")
        assert int(answer["headers"]["Retry-After"]) >= 1


async def test_a_locked_database_means_503_and_then_all_is_well(
    tmp_path: Path,
    migrated_sqlite: Path,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    file = shutil.copy(migrated_sqlite, tmp_path / "impatient.db")
    database = Database(f"sqlite:///{file}", lock_wait_seconds=0.2)
    async with running(
        tmp_path, database=database, artifacts=artifacts, assistant=assistant, engine=engine
    ) as stack:
        with Database(f"sqlite:///{file}").write() as other:
            other.execute(select(func.count(Turn.id)))
            answer = await stack.chat()
            assert (answer["status"], answer["headers"]["Retry-After"]) == (503, "2")
        assert (await stack.chat())["status"] == 200
    database.close()


async def test_a_stream_whose_record_fails_is_not_called_complete(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_log, "write_all", full_for_answers)
    _, events, done = await read_stream(stack)
    assert not done
    assert events[-1]["error"]["code"] == "storage_unavailable"
    assert all(c["finish_reason"] is None for e in events for c in e.get("choices", []))


async def test_no_traceback_leaves(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> str:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(stack.gateway.traffic.__class__, "choose", broken)
    answer = await stack.chat()
    assert (answer["status"], answer["error"]["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(answer["error"])
    assert "err_" in answer["error"]["message"]


async def test_kill_9_of_the_gateway_loses_no_answer_that_was_seen_complete(
    tmp_path: Path, engine: StubEngine, assistant: Assistant
) -> None:
    assistants = tmp_path / "assistants"
    assistants.mkdir()
    (assistants / "support.yaml").write_text(
        yaml.safe_dump({k: v for k, v in assistant.model_dump(mode="json").items() if v})
    )
    port = free_port()
    environment = {
        **os.environ,
        "UNDERSTUDY_HOME": str(tmp_path / "home"),
        "UNDERSTUDY_ASSISTANTS": str(assistants),
        "UNDERSTUDY_ENGINE_URLS": engine.url,
        "UNDERSTUDY_PORT": str(port),
    }
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "records.cli", "serve", env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    seen: set[str] = set()
    url = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {local_key(tmp_path / 'home', 'customer')}"}

    async def customer(http: aiohttp.ClientSession, number: int) -> None:
        body = {"model": "support", "messages": [{"role": "user", "content": f"hi {number}"}]}
        stream = number % 2 == 0
        while True:
            try:
                async with http.post(
                    f"{url}/v1/chat/completions", json={**body, "stream": stream}, headers=headers
                ) as response:
                    raw = await response.read()
            except aiohttp.ClientError:
                return
            if not stream:
                seen.add(json.loads(raw)["understudy"]["turn_id"])
            elif raw.endswith(b"data: [DONE]\n\n"):
                last = raw.split(b"\n\n")[-3].removeprefix(b"data: ")
                seen.add(json.loads(last)["understudy"]["turn_id"])

    try:
        async with aiohttp.ClientSession() as http:
            await wait_until_ready(http, url)
            customers = [asyncio.create_task(customer(http, n)) for n in range(16)]
            await until(lambda: len(seen) >= 150, seconds=30)
            gateway.send_signal(signal.SIGKILL)
            await asyncio.gather(*customers)
    finally:
        if gateway.returncode is None:
            gateway.kill()
        await gateway.wait()
    database = Database(f"sqlite:///{tmp_path / 'home' / 'understudy.db'}")
    with database.read() as session:
        recorded = session.scalars(select(Turn.id).where(Turn.role == Role.ASSISTANT)).all()
    database.close()
    lost = seen - set(recorded)
    print(f"seen complete: {len(seen)}, in the database: {len(recorded)}, lost: {len(lost)}")
    assert len(seen) >= 150
    assert not lost
    assert len(recorded) == len(set(recorded))


async def wait_until_ready(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                async with http.get(f"{url}/health/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def test_a_question_whose_answer_was_not_recorded_is_kept_once_when_asked_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming = {"headers": {"X-Conversation-Id": "c"}}
    await stack.chat("one", **naming)

    with monkeypatch.context() as patch:
        patch.setattr(turn_log, "write_all", full_for_answers)
        assert (await stack.chat("two", **naming))["status"] == 503
    assert (await stack.chat("two", **naming))["status"] == 200
    said = [t.content for t in stack.turns() if t.role is Role.CUSTOMER]
    assert said == ["one", "two"]
    prompt = stack.engine.requests[-1]["messages"]
    assert [m["content"] for m in prompt if m["role"] == "user"] == ["one", "two"]
    await stack.chat("two", **naming)
    assert [t.content for t in stack.turns()].count("two") == 2  # answered, so it is asked anew
