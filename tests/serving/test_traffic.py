"""Records are followed, engines told what to load, testers given what they ask for."""

import asyncio
import time
from typing import Any

import pytest
from sqlalchemy import event

from records import experiments, shadows, versions
from records.errors import Conflict, EngineUnavailable, NotFound
from records.experiments import Side
from records.states import Verdict
from records.tables import Report
from serving.routing import Choice
from tests.serving.running_gateway import Stack, until
from tests.stub_engine import add_version, publish_adapter


def trained(stack: Stack, *, seed: int = 1) -> str:
    name = publish_adapter(stack.artifacts, stack.assistant, seed=seed)
    return add_version(stack.database, stack.assistant, name)


def passes(stack: Stack, version: str, *, verdict: Verdict = Verdict.PASS) -> None:
    with stack.database.write() as session:
        session.add(
            Report(
                assistant="support", champion="support-base", challenger=version, cases_hash="c",
                frozen=True, verdict=verdict, body={}, path="reports/x",
            )
        )  # fmt: skip


def statements(stack: Stack) -> list[str]:
    """What is asked of the database from now on."""
    asked: list[str] = []

    @event.listens_for(stack.database.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    return asked


async def test_while_nothing_changes_no_history_is_read(stack: Stack) -> None:
    await stack.gateway.traffic.refresh()
    asked = statements(stack)
    await until(lambda: len(asked) >= 60)  # three small questions each time
    assert not [s for s in asked if "replaces" in s or "versions" in s.split("WHERE")[0]]


async def test_a_failing_database_leaves_traffic_as_it_was_read_last(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = trained(stack)
    await stack.admin("POST", "promote", version=version, without_evidence=True)
    await until(lambda: stack.gateway.traffic.champion("support") == version)
    failed = asyncio.Event()

    def fails(*_: Any) -> None:
        loop.call_soon_threadsafe(failed.set)
        raise OSError("the disk is gone")

    loop = asyncio.get_running_loop()
    with monkeypatch.context() as patch:
        patch.setattr("serving.traffic.read_mark", fails)
        await failed.wait()
        assert stack.gateway.traffic.champion("support") == version
    with stack.database.write() as session:
        versions.rollback(session, "support", actor="ops")
    await until(lambda: stack.gateway.traffic.champion("support") == "support-base")


# --- loaded ahead ---


async def test_what_passed_the_gate_is_loaded_ahead_and_promoted_at_once(stack: Stack) -> None:
    version = trained(stack)
    passes(stack, version)
    await stack.gateway.traffic.refresh()
    await until(lambda: stack.gateway.fleet.ready(version))
    await stack.admin("POST", "promote", version=version)
    assert (await stack.chat())["understudy"]["version"] == version


async def test_what_failed_the_gate_is_not_loaded(stack: Stack) -> None:
    failed, passed = trained(stack, seed=1), trained(stack, seed=2)
    passes(stack, failed)
    passes(stack, failed, verdict=Verdict.FAIL)
    passes(stack, passed)
    await stack.gateway.traffic.refresh()
    await until(lambda: stack.gateway.fleet.ready(passed))
    assert set(stack.engine.loaded) == {passed}


async def test_what_a_roll_back_goes_to_stays_loaded(stack: Stack) -> None:
    names = [trained(stack, seed=seed) for seed in range(3)]
    for name in names:
        await stack.admin("POST", "promote", version=name, without_evidence=True)
        await until(lambda name=name: stack.gateway.fleet.ready(name))
    await stack.admin("POST", "rollback")
    assert stack.gateway.traffic.champion("support") == names[1]


async def test_arms_and_shadows_are_loaded(stack: Stack) -> None:
    arm, unseen = trained(stack, seed=1), trained(stack, seed=2)
    with stack.database.write() as session:
        experiments.start(session, "support", [Side("a", arm, 0.5)], actor="ops")
        shadows.start(session, unseen, 0.5, actor="ops")
    await until(lambda: stack.gateway.fleet.ready(arm) and stack.gateway.fleet.ready(unseen))
    shadow = stack.gateway.traffic.shadow("support")
    assert shadow is not None
    assert (shadow.version, shadow.share) == (unseen, 0.5)


# --- testers ---


async def test_a_tester_gets_any_version_and_it_is_loaded_for_them(stack: Stack) -> None:
    version = trained(stack)
    passes(stack, version, verdict=Verdict.FAIL)
    found = await stack.gateway.traffic.override("support", version)
    assert found == Choice(version, for_tester=True)
    assert version in stack.engine.loaded
    base = await stack.gateway.traffic.override("support", "support-base")
    assert base == Choice("support-base", for_tester=True)
    assert stack.gateway.traffic.champion("support") == "support-base"


async def test_only_few_versions_are_kept_for_testers(stack: Stack) -> None:
    names = [trained(stack, seed=seed) for seed in range(12)]
    for name in names:
        await stack.gateway.traffic.override("support", name)
        assert len(stack.engine.loaded) <= stack.assistant.engine.max_cpu_loras
    assert names[-1] in stack.engine.loaded
    assert names[-2] in stack.engine.loaded
    assert stack.engine.most_loaded == stack.assistant.engine.max_cpu_loras


async def test_what_a_tester_cannot_have_is_refused_in_words(stack: Stack) -> None:
    override = stack.gateway.traffic.override
    with pytest.raises(NotFound, match="No version 'support-nothing'"):
        await override("support", "support-nothing")
    version = trained(stack)
    stack.engine.not_applied.add(version)
    began = time.monotonic()
    with pytest.raises(Conflict, match="could not be proved"):
        await override("support", version)
    assert time.monotonic() - began < 1.5  # it is known before the longest wait (2 s) is over
    other = trained(stack, seed=2)
    with stack.database.write() as session:
        versions.get(session, other).assistant = "sales"
    with pytest.raises(Conflict, match="belongs to assistant 'sales'"):
        await override("support", other)


async def test_a_tester_is_told_when_no_engine_answers(stack: Stack) -> None:
    version = trained(stack)
    await stack.engine.stop()
    await until(lambda: not stack.gateway.fleet.healthy)
    with pytest.raises(EngineUnavailable):
        await stack.gateway.traffic.override("support", version)
