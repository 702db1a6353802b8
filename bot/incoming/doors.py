"""How Slack's requests come in: by HTTP, signed, or over a socket of ours.

Events are acknowledged when they are kept; what people do is answered at once, or told of later.
"""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.health import Health
from bot.incoming.inbox import Inbox
from records.errors import Overloaded, StorageError

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
_MOST_BYTES = 4 * 2**20
_PING_SECONDS = 5.0


def web_app(
    app: AsyncApp,
    inbox: Inbox,
    *,
    signing_secret: str,
    health: Callable[[], Awaitable[Health]],
    oauth: AsyncOAuthFlow | None = None,
) -> web.Application:
    """The bot's HTTP server."""
    verifier = SignatureVerifier(signing_secret)

    async def requests(request: web.Request) -> web.Response:
        raw = await request.read()
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        proof = request.headers.get("X-Slack-Signature", "")
        if not _is_slacks(verifier, raw, stamp, proof):
            return web.json_response({"error": "invalid request"}, status=401)
        asked = await to_bolt_request(request)
        if asked.body.get("type") == "event_callback":
            return await _keep(inbox, asked.body)
        return await to_aiohttp_response(await app.async_dispatch(asked))

    async def tell_health(_: web.Request) -> web.Response:
        state = await health()
        return web.json_response(state.body, status=200 if state.ok else 503)

    served = web.Application(client_max_size=_MOST_BYTES)
    served.router.add_post(EVENTS_PATH, requests)
    served.router.add_get("/health", tell_health)
    if oauth is not None:
        _add_installing(served, oauth)
    return served


def _is_slacks(verifier: SignatureVerifier, raw: bytes, stamp: str, proof: str) -> bool:
    """Whether Slack signed it; anybody may send anything, also what the verifier cannot read."""
    try:
        return verifier.is_valid(raw, stamp, proof)
    except (ValueError, TypeError):  # no number, no UTF-8, no ASCII
        return False


async def _keep(inbox: Inbox, event: dict[str, object]) -> web.Response:
    try:
        await inbox.receive(event)
    except (StorageError, Overloaded) as error:
        log.warning("an event is not acknowledged, so that Slack repeats it: %s", error)
        return web.Response(status=503)
    return web.Response(text="")


def _add_installing(served: web.Application, oauth: AsyncOAuthFlow) -> None:
    async def install(request: web.Request) -> web.Response:
        return await to_aiohttp_response(
            await oauth.handle_installation(await to_bolt_request(request))
        )

    async def come_back(request: web.Request) -> web.Response:
        return await to_aiohttp_response(
            await oauth.handle_callback(await to_bolt_request(request))
        )

    served.router.add_get(oauth.install_path, install)
    served.router.add_get(oauth.redirect_uri_path, come_back)


class SocketDoor(AsyncSocketModeHandler):
    """A connection of ours that Slack's requests come over; it reconnects by itself."""

    def __init__(self, app: AsyncApp, app_token: str, inbox: Inbox) -> None:
        super().__init__(app, app_token, ping_interval=_PING_SECONDS)
        self._inbox = inbox

    # Bolt's own class narrows its base's `client`, as this one does.
    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Acknowledge an event when it is kept, and anything else when it is answered."""
        if req.type != "events_api":
            await super().handle(client, req)
            return
        try:
            await self._inbox.receive(req.payload)
        except (StorageError, Overloaded) as error:
            log.warning("an event is not acknowledged, so that Slack repeats it: %s", error)
            return
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))
