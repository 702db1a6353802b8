"""Whose channel a channel is: assistants' files name them by id or by name."""

from collections.abc import Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from records.assistant import Assistant


class ChannelNames:
    """Asks Slack once for the name of each channel."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    async def assistant_of(
        self, client: AsyncWebClient, channel: str, assistants: Mapping[str, Assistant]
    ) -> str | None:
        """The assistant whose team works in a channel; None where none does, or several."""
        wanted = {a.name: a.slack.channel.removeprefix("#") for a in assistants.values()}
        here = (channel, await self._name(client, channel))
        found = [name for name, theirs in wanted.items() if theirs in here]
        return found[0] if len(found) == 1 else None

    async def _name(self, client: AsyncWebClient, channel: str) -> str:
        if channel not in self._names:
            try:
                answer = await client.conversations_info(channel=channel)
            except SlackApiError:
                return ""
            self._names[channel] = str(answer["channel"].get("name") or "")
        return self._names[channel]
