"""The bot's process: HTTP server or socket, inbox and outbox, from start to stop."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.app import create_app, take_in, web_client
from bot.asking.asking import Asking, Limits
from bot.asking.trial_engines import TrialEngines
from bot.attendance import Attendance
from bot.desk import Desk
from bot.health import Health
from bot.incoming.catching_up import CatchingUp
from bot.incoming.deliveries import forget_old
from bot.incoming.doors import SocketDoor, web_app
from bot.incoming.hints import Hints
from bot.incoming.inbox import Inbox
from bot.outbox.failures import Meaning, code_of, understood
from bot.outbox.pump import OutboxPump, Pace
from bot.settings import BotSettings
from bot.workspaces.checkup import Checkup
from bot.workspaces.installations import Installations
from bot.workspaces.oauth import oauth_flow
from bot.workspaces.token_rotation import Rotation
from bot.workspaces.workspaces import OneWorkspace, Workspaces
from records.artifacts import Artifacts
from records.assistant import read_assistants
from records.database import Database
from records.errors import ConfigurationError, StorageError

log = logging.getLogger(__name__)

_RECONNECT_SECONDS = 2.0
_LOOK_SECONDS = 10.0
"""What other processes change of installations is seen after so long."""
_TALKATIVE = ("slack_bolt", "slack_sdk")
_DAY_SECONDS = 24 * 3600.0
_FINISH_SECONDS = 3.0
_STOP_SECONDS = 10.0


async def run(settings: BotSettings) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: Slack refuses the token, or settings need mending.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    quiet_libraries()
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
        async with Bot(settings, desk) as bot:
            heard = wording.machine.BY_SOCKET if settings.socket_mode else wording.machine.BY_HTTP
            log.info("the bot is ready on port %s; %s", settings.bot_port, heard)
            await bot.until(stop)
    finally:
        database.close()


def quiet_libraries() -> None:
    """Let the libraries log errors only: Bolt's warnings quote whole requests, people's words.

    Bolt gives each of its loggers the root's level; so they are held back at the root's handlers.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel(logging.ERROR)
    for handler in logging.root.handlers:
        handler.addFilter(_is_worth_telling)


