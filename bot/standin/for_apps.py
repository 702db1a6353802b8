"""What apps reach: the Web API, installation, `response_url`s and sockets."""

import secrets

from aiohttp import web
from yarl import URL

from bot.standin.arguments import arguments_of, bearer_of, credentials_of
from bot.standin.methods import METHODS
from bot.standin.parts import Parts
from bot.standin.refusal import Refused
from bot.standin.workspace import TEAM, Json


class ForApps:
    """Answers the app."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tickets: set[str] = set()

    def add_to(self, app: web.Application) -> None:
        """Be reached under Slack's addresses."""
        app.router.add_route("*", "/api/{method}", self.api)
        app.router.add_get("/oauth/v2/authorize", self.authorize)
        app.router.add_post("/respond/{ticket}", self.respond)
        app.router.add_get("/socket/{ticket}", self.socket)

    async def api(self, request: web.Request) -> web.Response:
        """A call of Slack's Web API."""
        method = request.match_info["method"]
        try:
            given = await arguments_of(request)
            token = bearer_of(request) or str(given.get("token") or "")
            if method == "apps.connections.open":
                return web.json_response({"ok": True, "url": self._new_socket_url(token)})
            self._check_app(method, request, given)
            answer, call = self._parts.api.call(method, given, token=token)
        except Refused as refused:
            return _refusal(refused)
        for event in call.events:
            self._parts.delivery.event(call.workspace, event)
        headers = {"X-OAuth-Scopes": ",".join(sorted(call.token.scopes))}
        return web.json_response(answer, headers=headers)

    def _check_app(self, method: str, request: web.Request, given: Json) -> None:
        """See that whoever exchanges codes is the app."""
        known, settings = METHODS.get(method), self._parts.settings
        if known is None or not known.is_for_app:
            return
        client, secret = credentials_of(request, given)
        if client != settings.slack_client_id.get_secret_value():
            raise Refused("invalid_client_id")
        if secret != settings.slack_client_secret.get_secret_value():
            raise Refused("bad_client_secret")

    def _new_socket_url(self, token: str) -> str:
        settings = self._parts.settings
        if not token:
            raise Refused("not_authed")
        if token != settings.slack_app_token.get_secret_value():
            known = token in self._parts.tokens.known
            raise Refused("not_allowed_token_type" if known else "invalid_auth")
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"ws://127.0.0.1:{settings.standin_port}/socket/{ticket}"

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Where somebody allows the app into their workspace: here nobody says no."""
        query = request.query
        if query.get("client_id") != self._parts.settings.slack_client_id.get_secret_value():
            return web.Response(status=400, text="invalid_client_id")
        asked = frozenset(s for s in query.get("scope", "").split(",") if s)
        if not asked:
            return web.Response(status=400, text="no_scopes")
        unknown = sorted(asked - self._parts.scopes)
        if unknown:
            return web.Response(status=400, text=f"invalid_scope: {', '.join(unknown)}")
        team, back = query.get("team", TEAM), query.get("redirect_uri", "")
        if not back.startswith(("http://", "https://")):
            return web.Response(status=400, text="bad_redirect_uri")
        code = self._parts.tokens.new_code(team, asked, redirect_uri=back)
        there = URL(back).update_query(code=code, state=query.get("state", ""))
        raise web.HTTPFound(str(there))

    async def respond(self, request: web.Request) -> web.Response:
        """An answer to a `response_url`."""
        try:
            given = await arguments_of(request)
            ticket = request.match_info["ticket"]
            workspace, events = self._parts.response_urls.answer(ticket, given)
        except Refused as refused:
            return web.json_response(refused.answer(), status=404)
        for event in events:
            self._parts.delivery.event(workspace, event)
        return web.json_response({"ok": True})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """An app's Socket Mode connection; each ticket opens one."""
        ticket = request.match_info["ticket"]
        if ticket not in self._tickets:
            raise web.HTTPUnauthorized
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        life = self._parts.settings.standin_socket_seconds
        await self._parts.delivery.sockets.serve(socket, life_seconds=life)
        return socket


def _refusal(refused: Refused) -> web.Response:
    if refused.retry_after:
        headers = {"Retry-After": str(refused.retry_after)}
        return web.json_response(refused.answer(), status=429, headers=headers)
    return web.json_response(refused.answer())
