"""The stand-in's page at `/slack`: its files, what it shows, and the addresses of messages.

What people do on it goes through `/standin/…`, as for everybody else.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from bot.standin import manifest
from bot.standin.screen import screen
from bot.standin.workspace import Json, Workspace
from bot.standin.workspaces import Changes

FOLDER = Path(__file__).parent / "page"
# The page's own scripts and nothing else: what people wrote could run nothing even if it got in.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: https: http://127.0.0.1:* http://localhost:*; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
# A file is data of whoever uploaded it: opened by itself it must not act as this page.
FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


class Pages:
    """Answers browsers."""

    def __init__(self, workspace_of: Callable[[str], Workspace], changes: Changes) -> None:
        self._workspace_of = workspace_of
        self._changes = changes
        self._offered = _offered()

    def add_to(self, app: web.Application) -> None:
        """Be reached under the page's addresses."""
        app.router.add_get("/", self.home)
        app.router.add_get("/slack", self.page)
        app.router.add_get("/slack/screen", self.screen)
        app.router.add_get("/slack/{name}", self.part)
        app.router.add_get("/archives/{channel}/{message}", self.message)

    async def home(self, _: web.Request) -> web.StreamResponse:
        """The page is all that there is to see."""
        raise web.HTTPFound("/slack")

    async def page(self, _: web.Request) -> web.StreamResponse:
        """The page itself."""
        return web.FileResponse(FOLDER / "index.html", headers=HEADERS)

    async def part(self, request: web.Request) -> web.StreamResponse:
        """A script or a style sheet of the page."""
        name = request.match_info["name"]
        if name not in {file.name for file in FOLDER.iterdir()}:
            raise web.HTTPNotFound
        return web.FileResponse(FOLDER / name, headers=HEADERS)

    async def screen(self, request: web.Request) -> web.Response:
        """What the page shows to a person, and the state's number as of then."""
        revision = self._changes.revision
        seen = screen(self._workspace_of(request.query.get("team", "")), request.query)
        return web.json_response({"ok": True, "revision": revision, **self._offered, **seen})

    async def message(self, request: web.Request) -> web.StreamResponse:
        """A message's address, as `chat.getPermalink` gives it: it opens its thread."""
        digits = request.match_info["message"].removeprefix("p")
        thread = request.query.get("thread_ts") or f"{digits[:-6]}.{digits[-6:]}"
        channel = request.match_info["channel"]
        raise web.HTTPFound(f"/slack#/me/{quote(channel, safe='')}/{quote(thread, safe='')}")


def _offered() -> Json:
    """The app's slash commands and message shortcuts, with what their manifest says of them."""
    features = manifest.read().get("features", {})
    shortcuts = [s for s in features.get("shortcuts", []) if s["type"] == "message"]
    return {"commands": features.get("slash_commands", []), "shortcuts": shortcuts}
