"""The app in several workspaces: installed by people in a browser, kept in the database.

Tokens are read from memory, so that an acknowledgement never waits for the database; what other
processes change is seen within seconds.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.desk import Desk
from bot.workspaces.token_rotation import Rotation
from bot.workspaces.workspaces import Sender
from records import slack_installations
from records.assistant import Assistant
from records.errors import ConfigurationError
from records.tables import SlackInstallation

log = logging.getLogger(__name__)


class Installations:
    """All workspaces in which the app is installed."""

    def __init__(
        self, desk: Desk, rotation: Rotation, new_client: Callable[[], AsyncWebClient]
    ) -> None:
        """`new_client` makes a client without a token that repeats no call by itself."""
        self._desk = desk
        self._rotation = rotation
        self._new_client = new_client
        self._known: dict[str, SlackInstallation] = {}
        self._clients: dict[str, AsyncWebClient] = {}
        self._problems: dict[str, tuple[str | None, str]] = {}
        """By workspace: what a person must do, and for which refresh token that was found."""

    @property
    def is_sole(self) -> bool:
        """Whether the app is in no more than one workspace."""
        return len(self._known) <= 1

    async def refresh(self) -> None:
        """Read what is installed, and exchange tokens that expire soon.

        Raises:
            StorageError: the database cannot be read.
        """
        found = await self._desk.read(slack_installations.every)
        self._known = {installation.team: installation for installation in found}
        for team in list(self._known):
            await self._fresh(team)

    async def sender(self, assistant: Assistant) -> Sender:
        """See `Workspaces.sender`."""
        team = assistant.slack.workspace or self._only_team(assistant)
        installation = await self._fresh(team)
        if installation is None:
            raise ConfigurationError(
                wording.machine.NOT_INSTALLED.format(assistant=assistant.name, team=team)
            )
        return Sender(team, self._client(installation))

    def _only_team(self, assistant: Assistant) -> str:
        if not self._known:
            raise ConfigurationError(wording.machine.NOWHERE_INSTALLED)
        if len(self._known) > 1:
            teams = ", ".join(sorted(self._known))
            raise ConfigurationError(
                wording.machine.WHICH_WORKSPACE.format(assistant=assistant.name, teams=teams)
            )
        return next(iter(self._known))

    def _client(self, installation: SlackInstallation) -> AsyncWebClient:
        client = self._clients.setdefault(installation.team, self._new_client())
        client.token = installation.bot_token
        return client

    async def authorized(self, team: str | None) -> AuthorizeResult | None:
        """See `Workspaces.authorized`. Who asks waits for an exchange only of a dead token."""
        installation = await self._find(team) if team else None
        if installation is not None and self._rotation.is_over(installation):
            installation = await self._fresh(installation.team)
        if installation is None:
            return None
        return AuthorizeResult(
            enterprise_id=None,
            team_id=installation.team,
            bot_id=installation.bot_id,
            bot_user_id=installation.bot_user,
            bot_token=installation.bot_token,
            bot_scopes=installation.scopes,
        )

    async def keep(self, installation: SlackInstallation) -> None:
        """Keep an installation that a person made in a browser.

        Raises:
            ConfigurationError: no assistant belongs to that workspace.
        """
        if not self._may_join(installation.team):
            raise ConfigurationError(
                wording.machine.UNWANTED_WORKSPACE.format(team=installation.team)
            )
        await self._desk.write(lambda session: slack_installations.save(session, installation))
        self._known[installation.team] = installation
        log.info("the app was installed in workspace %s", installation.team)

    def _may_join(self, team: str) -> bool:
        """Whoever finds the page can install the app: an assistant must name their workspace."""
        named = {a.slack.workspace for a in self._desk.assistants.values()}
        return team in named or ("" in named and set(self._known) <= {team})

    async def leave(self, team: str, *, at: float) -> None:
        """Forget an installation, unless a newer one took its place."""
        before = datetime.fromtimestamp(at + 1, UTC)  # Slack's clock counts whole seconds here
        was_there = await self._desk.write(
            lambda session: slack_installations.remove(session, team, before=before)
        )
        await self.refresh()
        if was_there:
            log.error("%s", wording.machine.LEFT.format(team=team))

    async def clients(self) -> Sequence[Sender]:
        """Clients of all workspaces."""
        return [Sender(team, self._client(known)) for team, known in sorted(self._known.items())]

    def problems(self) -> Sequence[str]:
        """What a person must mend before messages can be sent."""
        return [*self._missing(self._desk.assistants), *self._not_rotated()]

    def _not_rotated(self) -> list[str]:
        """Another process may have got a new token since, or somebody installed the app again."""
        current = {team: known.refresh_token for team, known in self._known.items()}
        found = self._problems.items()
        return [told for team, (token, told) in found if team in current and current[team] == token]

    def _missing(self, assistants: Mapping[str, Assistant]) -> list[str]:
        sentences = []
        for assistant in assistants.values():
            try:
                team = assistant.slack.workspace or self._only_team(assistant)
            except ConfigurationError as error:
                sentences.append(str(error))
                continue
            if team not in self._known:
                sentences.append(
                    wording.machine.NOT_INSTALLED.format(assistant=assistant.name, team=team)
                )
        return list(dict.fromkeys(sentences))

    async def _fresh(self, team: str) -> SlackInstallation | None:
        """The installation in a workspace, with a token that lives for a while."""
        known = await self._find(team)
        if known is None or not self._rotation.is_due(known):
            return known
        outcome = await self._rotation.exchange(known)
        self._known[team] = outcome.installation
        if outcome.problem:
            self._problems[team] = outcome.installation.refresh_token, outcome.problem
        return outcome.installation

    async def _find(self, team: str) -> SlackInstallation | None:
        if team not in self._known:
            found = await self._desk.read(lambda session: slack_installations.find(session, team))
            if found is None:
                return None
            self._known[team] = found
        return self._known[team]
