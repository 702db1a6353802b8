"""People of other organisations, who share a channel with the team (Slack Connect).

They see the team's cards there. What they press, write or flag comes to nothing, unless an
assistant's file names them.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.outbox.failures import Meaning, understood
from records.assistant import Assistant

_REMEMBERED_SECONDS = 600.0
_PATIENCE_SECONDS = 1.5
"""Slack wants each request acknowledged within three seconds."""
_HOME = "app_home_opened"

NOT_KNOWN = (SlackClientError, aiohttp.ClientError, TimeoutError)
"""Why it cannot be known now who somebody is."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Comer:
    """Who did what a request tells of, and from where, as far as it says."""

    user: str
    team: str | None
    """The workspace, or the organisation, that they belong to."""
    is_shared: bool = False
    """Whether it was done in a channel that other organisations' people are in."""
    is_at_home: bool = False
    """Whether it was done in App Home, of which Slack does not say whose people open it."""

    @classmethod
    def of(cls, body: Json) -> "_Comer | None":
        """Who a press, a form, a command or an event is from; None where it is from nobody."""
        person = body.get("user")
        if isinstance(person, Mapping):
            return cls(person.get("id", ""), person.get("team_id"))
        if "command" in body:
            return cls(body["user_id"], body.get("team_id"))
        event = body.get("event") or {}
        written = event.get("message") or event.get("previous_message") or event
        if not isinstance(written.get("user"), str):
            return None
        return cls(
            written["user"],
            written.get("user_team") or written.get("team"),
            is_shared=body.get("is_ext_shared_channel") is True,
            is_at_home=event.get("type") == _HOME,
        )


class Strangers:
    """Knows who belongs to the organisation of the workspace in which the app is installed."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, bool]] = {}

    async def is_one(
        self,
        body: Json,
        *,
        team: str | None,
        client: AsyncWebClient,
        assistants: Iterable[Assistant],
    ) -> bool:
        """Whether a request comes from a stranger whom nobody named; `team` is the app's.

        Raises:
            SlackClientError, ClientError, TimeoutError: Slack does not say so now (`NOT_KNOWN`).
        """
        comer = _Comer.of(body)
        if not team or comer is None or comer.team == team or _is_named(comer.user, assistants):
            return False
        if not (comer.team or comer.is_shared or comer.is_at_home):
            return False
        return not await self._is_colleague(client, comer, team)

    async def _is_colleague(self, client: AsyncWebClient, comer: _Comer, team: str) -> bool:
        """Whether a person is of the workspace, or of another one of the same Enterprise Grid.

        The request tells of no more than where it was made, so Slack is asked.
        """
        known_at, known = self._known.get((team, comer.user), (float("-inf"), False))
        if self._clock() - known_at < _REMEMBERED_SECONDS:
            return known
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                found = await _is_of(client, comer, team)
        except NOT_KNOWN as error:
            failure = understood(error)
            if failure is None or failure.meaning not in (Meaning.MEND, Meaning.GIVE_UP):
                raise
            return comer.is_at_home  # a scope is missing, or nobody here knows them
        self._known[team, comer.user] = self._clock(), found
        return found


async def _is_of(client: AsyncWebClient, comer: _Comer, team: str) -> bool:
    own = (await client.auth_test()).get("enterprise_id")
    if not own and comer.team:
        return False
    asked = (await client.users_info(user=comer.user))["user"]
    theirs = (asked.get("enterprise_user") or {}).get("enterprise_id")
    return asked.get("team_id") == team or (bool(own) and theirs == own)


def _is_named(user: str, assistants: Iterable[Assistant]) -> bool:
    """Whether a file names them by their own id; what is in a group may change without us."""
    return any(user in (*a.slack.operators, *a.slack.reviewers) for a in assistants)
