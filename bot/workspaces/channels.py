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
            ConfigurationError: the bot sees no such channel, or it is archived.
            SlackApiError: Slack refuses to list channels.
        """
        if self.known(channel) is None:
            self._ids |= await self._listed()
        found = self.known(channel)
        if found is None:
            raise ConfigurationError(await self._why_unseen(channel.removeprefix("#")))
        return found

    async def _why_unseen(self, name: str) -> str:
        is_archived = name in await self._listed(with_archived=True)
        words = wording.machine.ARCHIVED if is_archived else wording.machine.UNSEEN_CHANNEL
        return words.format(channel=name)

    async def _listed(self, *, with_archived: bool = False) -> dict[str, str]:
        """Ids by names. Archived channels, of which there may be very many, where they matter."""
        found: dict[str, str] = {}
        cursor = ""
        while True:
            page = await self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=not with_archived,
                limit=999,
                cursor=cursor,
            )
            found |= {c["name"]: c["id"] for c in page["channels"]}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found
