"""The stand-in's HTTP server: Slack's Web API, uploads, sockets, and what people do."""

import asyncio
import contextlib
import logging
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.standin.acts import Acts
from bot.standin.delivery import Delivery
from bot.standin.keeping import Keeping
from bot.standin.page import page
from bot.standin.rate_limits import RateLimits
from bot.standin.refusal import Refused
from bot.standin.settings import StandinSettings
from bot.standin.web_api import WebApi
from bot.standin.workspace import BOT_USER, TEAM, Json, Workspace

log = logging.getLogger(__name__)

_SAVE_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 25.0
_MOST_BYTES = 64 * 2**20


def create_standin(settings: StandinSettings, channels: Sequence[str] = ()) -> web.Application:
    """The stand-in as a web application, with these channels besides the kept ones."""
    standin = Standin(settings, channels)
    app = web.Application(client_max_size=_MOST_BYTES)
    app.cleanup_ctx.append(standin.running)
    add = app.router
    add.add_route("*", "/api/{method}", standin.api)
    add.add_post("/upload/{file}", standin.upload)
    add.add_get("/files/{file}", standin.file)
    add.add_get("/socket/{ticket}", standin.socket)
    add.add_post("/standin/{act}", standin.act)
    add.add_get("/standin/{what}", standin.look)
    add.add_get("/health", standin.health)
    add.add_get("/", standin.page)
    return app


