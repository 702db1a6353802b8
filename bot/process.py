"""The bot's process: HTTP server or socket, and the outbox pump, from start to stop."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import create_app, web_client
from bot.deliveries import forget_old
from bot.desk import Desk
from bot.failures import Meaning, understood
from bot.outbox_pump import OutboxPump, Pace
from bot.settings import BotSettings
from records.artifacts import Artifacts
from records.assistant import read_assistants
from records.database import Database
from records.errors import ConfigurationError

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
_RECONNECT_SECONDS = 2.0


async def run(settings: BotSettings) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: Slack refuses the token, or settings need mending.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("alembic", "slack_bolt", "slack_sdk"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    database = Database(settings.database)
    try:
        await asyncio.to_thread(database.migrate)
        desk = Desk(
            database,
            read_assistants(settings.assistants),
            Artifacts.of(settings),
        )
        await desk.write(forget_old)
        async with Bot(settings, desk) as bot:
            log.info("the bot is ready on port %s", settings.bot_port)
            await bot.until(stop)
    finally:
        database.close()


class Bot:
    """A running bot; leaving the context stops it."""

    def __init__(self, settings: BotSettings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._socket: AsyncSocketModeHandler | None = None

    async def __aenter__(self) -> "Bot":
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _start(self) -> None:
        settings, desk = self._settings, self._desk
        app = create_app(settings, desk.database, desk.assistants, desk.artifacts)
        server = web.AppRunner(_web_app(self, app), access_log=None)
        await server.setup()
        self._stack.push_async_callback(server.cleanup)
        await _listen(server, settings)
        client = web_client(settings)
        await _introduce(client)
        if settings.socket_mode:
            token = settings.slack_app_token.get_secret_value()
            self._socket = AsyncSocketModeHandler(app, token)
            await self._socket.connect_async()  # type: ignore[no-untyped-call]
            self._stack.push_async_callback(self._socket.close_async)
        pump = OutboxPump(desk, client, pace=Pace.of(settings))
        self._pump = asyncio.create_task(pump.run(self._stop))

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._pump is not None:
            await asyncio.wait({self._pump})
        await self._stack.aclose()

    async def until(self, stop: asyncio.Event) -> None:
        """Wait for the stop signal, or for a failure of the pump, which is raised."""
        assert self._pump is not None
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, self._pump}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._pump.done():
            self._pump.result()

    async def is_healthy(self) -> bool:
        """Whether requests are heard and messages are sent."""
        sending = self._pump is not None and not self._pump.done()
        listening = self._socket is None or await self._socket.client.is_connected()
        return sending and listening


async def _listen(server: web.AppRunner, settings: BotSettings) -> None:
    try:
        await web.TCPSite(server, settings.bot_host, settings.bot_port).start()
    except OSError as error:
        raise ConfigurationError(
            f"The bot cannot listen on {settings.bot_host}:{settings.bot_port} ({error.strerror}). "
            "Stop what listens there, or set UNDERSTUDY_BOT_PORT to another port."
        ) from error


def _web_app(bot: Bot, app: AsyncApp) -> web.Application:
    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async def health(_: web.Request) -> web.Response:
        healthy = await bot.is_healthy()
        return web.json_response({"ok": healthy}, status=200 if healthy else 503)

    served = web.Application()
    served.router.add_post(EVENTS_PATH, events)
    served.router.add_get("/health", health)
    return served


async def _introduce(client: AsyncWebClient) -> None:
    """See that Slack knows us; wait while it cannot be reached.

    Raises:
        ConfigurationError: Slack refuses the token.
    """
    while True:
        try:
            await client.auth_test()
        except (TimeoutError, SlackApiError, OSError) as error:
            failure = understood(error)
            if failure is None or failure.meaning in (Meaning.MEND, Meaning.GIVE_UP):
                raise ConfigurationError(failure.sentence if failure else str(error)) from error
            log.warning("waiting for Slack: %s", failure.sentence)
            await asyncio.sleep(_RECONNECT_SECONDS)
        else:
            return
