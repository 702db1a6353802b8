"""Promotion, roll-back and experiments in live traffic: no failure, and records that are true."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

from records import outbox, versions
from records.adapters import CONFIG
from records.messages import Role
from records.states import Verdict
from records.tables import Audit, Report
from tests.serving.running_gateway import Stack, until
from tests.stub_engine import add_version, publish_adapter


def trained(stack: Stack, *, seed: int = 1, **more: Any) -> str:
    name = publish_adapter(stack.artifacts, stack.assistant, seed=seed, **more)
    return add_version(stack.database, stack.assistant, name)


async def promote(stack: Stack, version: str) -> dict[str, Any]:
    return await stack.admin("POST", "promote", version=version, without_evidence=True)


def audit_of(stack: Stack, subject: str) -> list[str]:
    with stack.database.read() as session:
        return list(session.scalars(select(Audit.action).where(Audit.subject == subject)))


async def test_promote_and_roll_back_under_load_fail_no_request(stack: Stack) -> None:
    first, second = trained(stack, seed=1), trained(stack, seed=2)
    answered: list[tuple[str, str, str]] = []
    stopping = asyncio.Event()

    async def customer(number: int) -> None:
        while not stopping.is_set():
            stream = await stack.openai.chat.completions.create(
                model="support", messages=[{"role": "user", "content": f"q{number}"}], stream=True
            )
            chunks = [c async for c in stream]
            said = "".join(c.choices[0].delta.content or "" for c in chunks)
            about = chunks[-1].model_extra["understudy"]
            answered.append((about["turn_id"], about["version"], said.split(" ")[0]))

    async def served_by(version: str) -> None:
        await until(lambda: any(v == version for _, v, _ in answered[-4:]))

    customers = [asyncio.create_task(customer(n)) for n in range(6)]
    await served_by("support-base")
    for version in (first, second):
        assert (await promote(stack, version))["status"] == 200
        await served_by(version)
    assert (await stack.admin("POST", "rollback"))["version"] == first
    await served_by(first)
    assert (await stack.admin("POST", "rollback"))["version"] == "support-base"
    await served_by("support-base")
    stopping.set()
    await asyncio.gather(*customers)
    turns = {t.id: t for t in stack.turns(role=Role.ASSISTANT)}
    for turn_id, version, speaker in answered:
        assert turns[turn_id].version == version == speaker
    assert stack.escalations() == []


async def test_a_promotion_by_command_is_followed_within_half_a_second(stack: Stack) -> None:
    version = trained(stack)
    with stack.database.write() as session:
        versions.promote(session, version, actor="ops", without_evidence=True)

    async def answered_by_it() -> None:
        while (await stack.chat())["understudy"]["version"] != version:
            pass

    await asyncio.wait_for(answered_by_it(), 2)


async def test_a_version_that_is_not_applied_never_serves(stack: Stack) -> None:
    version = trained(stack)
    stack.engine.not_applied.add(version)
    await promote(stack, version)
    await until(lambda: "refuse_version" in audit_of(stack, version))
    assert (await stack.chat())["understudy"]["version"] == "support-base"
    engines = (await stack.admin("GET", "versions"))["engines"]
    assert engines[0]["refused"] == [version]
    assert audit_of(stack, version).count("refuse_version") == 1
    assert (await stack.call("GET", "/health/ready"))["not_served"] == {"support": version}
    with stack.database.read() as session:
        told = [row for row in outbox.due(session) if row.kind == outbox.Kind.VERSION_REFUSED]
    assert [(row.subject, "not applied" in row.payload["reason"]) for row in told] == [
        (version, True)
    ]


async def test_an_adapter_of_another_base_is_never_loaded(stack: Stack) -> None:
    version = trained(stack, base="f" * 64)
    await promote(stack, version)
    await until(lambda: "refuse_version" in audit_of(stack, version))
    assert version not in stack.engine.loaded
    assert (await stack.chat())["understudy"]["version"] == "support-base"


async def test_a_changed_byte_is_refused_at_promotion(stack: Stack) -> None:
    version = trained(stack)
    file = stack.artifacts.fetch(f"adapters/{version}") / CONFIG
    file.write_text(json.dumps({**json.loads(file.read_text()), "lora_alpha": 99}))
    answer = await promote(stack, version)
    assert (answer["status"], answer["error"]["code"]) == (409, "adapter_refused")
    assert "changed on disk" in answer["error"]["message"]


async def test_an_engine_that_restarts_gets_its_adapter_back_before_traffic(stack: Stack) -> None:
    version = trained(stack)
    await promote(stack, version)
    await until(lambda: stack.gateway.fleet.ready(version))
    await stack.engine.stop()
    await until(lambda: not stack.gateway.fleet.healthy)
    await stack.engine.start()
    await until(lambda: stack.gateway.fleet.healthy)
    answer = await stack.chat()
    assert answer["understudy"]["version"] == version
    assert answer["choices"][0]["message"]["content"].startswith(version)


async def test_a_version_that_the_engine_forgot_is_loaded_again(stack: Stack) -> None:
    version = trained(stack)
    await promote(stack, version)
    await until(lambda: stack.gateway.fleet.ready(version))
    stack.engine.loaded.clear()
    answers = [await stack.chat() for _ in range(2)]
    assert {a["understudy"]["version"] for a in answers} <= {version, None}
    await until(lambda: stack.gateway.fleet.ready(version) and version in stack.engine.loaded)
    assert (await stack.chat())["understudy"]["version"] == version


async def test_a_conversation_keeps_its_version_until_a_roll_back(stack: Stack) -> None:
    naming = {"headers": {"X-Conversation-Id": "c"}}
    version = trained(stack)

    async def asked() -> str:
        return (await stack.chat(**naming))["understudy"]["version"]

    assert await asked() == "support-base"
    await promote(stack, version)
    await until(lambda: stack.gateway.fleet.ready(version))
    assert await asked() == "support-base"
    other = {"headers": {"X-Conversation-Id": "d"}}
    assert (await stack.chat(**other))["understudy"]["version"] == version
    await stack.admin("POST", "rollback")
    assert (await stack.chat(**other))["understudy"]["version"] == "support-base"


async def test_an_experiment_divides_customers_and_is_recorded(stack: Stack) -> None:
    version = trained(stack)
    started = await stack.admin(
        "POST", "experiments", arms=[{"name": "challenger", "version": version, "share": 0.5}]
    )
    assert started["status"] == 200
    await until(lambda: stack.gateway.fleet.ready(version))
    first = {
        n: (await stack.chat(user=f"customer-{n}"))["understudy"]["version"] for n in range(12)
    }
    again = {
        n: (await stack.chat(user=f"customer-{n}"))["understudy"]["version"] for n in range(12)
    }
    assert first == again
    assert set(first.values()) == {version, "support-base"}
    turns = stack.turns(role=Role.ASSISTANT, version=version)
    assert {(t.experiment, t.arm) for t in turns} == {(started["id"], "challenger")}
    assert (await stack.admin("POST", "experiments/stop"))["state"] == "stopped"
    assert (await stack.chat(user="customer-1"))["understudy"]["version"] == "support-base"
    assert (await stack.admin("POST", "experiments/stop"))["status"] == 409


@pytest.mark.slow
async def test_a_ramp_in_live_traffic_keeps_every_customer_who_is_in(stack: Stack) -> None:
    version = trained(stack)
    arms = [{"name": "challenger", "version": version, "share": 0.1}]
    started = await stack.admin("POST", "experiments", arms=arms)
    await until(lambda: stack.gateway.fleet.ready(version))

    async def inside() -> set[int]:
        answers = [(await stack.chat(user=f"customer-{n}"))["understudy"] for n in range(40)]
        return {n for n, about in enumerate(answers) if about["version"] == version}

    before = await inside()
    for share in (0.5, 1.0):
        ramped = await stack.admin("POST", "experiments/ramp", shares={"challenger": share})
        assert (ramped["status"], ramped["arms"][0]["share"]) == (200, share)
        found = await inside()
        assert before < found
        before = found
    assert before == set(range(40))
    shown = await stack.admin("GET", "experiments")
    assert (shown["id"], shown["arms"][0]["customers"]) == (started["id"], 40)
    for shares, status in (({"challenger": 1.5}, 400), ({"nobody": 0.1}, 404), ({}, 400)):
        assert (await stack.admin("POST", "experiments/ramp", shares=shares))["status"] == status
    await stack.admin("POST", "experiments/stop")
    assert (await stack.admin("POST", "experiments/ramp", shares={"a": 0.1}))["status"] == 409


async def test_a_tester_asks_a_version_and_leaves_the_conversation_as_it_was(stack: Stack) -> None:
    version = trained(stack)
    naming = {"X-Conversation-Id": "c"}
    asking = {**naming, **stack.headers("admin"), "X-Understudy-Version": version}
    assert (await stack.chat(headers=naming))["understudy"]["version"] == "support-base"
    assert (await stack.chat(headers=asking))["understudy"]["version"] == version
    assert (await stack.chat(headers=naming))["understudy"]["version"] == "support-base"
    turns = stack.turns(role=Role.ASSISTANT, version=version)
    assert [(turn.experiment, turn.arm) for turn in turns] == [(None, None)]
    missing = {**asking, "X-Understudy-Version": "support-nothing"}
    assert (await stack.chat(headers=missing))["status"] == 404
    customers = {**stack.headers("customer"), "X-Understudy-Version": version}
    assert (await stack.chat(headers=customers))["status"] == 403


async def test_a_version_that_the_gate_failed_takes_part_only_without_evidence(
    stack: Stack,
) -> None:
    version = trained(stack)
    with stack.database.write() as session:
        session.add(
            Report(
                assistant="support",
                champion="support-base",
                challenger=version,
                cases_hash="0" * 64,
                frozen=True,
                verdict=Verdict.FAIL,
                body={},
                path="reports/x",
            )
        )
    arms = [{"name": "challenger", "version": version, "share": 0.5}]
    refused = await stack.admin("POST", "experiments", arms=arms)
    assert (refused["status"], refused["error"]["code"]) == (409, "conflict")
    taken = await stack.admin("POST", "experiments", arms=arms, without_evidence=True)
    assert taken["status"] == 200


async def test_without_evidence_the_gate_holds(stack: Stack) -> None:
    answer = await stack.admin("POST", "promote", version=trained(stack))
    assert (answer["status"], answer["error"]["code"]) == (409, "conflict")
    assert "without evidence" in answer["error"]["message"]
    missing = await stack.admin("POST", "promote", version="support-000000000000")
    assert missing["status"] == 404
