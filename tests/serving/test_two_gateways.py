"""Several gateways on one database: each follows what another process changes, and quickly."""

import asyncio
import statistics
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.cli import understudy
from records.database import Database
from tests.serving.gateway_processes import gateway_processes
from tests.serving.running_gateway import running, until
from tests.stub_engine import StubEngine, add_version, publish_adapter

pytestmark = pytest.mark.alone


def command(environment: dict[str, str], *arguments: str) -> None:
    result = CliRunner().invoke(understudy, arguments, env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output


async def test_every_gateway_follows_a_command_within_half_a_second(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "support.yaml").write_text(
        f"name: support\nsystem_prompt: x\nbase_model: {assistant.base_model}\n"
    )
    environment = {
        "UNDERSTUDY_HOME": str(tmp_path),
        "UNDERSTUDY_ASSISTANTS": str(tmp_path / "assistants"),
    }
    version = add_version(sqlite, assistant, publish_adapter(artifacts, assistant, seed=1))
    promote, back = ("promote", version, "--without-evidence"), ("rollback",)
    parts = {
        "database": sqlite, "artifacts": artifacts, "assistant": assistant, "engine": engine,
        "poll_seconds": 0.2,  # as it is by default
    }  # fmt: skip
    async with running(tmp_path, **parts) as one, running(tmp_path, **parts) as other:

        def all_serve(wanted: str) -> bool:
            return all(s.gateway.traffic.champion("support") == wanted for s in (one, other))

        await asyncio.to_thread(command, environment, *promote)
        await until(lambda: all_serve(version))
        seconds = []
        for arguments, wanted in ((back, "support-base"), (promote, version)) * 4:
            await asyncio.to_thread(command, environment, *arguments)
            done = time.monotonic()
            await until(lambda wanted=wanted: all_serve(wanted))
            seconds.append(time.monotonic() - done)
            for stack in (one, other):
                assert (await stack.chat())["understudy"]["version"] == wanted
    print("seconds until both had followed:", [round(s, 3) for s in seconds])
    assert statistics.median(seconds) <= 0.5
    assert max(seconds) <= 1  # a machine that tests something else at the same time


async def test_a_roll_back_moves_conversations_at_once_in_every_process(
    tmp_path: Path, assistant: Assistant, engine: StubEngine
) -> None:
    async with gateway_processes(
        tmp_path / "home", assistant=assistant, engine_urls=[engine.url]
    ) as gateways:
        first, second = gateways.urls

        async def version_of(url: str, conversation: str) -> str:
            answer = await gateways.chat(url, conversation=conversation)
            return str(answer["understudy"]["version"])

        async def follows(url: str, version: str) -> None:
            async with asyncio.timeout(5):
                number = 0
                while await version_of(url, f"new {version} {number}") != version:
                    number += 1

        name = publish_adapter(gateways.artifacts, assistant, seed=1)
        version = add_version(gateways.database, assistant, name)
        assert await version_of(first, "old") == "support-base"
        done = await gateways.call(
            "POST", f"{first}/v1/admin/promote", key="admin",
            json={"version": version, "without_evidence": True},
        )  # fmt: skip
        assert done["status"] == 200
        for url in gateways.urls:
            await follows(url, version)
        assert await version_of(first, "young") == version
        assert await version_of(second, "young") == version  # known in the other process, too
        assert await version_of(second, "old") == "support-base"  # it stays with what it began with
        done = await gateways.call("POST", f"{second}/v1/admin/rollback", key="admin")
        assert (done["status"], done["version"]) == (200, "support-base")
        assert await version_of(second, "young") == "support-base"
        async with asyncio.timeout(0.5):
            while await version_of(first, "young-2") != "support-base":
                pass
        assert await version_of(first, "young") == "support-base"
