"""The Bolt app: its client, its middleware and all listeners, put together."""

import logging
from collections.abc import Mapping

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot import listeners
from bot.attendance import Attendance, explained
from bot.desk import Desk
from bot.settings import BotSettings
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database

log = logging.getLogger(__name__)


def create_app(
    settings: BotSettings,
    database: Database,
    assistants: Mapping[str, Assistant],
    artifacts: Artifacts,
) -> AsyncApp:
    """The app that listens to people.

    Requests are acknowledged after their work (`process_before_response`): an event that was
    acknowledged is on disk, and interactions stop waiting for slow work by themselves.
    """
    app = AsyncApp(
        token=settings.slack_bot_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        process_before_response=True,
    )
    app.client.base_url = settings.api_url
    app.client.retry_handlers = [AsyncRateLimitErrorRetryHandler(max_retry_count=3)]

    @app.error
    async def failed(error: Exception) -> BoltResponse:
        return BoltResponse(status=503, body=explained(error))  # Slack then delivers it again

    desk = Desk(database, assistants, artifacts)
    listeners.register(app, desk, Attendance())
    return app


def web_client(settings: BotSettings) -> AsyncWebClient:
    """The outbox's client: it repeats no call by itself, for the first may have arrived."""
    return AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.api_url,
        timeout=10,
        retry_handlers=[],
    )
