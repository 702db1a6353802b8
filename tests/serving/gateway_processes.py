"""Gateways as processes of their own on one database, as they run in production."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.keys import local_key
from tests.conftest import free_port


@dataclass
class Gateways:
    """Running gateway processes, and what they share."""

    home: Path
    environment: dict[str, str]
    urls: Sequence[str]
    processes: Sequence[asyncio.subprocess.Process]
    database: Database
    artifacts: Artifacts
    http: aiohttp.ClientSession

    async def call(
        self, method: str, url: str, *, key: str = "customer", **options: Any
    ) -> dict[str, Any]:
        """Ask one of them; the body with the response's `status`."""
        headers = {"Authorization": f"Bearer {local_key(self.home, key)}"}
        headers |= options.pop("headers", {})
        async with self.http.request(method, url, headers=headers, **options) as response:
            return {**json.loads(await response.read()), "status": response.status}

    async def chat(self, url: str, *, conversation: str | None = None) -> dict[str, Any]:
        """Ask one of them as a customer."""
        body = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}
        headers = {"X-Conversation-Id": conversation} if conversation else {}
        return await self.call("POST", f"{url}/v1/chat/completions", json=body, headers=headers)


@asynccontextmanager
async def gateway_processes(
    home: Path, *, assistant: Assistant, engine_urls: Sequence[str], number: int = 2, **more: str
) -> AsyncIterator[Gateways]:
    """Start `number` gateways and wait until each is ready; `more` are settings."""
    assistants = home / "assistants"
    assistants.mkdir(parents=True)
    (assistants / "support.yaml").write_text(
        yaml.safe_dump({k: v for k, v in assistant.model_dump(mode="json").items() if v})
    )
    environment = {
        **os.environ,
        "UNDERSTUDY_HOME": str(home),
        "UNDERSTUDY_ASSISTANTS": str(assistants),
        "UNDERSTUDY_ENGINE_URLS": ",".join(engine_urls),
        **{f"UNDERSTUDY_{name.upper()}": value for name, value in more.items()},
    }
    database = Database(f"sqlite:///{home / 'understudy.db'}")
    await asyncio.to_thread(database.migrate)
    ports = [free_port() for _ in range(number)]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "records.cli", "serve",
            env={**environment, "UNDERSTUDY_PORT": str(port)}, stderr=asyncio.subprocess.DEVNULL,
        )
        for port in ports
    ]  # fmt: skip
    try:
        async with aiohttp.ClientSession() as http:
            await asyncio.gather(*(until_ready(http, url) for url in urls))
            yield Gateways(
                home=home, environment=environment, urls=urls, processes=processes,
                database=database, http=http,
                artifacts=Artifacts(str(home / "artifacts"), cache=home / "cache"),
            )  # fmt: skip
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        database.close()


async def until_ready(http: aiohttp.ClientSession, url: str) -> None:
    """Wait until a gateway can answer with the model."""
    async with asyncio.timeout(30):
        while True:
            try:
                async with http.get(f"{url}/health/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
