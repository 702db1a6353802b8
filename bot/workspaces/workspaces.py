"""Who the bot is in which Slack workspace: by one token of the settings, or by installations.

Nobody else holds tokens: listeners get a client from Bolt, which asks here; the outbox asks here
for the client of a row's workspace.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from records.assistant import Assistant
from records.errors import ConfigurationError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """A client that speaks in one workspace; `team` is None where there is only one."""

    team: str | None
    client: AsyncWebClient


class Workspaces(Protocol):
    """All workspaces that the bot is in."""

    @property
    def is_sole(self) -> bool:
        """Whether there is no more than one."""

    async def sender(self, assistant: Assistant) -> Sender:
        """The client for an assistant's messages; it repeats no call by itself.

        Raises:
            ConfigurationError: the bot is not in that workspace; the sentence says what to do.
        """

    async def authorized(self, team: str | None) -> AuthorizeResult | None:
        """Who the bot is in a workspace; None where it is not in it."""

    async def leave(self, team: str, *, at: float) -> None:
        """The app was removed from a workspace, or its token revoked, at that time."""

    async def clients(self) -> Sequence[Sender]:
        """Clients of all workspaces.

        Raises:
            SlackApiError: Slack refuses a token.
        """

    def problems(self) -> Sequence[str]:
        """What a person must mend before messages can be sent."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is, as Slack says."""

    team: str
    bot: str
    user: str


class OneWorkspace:
    """The workspace of the settings' token. `client` must not repeat calls by itself."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._identity: Identity | None = None
        self._problem = ""

    async def introduce(self) -> None:
        """Learn who we are.

        Raises:
            SlackApiError: Slack refuses the token.
        """
        answer = await self._client.auth_test()
        self._identity = Identity(answer["team_id"], answer["bot_id"], answer["user_id"])
        self._problem = ""

    @property
    def _team(self) -> str | None:
        return self._identity.team if self._identity else None

    @property
    def is_sole(self) -> bool:
        """There is no other one."""
        return True

    async def sender(self, assistant: Assistant) -> Sender:
        """See `Workspaces.sender`."""
        team, wanted = self._team, assistant.slack.workspace
        if team and wanted and wanted != team:
            raise ConfigurationError(
                wording.machine.OTHER_WORKSPACE.format(
                    assistant=assistant.name, wanted=wanted, team=team
                )
            )
        return Sender(team, self._client)

    async def authorized(self, team: str | None) -> AuthorizeResult | None:
        """The same bot, whichever of a shared channel's workspaces a request is from."""
        identity = self._identity
        if identity is None:
            await self.introduce()
            return await self.authorized(team)
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team,
            bot_id=identity.bot,
            bot_user_id=identity.user,
            bot_token=self._client.token,
        )

    async def leave(self, team: str, *, at: float) -> None:
        """Nothing is kept of it; calls fail until the app is installed again and the token set."""
        self._problem = wording.machine.REMOVED
        log.error("%s", self._problem)

    async def clients(self) -> Sequence[Sender]:
        """The one client; where the app was removed, once Slack knows its token again."""
        if self._problem:
            await self.introduce()
        return [Sender(self._team, self._client)]

    def problems(self) -> Sequence[str]:
        """Whether the app was removed while it ran."""
        return [self._problem] if self._problem else []
