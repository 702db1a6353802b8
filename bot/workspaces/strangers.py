"""People of other organisations, who share a channel with the team (Slack Connect).

They see the team's cards there. What they press is not done, unless an assistant's file names them.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from records.assistant import Assistant

_REMEMBERED_SECONDS = 600.0
_PATIENCE_SECONDS = 1.5
"""Slack wants each request acknowledged within three seconds."""


class Strangers:
    """Knows who belongs to the organisation of the workspace in which the app is installed."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._colleagues: dict[tuple[str, str], float] = {}

    async def is_one(
        self,
        body: Mapping[str, Any],
        *,
        team: str | None,
        client: AsyncWebClient,
        assistants: Iterable[Assistant],
    ) -> bool:
        """Whether a request comes from a stranger whom nobody named; `team` is the app's."""
        user = body.get("user")
        person = user if isinstance(user, Mapping) else {}
        theirs, name = person.get("team_id"), person.get("id", "")
        if not team or not theirs or theirs == team or _is_named(name, assistants):
            return False
        return not await self._is_colleague(client, name, team)

    async def _is_colleague(self, client: AsyncWebClient, user: str, team: str) -> bool:
        """Whether a person of another workspace belongs to the same Enterprise Grid.

        The request tells of no more than where it was made, so Slack is asked.
        """
        known_at = self._colleagues.get((team, user))
        if known_at is not None and self._clock() - known_at < _REMEMBERED_SECONDS:
            return True
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                own = (await client.auth_test()).get("enterprise_id")
                asked = (await client.users_info(user=user))["user"] if own else {}
        except (SlackClientError, aiohttp.ClientError, TimeoutError):
            return False  # who cannot be known now presses again
        if not own or (asked.get("enterprise_user") or {}).get("enterprise_id") != own:
            return False
        self._colleagues[team, user] = self._clock()
        return True


def _is_named(user: str, assistants: Iterable[Assistant]) -> bool:
    """Whether a file names them by their own id; what is in a group may change without us."""
    return any(user in (*a.slack.operators, *a.slack.reviewers) for a in assistants)