def _is_worth_telling(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or not record.name.startswith(_TALKATIVE)


class Bot:
    """A running bot; leaving the context stops it."""

    def __init__(self, settings: BotSettings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self._attendance = Attendance()
        self._hints = Hints(desk)
        self._pump: asyncio.Task[None] | None = None
        self._outbox: OutboxPump | None = None
        self._socket: SocketDoor | None = None
        self._inbox: Inbox | None = None
        self._checkup: Checkup | None = None

    async def __aenter__(self) -> "Bot":
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _start(self) -> None:
        settings, desk = self._settings, self._desk
        workspaces, oauth = await self._workspaces()
        engines = TrialEngines(settings.engines, desk)
        asking = Asking(desk, engines, self._attendance, limits=Limits.of(settings))
        self._stack.push_async_callback(asking.close)
        app = create_app(settings, desk, workspaces, self._attendance, asking, self._hints)
        self._inbox = inbox = Inbox(
            settings.home / "slack-inbox", lambda event: take_in(app, event)
        )
        self._attendance.keep_in(inbox)
        self._hints.keep_in(inbox)
        secret = settings.slack_signing_secret.get_secret_value()
        served = web_app(app, inbox, signing_secret=secret, health=self.health, oauth=oauth)
        server = web.AppRunner(served, access_log=None, shutdown_timeout=_FINISH_SECONDS)
        await server.setup()
        self._stack.push_async_callback(server.cleanup)
        await _listen(server, settings)
        if isinstance(workspaces, OneWorkspace):
            await _introduce(workspaces)
        await inbox.open()
        self._stack.push_async_callback(inbox.close, seconds=_FINISH_SECONDS)
        if settings.socket_mode:
            await self._connect(SocketDoor(app, settings.slack_app_token.get_secret_value(), inbox))
        self._checkup = checkup = Checkup(workspaces, desk.all_assistants)
        self._keep_doing(checkup.look, pause=lambda: checkup.pause_seconds)
        self._keep_doing(lambda: desk.write(forget_old), pause=lambda: _DAY_SECONDS)
        self._in_background(CatchingUp(desk, workspaces, self._hints).run())
        self._outbox = pump = OutboxPump(desk, workspaces, pace=Pace.of(settings))
        self._pump = asyncio.create_task(pump.run(self._stop))

    async def _workspaces(self) -> tuple[Workspaces, AsyncOAuthFlow | None]:
        settings, desk = self._settings, self._desk
        if not settings.several_workspaces:
            token = settings.slack_bot_token.get_secret_value()
            return OneWorkspace(web_client(settings, token)), None
        client = web_client(settings)
        rotator = AsyncTokenRotator(
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
            client=client,
        )
        installations = Installations(desk, Rotation(desk, rotator), lambda: web_client(settings))
        await installations.refresh()
        self._keep_doing(installations.refresh, pause=lambda: _LOOK_SECONDS)
        return installations, oauth_flow(settings, desk, installations, client)

    async def _connect(self, door: SocketDoor) -> None:
        """Open the socket.

        Raises:
            ConfigurationError: Slack refuses the app's token.
        """
        self._stack.push_async_callback(door.close_async)
        await _patiently(lambda: _may_connect(door.client.web_client, door.app_token))
        self._socket = door
        await door.connect_async()  # type: ignore[no-untyped-call]

    def _keep_doing(
        self, work: Callable[[], Awaitable[Any]], *, pause: Callable[[], float]
    ) -> None:
        async def again_and_again() -> None:
            while True:
                try:
                    await work()
                except StorageError as error:
                    log.warning("something is left for the next time: %s", error)
                except Exception:
                    log.exception("something that is done now and then failed")
                await asyncio.sleep(pause())

        self._in_background(again_and_again())

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)

        async def stop() -> None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        self._stack.push_async_callback(stop)

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._pump is not None:
            await asyncio.wait({self._pump}, timeout=_STOP_SECONDS)
            self._pump.cancel()
        await self._attendance.finish(seconds=_FINISH_SECONDS)
        await self._stack.aclose()

    async def until(self, stop: asyncio.Event) -> None:
        """Wait for the stop signal, or for a failure of the pump, which is raised."""
        assert self._pump is not None
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, self._pump}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._pump.done():
            self._pump.result()

    async def health(self) -> Health:
        """Whether requests are heard and messages are sent, and what a person must mend."""
        sending = self._pump is not None and not self._pump.done()
        listening = self._socket is None or await self._socket.client.is_connected()
        found = [*(self._checkup.problems if self._checkup else ())]
        found += self._outbox.problems if self._outbox else ()
        found += () if listening else (wording.machine.NO_SOCKET,)
        problems = list(dict.fromkeys(found))
        waiting = self._inbox.size if self._inbox else 0
        put_aside = self._inbox.put_aside if self._inbox else 0
        return Health(sending and listening, problems, waiting, put_aside)


async def _listen(server: web.AppRunner, settings: BotSettings) -> None:
    try:
        await web.TCPSite(server, settings.bot_host, settings.bot_port).start()
    except OSError as error:
        raise ConfigurationError(
            f"The bot cannot listen on {settings.bot_host}:{settings.bot_port} ({error.strerror}). "
            "Stop what listens there, or set UNDERSTUDY_BOT_PORT to another port."
        ) from error


async def _introduce(workspace: OneWorkspace) -> None:
    """See that Slack knows us; wait while it cannot be reached.

    Raises:
        ConfigurationError: Slack refuses the token.
    """
    await _patiently(workspace.introduce)


async def _may_connect(client: AsyncWebClient, token: str) -> None:
    try:
        await client.apps_connections_open(app_token=token)
    except SlackApiError as error:
        failure = understood(error)
        if failure is None or failure.meaning not in (Meaning.MEND, Meaning.GIVE_UP):
            raise
        words = wording.machine.SOCKET_REFUSED.format(code=code_of(error))
        raise ConfigurationError(words) from error


async def _patiently(ask: Callable[[], Awaitable[None]]) -> None:
    """Ask Slack something, again while it cannot be reached.

    Raises:
        ConfigurationError: Slack refuses.
    """
    while True:
        try:
            await ask()
        except (TimeoutError, SlackApiError, aiohttp.ClientError, OSError) as error:
            failure = understood(error)
            if failure is None or failure.meaning in (Meaning.MEND, Meaning.GIVE_UP):
                raise ConfigurationError(failure.sentence if failure else str(error)) from error
            log.warning("waiting for Slack: %s", failure.sentence)
            await asyncio.sleep(_RECONNECT_SECONDS)
        else:
            return
