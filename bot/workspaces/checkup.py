"""Looking, now and then, whether the bot may do in Slack what it must, and saying what is missing.

It changes nothing and stops nothing: messages that cannot be sent wait.
"""

import logging
from collections.abc import Mapping, Sequence

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.outbox.failures import Meaning, understood
from bot.workspaces.channels import Channels
from bot.workspaces.workspaces import Sender, Workspaces
from records.assistant import Assistant
from records.errors import ConfigurationError

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 300.0
_MENDED_SECONDS = 15.0


class Checkup:
    """Keeps the sentences of the last look."""

    def __init__(self, workspaces: Workspaces, assistants: Mapping[str, Assistant]) -> None:
        self._workspaces = workspaces
        self._assistants = assistants
        self._found: Sequence[str] = ()

    @property
    def problems(self) -> Sequence[str]:
        """What a person must mend."""
        return list(dict.fromkeys([*self._workspaces.problems(), *self._found]))

    @property
    def pause_seconds(self) -> float:
        """How long until the next look: soon where a person may be mending something."""
        return _MENDED_SECONDS if self.problems else _AGAIN_SECONDS

    async def look(self) -> None:
        """Look at scopes and channels; what is new is logged."""
        before = set(self.problems)
        found: list[str] = []
        try:
            for sender in await self._workspaces.clients():
                found += await missing_scopes(sender.client, team=sender.team or "")
            for assistant in self._assistants.values():
                found += await self._of_assistant(assistant)
        except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
            failure = understood(error)
            if failure is None or failure.meaning is not Meaning.MEND:
                return  # Slack is busy or away: the last look stands
            found.append(failure.sentence)
        self._found = found
        for sentence in self.problems:
            if sentence not in before:
                log.warning("%s", sentence)

    async def _of_assistant(self, assistant: Assistant) -> list[str]:
        try:
            sender = await self._workspaces.sender(assistant)
        except ConfigurationError as error:
            return [str(error)]
        names = [assistant.slack.channel, *(route.channel for route in assistant.slack.routes)]
        found = [await missing_channel(sender, assistant, name) for name in dict.fromkeys(names)]
        return [sentence for sentence in found if sentence]


async def missing_scopes(client: AsyncWebClient, *, team: str) -> list[str]:
    """A sentence where the token lacks rights that the app needs.

    Raises:
        SlackApiError: Slack refuses the token.
    """
    answer = await client.auth_test()
    header = next((v for k, v in answer.headers.items() if k.lower() == "x-oauth-scopes"), None)
    if header is None:
        return []
    granted = {scope.strip() for scope in header.split(",")}
    needed = wording.machine.SCOPES
    missing = [f"{scope} ({reason})" for scope, reason in needed.items() if scope not in granted]
    if not missing:
        return []
    return [wording.machine.SCOPES_MISSING.format(team=team, scopes=", ".join(missing))]


async def missing_channel(sender: Sender, assistant: Assistant, name: str) -> str | None:
    """A sentence where an assistant's messages cannot appear in a channel.

    Raises:
        SlackApiError: Slack refuses something else.
    """
    words = {"channel": name.removeprefix("#"), "assistant": assistant.name}
    try:
        channel = await Channels(sender.client).id_of(name)
        info = (await sender.client.conversations_info(channel=channel))["channel"]
    except ConfigurationError as error:
        return str(error)
    except SlackApiError as error:
        if error.response.get("error") != "channel_not_found":
            raise
        return wording.machine.NO_CHANNEL.format(**words)
    if info.get("is_archived"):
        return wording.machine.CHANNEL_ARCHIVED.format(**words)
    if info.get("is_member") is False:
        return wording.machine.NOT_IN_CHANNEL.format(**words)
    return None
