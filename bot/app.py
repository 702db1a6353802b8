"""The Bolt app: its client, its middleware and all listeners, put together."""

import logging
from collections.abc import Awaitable, Callable
from typing import cast

from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot import listeners, wording
from bot.asking.asking import Asking
from bot.attendance import Attendance, Place, explained
from bot.desk import Desk
from bot.incoming import act, hints, refusing
from bot.incoming.hints import Hints, Postponed
from bot.incoming.inbox import Outcome
from bot.incoming.journal import Event
from bot.incoming.storable import storable
from bot.outbox.failures import Meaning, understood
from bot.outbox.slack_calls import CALL_SECONDS
from bot.settings import BotSettings
from bot.workspaces import removal, visit
from bot.workspaces.borders import visit_of
from bot.workspaces.strangers import NOT_KNOWN, Strangers
from bot.workspaces.workspaces import Workspaces
from records.errors import StorageError, UnderstudyError

log = logging.getLogger(__name__)

_LATER, _BROKEN, _SETTLED = 503, 500, 200


def create_app(
    settings: BotSettings,
    desk: Desk,
    workspaces: Workspaces,
    attendance: Attendance,
    asking: Asking,
    telling: Hints,
) -> AsyncApp:
    """The app that listens to people.

    A listener's answer is known when it ends (`process_before_response`): an event counts as done
    only then. Interactions stop waiting for slow work by themselves (`Attendance`).
    """

    async def authorize(team_id: str | None) -> AuthorizeResult:
        found = await workspaces.authorized(team_id)
        return cast("AuthorizeResult", found)  # None means that the app is not installed there

    app = AsyncApp(
        name="understudy",  # or it looks for one through all frames and their files
        client=AsyncWebClient(
            base_url=settings.api_url,
            timeout=CALL_SECONDS,
            retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=3)],
        ),
        authorize=authorize,
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        process_before_response=True,
        user_facing_authorize_error_message=wording.machine.NOT_HERE,
    )

    @app.middleware
    async def from_its_workspace(
        req: AsyncBoltRequest, context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> None:
        req.body = body = storable(req.body)  # listeners get their arguments from there
        # Bolt runs the listener after its middleware, in the same task.
        team, sole = context.team_id or "", workspaces.is_sole
        visit.begin(visit_of(body, team=team, sole=sole, assistants=desk.all_assistants))
        act.begin(body)
        await next_()

    strangers = Strangers()

    @app.middleware
    async def from_the_organisation(
        req: AsyncBoltRequest, context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        installed, body = context.authorize_result, req.body
        client, team = context.client, installed.team_id if installed else None
        known = desk.all_assistants.values()
        try:
            is_one = await strangers.is_one(body, team=team, client=client, assistants=known)
        except NOT_KNOWN as error:
            if "event" in body:
                raise Postponed from error
            is_one = True  # who cannot be known now presses again
        if not is_one:
            await next_()
            return None
        if "event" in body:
            await refusing.refuse(desk, telling, client, body, team=team)
        else:
            await attendance.attend(Place.of(client, body), _refused())
        return BoltResponse(status=_SETTLED, body="")

    @app.error
    async def failed(error: Exception) -> BoltResponse:
        return _response(error)

    removal.register(app, workspaces)
    hints.register(app, desk)
    listeners.register(app, desk, attendance, asking, telling)
    return app


async def _refused() -> str:
    return wording.machine.STRANGER


async def take_in(app: AsyncApp, event: Event) -> Outcome:
    """Let the listeners work on an event that was kept."""
    answer = await app.async_dispatch(AsyncBoltRequest(body=event, mode="socket_mode"))
    meanings = {_LATER: Outcome.LATER, _BROKEN: Outcome.BROKEN}
    return meanings.get(answer.status, Outcome.DONE)


def _response(error: Exception) -> BoltResponse:
    """What becomes of a request whose listener failed."""
    if isinstance(error, StorageError | Postponed):
        return BoltResponse(status=_LATER, body=str(error))
    failure = None if isinstance(error, UnderstudyError) else understood(error)
    if failure is not None and failure.meaning in (Meaning.WAIT, Meaning.RETRY):
        return BoltResponse(status=_LATER, body=failure.sentence)
    if failure is not None and failure.meaning is Meaning.UNSURE:
        return BoltResponse(status=_BROKEN, body=failure.sentence)
    sentence = failure.sentence if failure else explained(error)
    if failure is not None or isinstance(error, UnderstudyError):
        log.warning("a request was settled: %s", sentence)
        return BoltResponse(status=_SETTLED, body="")
    return BoltResponse(status=_BROKEN, body=sentence)


def web_client(settings: BotSettings, token: str | None = None) -> AsyncWebClient:
    """A client for the outbox: it repeats no call by itself, for the first may have arrived."""
    return AsyncWebClient(
        token=token, base_url=settings.api_url, timeout=CALL_SECONDS, retry_handlers=[]
    )
