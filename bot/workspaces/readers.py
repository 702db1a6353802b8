"""Who may read a channel: what customers say is shown outside of it to its members only."""

import logging
import time
from collections.abc import Callable

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.outbox.failures import understood

log = logging.getLogger(__name__)

_REMEMBERED_SECONDS = 60.0
_PAGE = 200


class Readers:
    """Asks Slack who is in a channel, at most once a minute."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def has(self, client: AsyncWebClient, channel: str, user: str) -> bool:
        """Whether a person is in a channel; not where Slack does not tell."""
        known = self._members.get(channel)
        if known is None or self._clock() - known[0] >= _REMEMBERED_SECONDS:
            try:
                members = await _members(client, channel)
            except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
                failure = understood(error)
                log.warning("who is in %s: %s", channel, failure.sentence if failure else error)
                members = frozenset()
            known = self._members[channel] = self._clock(), members
        return user in known[1]


async def _members(client: AsyncWebClient, channel: str) -> frozenset[str]:
    found: set[str] = set()
    cursor = ""
    while True:
        page = await client.conversations_members(channel=channel, limit=_PAGE, cursor=cursor)
        found.update(page["members"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return frozenset(found)
