"""Installing the app from a browser: Slack's OAuth flow with our own storage and pages."""

import html
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import explained
from bot.desk import Desk
from bot.outbox.failures import code_of
from bot.settings import BotSettings
from bot.workspaces.installations import Installations
from records import slack_installations
from records.errors import ConfigurationError
from records.ids import utc_now
from records.tables import SlackInstallation

log = logging.getLogger(__name__)

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
_REFUSED, _BROKEN = 401, 500


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
    """Slack's flow with pages in our words, also where something fails on the way."""

    async def handle_installation(self, request: AsyncBoltRequest) -> BoltResponse:
        try:
            return await super().handle_installation(request)
        except Exception as error:  # noqa: BLE001 - the edge: every error becomes a page
            return _broken(error)

    async def handle_callback(self, request: AsyncBoltRequest) -> BoltResponse:
        try:
            return await super().handle_callback(request)
        except Exception as error:  # noqa: BLE001 - as above
            return _broken(error)

    async def run_installation(self, code: str) -> Installation:
        """Exchange a code.

        Slack's own takes every refusal for a wrong code, so that nobody learns of a wrong secret.

        Raises:
            ConfigurationError: it is for a whole organisation.
            SlackApiError: Slack refuses.
        """
        app = self.settings
        given = await self.client.oauth_v2_access(
            code=code,
            client_id=app.client_id,
            client_secret=app.client_secret,
            redirect_uri=app.redirect_uri,
        )
        if given.get("is_enterprise_install"):
            raise ConfigurationError(wording.machine.ORG_WIDE)
        known = await self.client.auth_test(token=given["access_token"])
        return Installation(
            team_id=given["team"]["id"],
            team_name=given["team"].get("name"),
            bot_token=given["access_token"],
            bot_id=known["bot_id"],
            bot_user_id=given["bot_user_id"],
            bot_scopes=given["scope"],
            bot_refresh_token=given.get("refresh_token"),
            bot_token_expires_in=given.get("expires_in"),
            user_id=given["authed_user"]["id"],
        )

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
            ConfigurationError: no assistant belongs to that workspace.
        """
        await self._installations.keep(_kept(installation))


def _kept(made: Installation) -> SlackInstallation:
    assert made.team_id is not None  # an organisation's is refused before
    assert made.bot_token is not None
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
    words = wording.machine.INSTALL_FAILED.format(reason=given.reason)
    return _not_installed(given.suggested_status_code, words)


def _broken(error: Exception) -> BoltResponse:
    """What went wrong; a code that Slack refuses can only be had anew."""
    code = code_of(error) if isinstance(error, SlackApiError) else ""
    if not code or code in wording.machine.SLACK_REFUSALS:
        return _not_installed(_BROKEN, explained(error))
    return _not_installed(_REFUSED, wording.machine.INSTALL_FAILED.format(reason=code))


def _not_installed(status: int, words: str) -> BoltResponse:
    log.warning("the app was not installed: %s", words)
    return _answer(status, wording.machine.NOT_INSTALLED_TITLE, html.escape(words))


def _answer(status: int, title: str, content: str) -> BoltResponse:
    headers: dict[str, str | Sequence[str]] = {"Content-Type": "text/html; charset=utf-8"}
    return BoltResponse(status=status, headers=headers, body=_page(title, content))


def _page(title: str, content: str) -> str:
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"<!doctype html>{head}<h1>{html.escape(title)}</h1><p>{content}</p>"
