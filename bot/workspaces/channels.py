"""Channels by the names that people give them in an assistant's file."""

import re

from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from records.errors import ConfigurationError

_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


class Channels:
    """Finds a channel's id, asking Slack once per name."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._ids: dict[str, str] = {}

    def known(self, channel: str) -> str | None:
        """The id of a channel given by id or name; None where Slack must be asked for it."""
        name = channel.removeprefix("#")
        return name if _ID.fullmatch(name) else self._ids.get(name)

    async def id_of(self, channel: str) -> str:
        """The id of a channel given by id or name.

        Raises:
            ConfigurationError: the bot sees no such channel.
            SlackApiError: Slack refuses to list channels.
        """
        if self.known(channel) is None:
            await self._list()
        found = self.known(channel)
        if found is None:
            name = channel.removeprefix("#")
            raise ConfigurationError(wording.machine.UNSEEN_CHANNEL.format(channel=name))
        return found

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
