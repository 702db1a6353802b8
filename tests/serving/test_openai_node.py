"""OpenAI's official client for Node, as it comes from its registry, against the gateway."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest
import pytest_asyncio

from records import keys
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.messages import Role
from records.states import KeyScope, TurnStatus
from tests.serving.running_gateway import running, until
from tests.stub_engine import StubEngine, default_answer

HERE = Path(__file__).resolve().parent / "node"
SECONDS = 120


def unless_needed(reason: str) -> None:
    """Skip on a user's machine; in CI nothing is skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; with CI=true nothing is skipped")
    pytest.skip(reason)


@pytest_asyncio.fixture
async def project(tmp_path: Path) -> Path:
    """A folder with the client installed, as its package.json says."""
    if shutil.which("npm") is None:
        unless_needed("Node is not installed (Debian: nodejs npm)")
    folder = tmp_path / "node"
    shutil.copytree(HERE, folder)
    status, printed = await run(
        folder, "npm", "install", "--no-package-lock", "--ignore-scripts", "--prefer-offline"
    )
    if status != 0:
        unless_needed(f"npm can't install the client: {printed.strip().splitlines()[-1:]}")
    return folder


async def run(folder: Path, *command: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(SECONDS):
        printed, _ = await process.communicate()
    return process.returncode, printed.decode()


@pytest.mark.slow
async def test_the_client_for_node_works_unchanged(
    project: Path,
    tmp_path: Path,
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    with sqlite.write() as session:
        agent = keys.create(session, name="desk", scope=KeyScope.AGENT, actor="test")
    engine.answer = lambda model, messages: {
        "slowly": "word " * 100,
        "json": '{"urgent": true}',
    }.get(messages[-1]["content"], default_answer(model, messages))
    engine.seconds_per_piece = 0.002
    engine.hangs_for.add("never")
    async with running(
        tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine,
        customer_concurrent_requests=1, max_requests=3, retry_after_seconds=1,
        max_body_bytes=50_000,
    ) as gateway:  # fmt: skip
        status, printed = await run(
            project, "node", "client.mjs",
            GATEWAY=gateway.url, CUSTOMER_KEY=gateway.key("customer"), AGENT_KEY=agent,
        )  # fmt: skip
        assert status == 0, printed
        checks = re.findall(r"^  async (\w+)\(\)", (HERE / "client.mjs").read_text(), re.MULTILINE)
        assert printed.split("\n") == [*(f"{name} works" for name in checks), ""]
        left = await until(lambda: gateway.turns(role=Role.ASSISTANT, status=TurnStatus.ABANDONED))
        assert len(left) >= 1
