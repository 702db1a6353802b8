"""Uploaded files: their bytes in, and out to those who may see them."""

from aiohttp import web

from bot.standin.arguments import bearer_of, uploaded_bytes
from bot.standin.pages import FILE_HEADERS
from bot.standin.parts import Parts
from bot.standin.refusal import Refused
from bot.standin.workspace import Workspace

_BROWSING = ("same-origin", "none")


class ForFiles:
    """Takes and gives files."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add_to(self, app: web.Application) -> None:
        """Be reached under the addresses that `files.*` gives."""
        app.router.add_post("/upload/{file}", self.upload)
        app.router.add_get("/files/{file}/{name}", self.file)

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file; they must be as many as was said."""
        name = request.match_info["file"]
        content = await uploaded_bytes(request)
        for workspace in self._parts.workspaces.known.values():
            file = workspace.files.get(name)
            if file is not None and len(content) == file["size"]:
                self._parts.keeping.write_file(f"{workspace.team}-{name}", content)
                file["uploaded"] = True
                workspace.touch("file", name)
                return web.Response(text=f"OK - {len(content)}")
        return web.Response(status=400, text="size mismatch or unknown file")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file, for the app's token and for the page; others are sent to sign in, as at Slack."""
        team, _, name = request.match_info["file"].partition("-")
        workspace = self._parts.workspaces.known.get(team)
        file = workspace.files.get(name) if workspace else None
        if workspace is None or file is None or not file["uploaded"]:
            raise web.HTTPNotFound
        if not self._may_see(request, workspace):
            raise web.HTTPFound("/")
        kept = self._parts.keeping.path_of(f"{team}-{name}")
        return web.FileResponse(kept, headers={"Content-Type": file["mimetype"], **FILE_HEADERS})

    def _may_see(self, request: web.Request, workspace: Workspace) -> bool:
        if request.headers.get("Sec-Fetch-Site") in _BROWSING:
            return True
        try:
            token = self._parts.tokens.check(bearer_of(request))
        except Refused:
            return False
        return token.team == workspace.team and "files:read" in token.scopes
