"""The gateway as a web application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from serving import admin_routes, chat_routes, conversation_routes, health_routes, problems
from serving.gateway import assemble
from serving.settings import GatewaySettings


def create_app(
    settings: GatewaySettings,
    *,
    assistants: Mapping[str, Assistant],
    database: Database,
    artifacts: Artifacts,
) -> FastAPI:
    """The application; the database must be migrated. What runs with it starts with its lifespan.

    Raises:
        ConfigurationError: a base model's folder holds no model.
    """
    gateway = assemble(settings, assistants=assistants, database=database, artifacts=artifacts)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with gateway.running():
            yield

    app = FastAPI(
        title="Understudy",
        version=version("understudy"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )  # their pages load scripts from elsewhere
    app.state.gateway = gateway
    problems.install(app, retry_after_seconds=settings.retry_after_seconds)
    for part in (chat_routes, conversation_routes, admin_routes, health_routes):
        app.include_router(part.router)
    return app
