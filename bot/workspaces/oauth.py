"""Installing the app from a browser: Slack's OAuth flow with our own storage and pages."""

import html
from collections.abc import Sequence
from datetime import datetime, timedelta

from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.desk import Desk
from bot.settings import BotSettings
from bot.workspaces.installations import Installations
from records import slack_installations
from records.errors import UnderstudyError
from records.ids import utc_now
from records.tables import SlackInstallation

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"


def oauth_flow(
    settings: BotSettings, desk: Desk, installations: Installations, client: AsyncWebClient
) -> AsyncOAuthFlow:
    """The flow; `client` needs no token."""
    asked = AsyncOAuthSettings(
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret.get_secret_value(),
        scopes=sorted(wording.machine.SCOPES),
        user_scopes=[],
        redirect_uri=settings.slack_redirect_url or None,
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        authorization_url=settings.authorization_url,
        installation_store=_Store(installations),
        state_store=_States(desk),
        callback_options=AsyncCallbackOptions(success=_succeeded, failure=_failed),
    )
    return _Flow(client=client, settings=asked)


class _Flow(AsyncOAuthFlow):
    """Slack's flow with a page in our words."""

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:
        link = f'<a href="{html.escape(url)}">{html.escape(wording.machine.INSTALL)}</a>'
        return _page(wording.machine.INSTALL_TITLE, link)


class _Store(AsyncInstallationStore):
    """What the flow keeps; nothing else asks Bolt for installations."""

    def __init__(self, installations: Installations) -> None:
        self._installations = installations

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation.

        Raises:
            BoltError: with the sentence for the person who installs.
        """
        try:
            await self._installations.keep(_kept(installation))
        except UnderstudyError as error:
            raise BoltError(str(error)) from error


def _kept(made: Installation) -> SlackInstallation:
    if made.team_id is None or made.bot_token is None:
        raise BoltError(wording.machine.ORG_WIDE)
    at = datetime.fromtimestamp(made.installed_at, utc_now().tzinfo)
    expires_at = made.bot_token_expires_at
    return SlackInstallation(
        team=made.team_id,
        name=made.team_name or "",
        bot_token=made.bot_token,
        bot_id=made.bot_id or "",
        bot_user=made.bot_user_id or "",
        scopes=",".join(made.bot_scopes or ()),
        refresh_token=made.bot_refresh_token,
        expires_at=at + timedelta(seconds=expires_at - made.installed_at) if expires_at else None,
        installed_by=made.user_id,
        installed_at=at,
    )


class _States(AsyncOAuthStateStore):
    """The states of browsers that are on their way, in the database: any process goes on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def async_issue(self, *_: object, **__: object) -> str:
        """A fresh state."""
        return await self._desk.write(
            lambda session: slack_installations.begin_installing(session, now=utc_now())
        )

    async def async_consume(self, state: str) -> bool:
        """Whether the state was given, and not used yet."""
        return await self._desk.write(
            lambda session: slack_installations.goes_on_installing(session, state, now=utc_now())
        )


async def _succeeded(given: AsyncSuccessArgs) -> BoltResponse:
    team = given.installation.team_name or given.installation.team_id or ""
    words = wording.machine.INSTALLED.format(team=team)
    return _answer(200, wording.machine.INSTALLED_TITLE, html.escape(words))


async def _failed(given: AsyncFailureArgs) -> BoltResponse:
    told = str(given.error) if given.error else ""
    words = told or wording.machine.INSTALL_FAILED.format(reason=given.reason)
    title = wording.machine.NOT_INSTALLED_TITLE
    return _answer(given.suggested_status_code, title, html.escape(words))


def _answer(status: int, title: str, content: str) -> BoltResponse:
    headers: dict[str, str | Sequence[str]] = {"Content-Type": "text/html; charset=utf-8"}
    return BoltResponse(status=status, headers=headers, body=_page(title, content))


def _page(title: str, content: str) -> str:
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"<!doctype html>{head}<h1>{html.escape(title)}</h1><p>{content}</p>"
