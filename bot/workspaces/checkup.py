"""Looking, now and then, whether the bot may do in Slack what it must, and saying what is missing.

It changes nothing and stops nothing: messages that cannot be sent wait.
"""

import logging
from collections.abc import Awaitable, Mapping, Sequence

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.outbox.failures import Meaning, code_of, understood
from bot.workspaces.channels import Channels
from bot.workspaces.workspaces import Sender, Workspaces
from records.assistant import Assistant
from records.errors import ConfigurationError

log = logging.getLogger(__name__)

_OF_SLACK = (SlackClientError, aiohttp.ClientError, TimeoutError)
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
        try:
            self._found = await _in_words(self._seen())
        except _OF_SLACK:
            return  # Slack is busy or away: the last look stands
        for sentence in self.problems:
            if sentence not in before:
                log.warning("%s", sentence)

    async def _seen(self) -> list[str]:
        found: list[str] = []
        channels: dict[str | None, Channels] = {}
        for sender in await self._workspaces.clients():
            found += self._placed(await _in_words(missing_scopes(sender.client)), sender)
        for assistant in self._assistants.values():
            found += await self._of_assistant(assistant, channels)
        return found

    async def _of_assistant(
        self, assistant: Assistant, channels: dict[str | None, Channels]
    ) -> list[str]:
        try:
            sender = await self._workspaces.sender(assistant)
        except ConfigurationError as error:
            return [str(error)]
        known = channels.setdefault(sender.team, Channels(sender.client))
        names = [assistant.slack.channel, *(route.channel for route in assistant.slack.routes)]
        found: list[str] = []
        for name in dict.fromkeys(names):
            seen = _in_words(missing_channel(sender, known, assistant, name))
            found += self._placed(await seen, sender)
        return found

    def _placed(self, sentences: Sequence[str], sender: Sender) -> list[str]:
        """The sentences, with the workspace in which they hold where there are several."""
        if self._workspaces.is_sole:
            return list(sentences)
        words = wording.machine.IN_WORKSPACE
        return [words.format(team=sender.team, sentence=sentence) for sentence in sentences]


async def _in_words(look: Awaitable[list[str]]) -> list[str]:
    """What was seen; what a person must mend before anything is seen keeps no other look back.

    Raises:
        SlackApiError, ClientError, TimeoutError: Slack is busy or away.
    """
    try:
        return await look
    except _OF_SLACK as error:
        failure = understood(error)
        if failure is None or failure.meaning is not Meaning.MEND:
            raise
        return [failure.sentence]


async def missing_scopes(client: AsyncWebClient) -> list[str]:
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
    return [wording.machine.SCOPES_MISSING.format(scopes=", ".join(missing))]


async def missing_channel(
    sender: Sender, channels: Channels, assistant: Assistant, name: str
) -> list[str]:
    """A sentence where an assistant's messages cannot appear in a channel.

    Raises:
        SlackApiError: Slack refuses something else.
    """
    words = {"channel": name.removeprefix("#"), "assistant": assistant.name}
    try:
        channel = await channels.id_of(name)
        info = (await sender.client.conversations_info(channel=channel))["channel"]
    except ConfigurationError as error:
        return [str(error)]
    except SlackApiError as error:
        if code_of(error) != "channel_not_found":
            raise
        return [wording.machine.NO_CHANNEL.format(**words)]
    if info.get("is_archived"):
        return [wording.machine.CHANNEL_ARCHIVED.format(**words)]
    if info.get("is_member") is False:
        return [wording.machine.NOT_IN_CHANNEL.format(**words)]
    return []