class Standin:
    """Joins the workspace with HTTP."""

    def __init__(self, settings: StandinSettings, channels: Sequence[str]) -> None:
        self._settings = settings
        self._changed = asyncio.Event()
        self._tickets: set[str] = set()
        self.workspace = Workspace(time.time, self._note_change)
        self._keeping = Keeping(Path(settings.home) / "slack-standin")
        self._channels = channels
        url = f"http://127.0.0.1:{settings.standin_port}"
        self._api = WebApi(self.workspace, url)
        self._delivery = Delivery(
            settings.bot_url,
            settings.slack_signing_secret.get_secret_value(),
            retry_seconds=settings.standin_retry_seconds,
        )
        self._acts = Acts(self.workspace, self._delivery)
        self._limits = RateLimits(
            settings.standin_messages_per_second,
            time.monotonic,
            refused_share=settings.standin_refused_share,
        )

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Load the state, keep it while running, and keep it at the end."""
        self._keeping.load(self.workspace)
        self.workspace.users.setdefault(
            BOT_USER, {"id": BOT_USER, "name": "understudy", "team_id": TEAM, "is_bot": True}
        )
        for channel in self._channels:
            self.workspace.add_channel(channel)
        await self._delivery.open()
        saving = asyncio.create_task(self._save_now_and_then())
        yield
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saving
        await self._delivery.close()
        self._keeping.save(self.workspace)

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_SECONDS)
            self._keeping.save(self.workspace)

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def api(self, request: web.Request) -> web.Response:
        """A call of Slack's Web API."""
        method = request.match_info["method"]
        try:
            given = await _arguments(request)
            self._check_token(method, request, given)
            if method == "apps.connections.open":
                return web.json_response({"ok": True, "url": self._new_socket_url()})
            channel = self.workspace.find_channel(str(given.get("channel") or "")) or ""
            self._limits.check(method, channel)
            answer = self._api.call(method, given)
        except Refused as refused:
            return _refusal(refused)
        for event in self._api.take_events():
            self._tell(event)
        return web.json_response(answer)

    def _check_token(self, method: str, request: web.Request, given: Json) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        token = token or str(given.get("token") or "")
        if not token:
            raise Refused("not_authed")
        bot = self._settings.slack_bot_token.get_secret_value()
        app = self._settings.slack_app_token.get_secret_value()
        wanted = app if method == "apps.connections.open" else bot
        if token != wanted:
            raise Refused("not_allowed_token_type" if token in (bot, app) else "invalid_auth")

    def _tell(self, event: Json) -> None:
        event_id = self._delivery.event(event)
        if random.random() < self._settings.standin_repeated_share:
            self._delivery.repeat(event_id)

    def _new_socket_url(self) -> str:
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self._settings.standin_port}/socket/{ticket}"

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """An app's Socket Mode connection; each ticket opens one."""
        ticket = request.match_info["ticket"]
        if ticket not in self._tickets:
            raise web.HTTPUnauthorized
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        await self._delivery.serve(socket)
        return socket

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file; they must be as many as was said."""
        file = self.workspace.files.get(request.match_info["file"])
        content = await _uploaded_bytes(request)
        if file is None or len(content) != file["size"]:
            return web.Response(status=400, text="size mismatch or unknown file")
        self._keeping.write_file(file["id"], content)
        file["uploaded"] = True
        return web.Response(text=f"OK - {len(content)}")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """An uploaded file."""
        file = self.workspace.files.get(request.match_info["file"])
        if file is None or not file["uploaded"]:
            raise web.HTTPNotFound
        return web.FileResponse(self._keeping.path_of(file["id"]))

    async def page(self, _: web.Request) -> web.Response:
        """The channels, to be read in a browser."""
        return web.Response(text=page(self.workspace), content_type="text/html")

    async def health(self, _: web.Request) -> web.Response:
        """That it runs, and what it is."""
        return web.json_response({"ok": True, "standin": True})

    async def act(self, request: web.Request) -> web.Response:
        """Something that a person does."""
        acts: dict[str, Callable[..., Awaitable[Json]]] = {
            "click": self._acts.click,
            "submit": self._acts.submit,
            "shortcut": self._acts.shortcut,
            "slash": self._acts.slash,
            "reply": self._reply,
            "react": self._acts.react,
            "close": self._close,
            "repeat": self._repeat,
        }
        act = acts.get(request.match_info["act"])
        if act is None:
            raise web.HTTPNotFound
        try:
            return web.json_response({"ok": True, **await act(**await request.json())})
        except Refused as refused:
            return web.json_response(refused.answer())
        except TypeError as error:
            return web.json_response({"ok": False, "error": "invalid_act", "detail": str(error)})

    async def _reply(self, **given: Any) -> Json:
        done = await self._acts.reply(**given)
        if random.random() < self._settings.standin_repeated_share:
            self._delivery.repeat(done["event_id"])
        return done

    async def _close(self, **given: Any) -> Json:
        return self._acts.close(**given)

    async def _repeat(self, *, event_id: str) -> Json:
        return {"repeated": self._delivery.repeat(event_id)}

    async def look(self, request: web.Request) -> web.Response:
        """Something that a person sees."""
        query = request.query
        try:
            return web.json_response({"ok": True, **await self._seen(request, query)})
        except Refused as refused:
            return web.json_response(refused.answer())

    async def _seen(self, request: web.Request, query: Any) -> Json:
        match request.match_info["what"]:
            case "messages":
                return {"messages": self.workspace.in_channel(self._channel(query))}
            case "thread":
                return {"messages": self.workspace.in_thread(self._channel(query), query["ts"])}
            case "view":
                return {"view": self.workspace.open_view(query["user"])}
            case "ephemerals":
                whispers = self.workspace.ephemerals
                return {"messages": [m for m in whispers if m["user"] == query["user"]]}
            case "channels":
                return {"channels": list(self.workspace.channels.values())}
            case "changes":
                return await self._changes(int(query.get("after", -1)), query)
            case _:
                raise web.HTTPNotFound

    def _channel(self, query: Any) -> str:
        return self.workspace.channel(query.get("channel"))

    async def _changes(self, after: int, query: Any) -> Json:
        """The state's number, as soon as it is another than `after`."""
        wait = min(_LONGEST_WAIT_SECONDS, float(query.get("timeout", _LONGEST_WAIT_SECONDS)))
        if self.workspace.revision == after:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)
        return {"revision": self.workspace.revision}


async def _arguments(request: web.Request) -> Json:
    """Query, form and JSON in one mapping: Slack takes its arguments from any of them."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        body = await request.json() if await request.read() else {}
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        given |= body
    elif request.can_read_body:
        given |= {key: str(value) for key, value in (await request.post()).items()}
    return given


async def _uploaded_bytes(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    form = await request.post()
    part = next(iter(form.values()))
    if isinstance(part, web.FileField):
        return part.file.read()
    return part.encode() if isinstance(part, str) else bytes(part)


def _refusal(refused: Refused) -> web.Response:
    if refused.retry_after:
        headers = {"Retry-After": str(refused.retry_after)}
        return web.json_response(refused.answer(), status=429, headers=headers)
    return web.json_response(refused.answer())
