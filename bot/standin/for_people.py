"""What people do and see, over HTTP: `/standin/…`, for the page, for tests and for the demo."""

import inspect
from collections.abc import Mapping

from aiohttp import web

from bot.standin.acts import ACTS
from bot.standin.looks import LOOKS
from bot.standin.parts import Parts
from bot.standin.refusal import Refused
from bot.standin.workspace import TEAM

_LONGEST_WAIT_SECONDS = 25.0


class ForPeople:
    """Answers people, or whoever stands in for them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add_to(self, app: web.Application) -> None:
        """Be reached under `/standin/`."""
        app.router.add_post("/standin/{act}", self.act)
        app.router.add_get("/standin/{what}", self.look)

    async def act(self, request: web.Request) -> web.Response:
        """Something that a person does."""
        act = ACTS.get(request.match_info["act"])
        if act is None:
            raise web.HTTPNotFound
        if request.content_type != "application/json":  # another site's form could send the rest
            raise web.HTTPUnsupportedMediaType
        given = await request.json()
        client = self._parts.client(given.pop("team", TEAM))
        try:
            inspect.signature(act).bind(client, **given)
        except TypeError as error:
            return web.json_response({"ok": False, "error": "invalid_act", "detail": str(error)})
        try:
            return web.json_response({"ok": True, **await act(client, **given)})
        except Refused as refused:
            return web.json_response(refused.answer())

    async def look(self, request: web.Request) -> web.Response:
        """Something that a person sees."""
        query, what = request.query, request.match_info["what"]
        if what == "changes":
            return web.json_response({"ok": True, "revision": await self._revision(query)})
        look = LOOKS.get(what)
        if look is None:
            raise web.HTTPNotFound
        try:
            seen = look(self._parts.workspaces.of(query.get("team", TEAM)), query)
        except Refused as refused:
            return web.json_response(refused.answer())
        if what == "state":
            seen["subscriptions"] = self._parts.health.seen()
            seen["teams"] = sorted(self._parts.workspaces.known)
        return web.json_response({"ok": True, **seen})

    async def _revision(self, query: Mapping[str, str]) -> int:
        """The state's number, as soon as it is another than `after`."""
        wait = min(_LONGEST_WAIT_SECONDS, float(query.get("timeout", _LONGEST_WAIT_SECONDS)))
        return await self._parts.changes.after(int(query.get("after", -1)), seconds=wait)
