"""Channels by the names that people give them in an assistant's file."""

import re

from slack_sdk.web.async_client import AsyncWebClient

from records.errors import ConfigurationError

_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


class Channels:
    """Finds a channel's id, asking Slack once per name."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._ids: dict[str, str] = {}

    async def id_of(self, channel: str) -> str:
        """The id of a channel given by id or name.

        Raises:
            ConfigurationError: the bot sees no such channel.
            SlackApiError: Slack refuses to list channels.
        """
        name = channel.removeprefix("#")
        if _ID.fullmatch(name):
            return name
        if name not in self._ids:
            await self._list()
        if name not in self._ids:
            raise ConfigurationError(
                f"The bot sees no channel #{name}: create it and invite the bot there "
                "(/invite @Understudy), or name another under slack.channel in the assistant's "
                "file."
            )
        return self._ids[name]

    async def _list(self) -> None:
        cursor = ""
        while True:
            page = await self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=500,
                cursor=cursor,
            )
            self._ids.update({c["name"]: c["id"] for c in page["channels"]})
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
