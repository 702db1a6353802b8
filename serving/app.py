"""The gateway as a web application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from serving.chat_endpoint import ChatEndpoint
from serving.contract.document import document
from serving.cors import Cors, origins_of
from serving.endpoints import include_endpoints
from serving.front import Front
from serving.gateway import Gateway, assemble
from serving.logs import AccessLog
from serving.problems import Problems
from serving.settings import GatewaySettings


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """What `/openapi.json` answers."""
        return document()


def create_app(
    settings: GatewaySettings,
    *,
    assistants: Mapping[str, Assistant],
    database: Database,
    artifacts: Artifacts,
    access_log: AccessLog | None = None,
) -> FastAPI:
    """The application; the database must be migrated. What runs with it starts with its lifespan.

    Raises:
        ConfigurationError: a base model's folder holds no model.
    """
    gateway = assemble(
        settings,
        assistants=assistants,
        database=database,
        artifacts=artifacts,
        access_log=access_log,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with gateway.running():
            yield

    app = _Application(
        title="Understudy",
        version=version("understudy"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )  # their pages load scripts from elsewhere
    app.state.gateway = gateway
    app.state.problems = Problems(retry_after_seconds=settings.retry_after_seconds)
    app.state.problems.install(app)
    include_endpoints(app)
    return app


def behind_front(app: FastAPI) -> Front:
    """The application as a server is to be given it: behind the layer that protects it."""
    gateway: Gateway = app.state.gateway
    settings = gateway.settings
    return Front(
        app,
        problems=app.state.problems,
        most_body_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        send_seconds=settings.send_seconds,
        cors=Cors(origins_of(settings.cors_origins)),
        direct={("POST", "/v1/chat/completions"): ChatEndpoint(gateway)},
        on_begun=gateway.observing.begin,
        on_finished=gateway.observing.finish,
    )
