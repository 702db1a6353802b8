"""A gateway under real uvicorn in the test's own event loop, and a client for it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import aiohttp
import uvicorn
import uvicorn.server
from fastapi import FastAPI
from openai import AsyncOpenAI
from starlette.routing import BaseRoute

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.keys import local_key
from records.tables import Conversation, Escalation, Turn
from serving import app as serving_app
from serving.app import behind_front, create_app
from serving.endpoints import include_endpoints
from serving.gateway import Gateway
from serving.logs import AccessLog
from serving.server import Server
from serving.settings import GatewaySettings
from tests.stub_engine import StubEngine

# uvicorn looks ten times a second whether it is to stop, and once more at the end: too seldom here.
_sooner = {"sleep": lambda seconds: asyncio.sleep(seconds / 10)}
vars(uvicorn.server)["asyncio"] = SimpleNamespace(**{**vars(asyncio), **_sooner})


@dataclass
class Stack:
    """A gateway with its stub engine, as a test talks to it."""

    url: str
    home: Path
    gateway: Gateway
    database: Database
    artifacts: Artifacts
    assistant: Assistant
    engine: StubEngine
    http: aiohttp.ClientSession

    @cached_property
    def openai(self) -> AsyncOpenAI:  # it reads a file of certificates, which takes a while
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.key("customer"), max_retries=0)

    def key(self, name: str) -> str:
        return local_key(self.home, name)

    def headers(self, name: str = "customer") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key(name)}"}

    async def chat(self, text: str = "hello", **more: Any) -> dict[str, Any]:
        """Ask in the plainest way; the body with `status` and `headers` of the response."""
        headers = {**self.headers(), **more.pop("headers", {})}
        body = {
            "model": self.assistant.name,
            "messages": [{"role": "user", "content": text}],
            **more,
        }
        return await self.call("POST", "/v1/chat/completions", json=body, headers=headers)

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        options.setdefault("headers", self.headers())
        async with self.http.request(method, self.url + path, **options) as response:
            body = await response.json()
            return {**body, "status": response.status, "headers": response.headers}

    async def admin(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        options: dict[str, Any] = {"json": body} if body else {}
        return await self.call(
            method, f"/v1/admin/{path}", headers=self.headers("admin"), **options
        )

    def turns(self, **filters: Any) -> list[Turn]:
        with self.database.read() as session:
            query = session.query(Turn).filter_by(**filters)
            return list(query.order_by(Turn.conversation_id, Turn.position))

    def escalations(self) -> list[Escalation]:
        with self.database.read() as session:
            return list(session.query(Escalation).order_by(Escalation.opened_at))

    def conversations(self) -> list[Conversation]:
        with self.database.read() as session:
            return list(session.query(Conversation))


async def until(condition: Callable[[], Any], *, seconds: float = 10) -> Any:
    """Wait for a condition; its value, once it is true."""
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.01)
        return value


@cache
def _routes() -> list[BaseRoute]:
    app = FastAPI(openapi_url=None)
    include_endpoints(app)
    return app.routes


def _include_endpoints_made_once(app: FastAPI) -> None:
    """Making them takes FastAPI longer than most tests here; they hold nothing of their app's."""
    app.router.routes.extend(_routes())


@asynccontextmanager
async def running(
    home: Path,
    *,
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
    access_log: AccessLog | None = None,
    **settings: Any,
) -> AsyncIterator[Stack]:
    """A gateway with `engine` behind it."""
    quick = {
        "poll_seconds": 0.05,
        "engine_check_seconds": 0.05,
        "ready_wait_seconds": 2,
        "silence_seconds": 5,
        "engine_urls": engine.url,
    }
    with patch.object(serving_app, "include_endpoints", _include_endpoints_made_once):
        app = create_app(
            GatewaySettings(home=home, **{**quick, **settings}),
            assistants={assistant.name: assistant},
            database=database,
            artifacts=artifacts,
            access_log=access_log,
        )
    # With its protocol named, or else asyncio leaves Nagle's algorithm on, and each answer of two
    # pieces waits 40 ms for its client.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(behind_front(app), log_config=None, access_log=False, lifespan="on")
    server = Server(config, draining=app.state.gateway.draining, drain_seconds=0)
    serving = asyncio.create_task(server._serve([listener]))
    await until(lambda: server.started or serving.done())
    if serving.done():
        serving.result()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with aiohttp.ClientSession() as http:
        stack = Stack(
            url=url,
            home=home,
            gateway=app.state.gateway,
            database=database,
            artifacts=artifacts,
            assistant=assistant,
            engine=engine,
            http=http,
        )
        try:
            yield stack
        finally:
            if "openai" in vars(stack):
                await stack.openai.close()
            server.should_exit = True
            await serving
            listener.close()
