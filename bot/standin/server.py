"""The stand-in's HTTP server: what apps reach, what people do, files, and the page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from bot.standin.for_apps import ForApps
from bot.standin.for_files import ForFiles
from bot.standin.for_people import ForPeople
from bot.standin.pages import Pages
from bot.standin.parts import Parts
from bot.standin.settings import StandinSettings
from bot.standin.workspace import TEAM

_SAVE_SECONDS = 2.0
_MOST_BYTES = 64 * 2**20


def create_standin(settings: StandinSettings, channels: Sequence[str] = ()) -> web.Application:
    """The stand-in as a web application, with these channels besides the kept ones."""
    parts = Parts.of(settings, channels)
    app = web.Application(client_max_size=_MOST_BYTES)
    app.cleanup_ctx.append(lambda _: _running(parts))
    ForApps(parts).add_to(app)
    ForFiles(parts).add_to(app)
    ForPeople(parts).add_to(app)
    Pages(parts.workspaces.of, parts.changes).add_to(app)
    app.router.add_get("/health", _health)

    async def wake(_: web.Application) -> None:  # whoever waits for changes would hold it up
        parts.changes.note()

    app.on_shutdown.append(wake)
    return app


async def _running(parts: Parts) -> AsyncIterator[None]:
    """Load the state, keep it while running, and keep it at the end."""
    parts.keeping.load(parts.workspaces.of, parts.tokens)
    parts.workspaces.of(TEAM)
    await parts.delivery.open()
    saving = asyncio.create_task(_save_now_and_then(parts))
    yield
    saving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await saving
    await parts.delivery.close()
    parts.save()
    parts.keeping.close()


async def _save_now_and_then(parts: Parts) -> None:
    while True:
        await asyncio.sleep(_SAVE_SECONDS)
        parts.save()


async def _health(_: web.Request) -> web.Response:
    """That it runs, and what it is."""
    return web.json_response({"ok": True, "standin": True})
