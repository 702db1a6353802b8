"""Who may do what: people and user groups that an assistant's file names, asked of Slack."""

import logging
import time
from collections.abc import Callable, Sequence

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.outbox.failures import understood
from bot.text import who
from records.assistant import Assistant
from records.errors import Forbidden

log = logging.getLogger(__name__)

_REMEMBERED_SECONDS = 60.0


class Roles:
    """Answers whether a person is named, by id or through a user group."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def require_operator(
        self, client: AsyncWebClient, assistant: Assistant, user: str
    ) -> None:
        """See that a person may retrain and release.

        Raises:
            Forbidden: naming who may, or which group's members Slack does not tell.
        """
        await self._require(
            client, assistant.slack.operators, user, wording.machine.NOT_AN_OPERATOR, assistant
        )

    async def require_reviewer(
        self, client: AsyncWebClient, assistant: Assistant, user: str
    ) -> None:
        """See that a person may decide on examples.

        Raises:
            Forbidden: naming who may, or which group's members Slack does not tell.
        """
        await self._require(
            client, assistant.slack.reviewers, user, wording.machine.NOT_A_REVIEWER, assistant
        )

    async def is_named(self, client: AsyncWebClient, named: Sequence[str], user: str) -> bool:
        """Whether a person is among those who are named; all are where nobody is.

        One group that Slack does not know, or tells nothing of now, keeps nobody out of another.

        Raises:
            Forbidden: the person is in none that could be read, and one could not.
        """
        if not named or user in named:
            return True
        unread, why = [], ""
        for group in (name for name in named if name.startswith("S")):
            try:
                if user in await self._members_of(client, group):
                    return True
            except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
                failure = understood(error)
                why = failure.sentence if failure else type(error).__name__
                log.warning("who is in %s: %s", group, why)
                unread.append(group)
        if unread:
            groups = ", ".join(map(who, unread))
            raise Forbidden(wording.machine.GROUPS_UNREAD.format(groups=groups, why=why))
        return False

    async def _require(
        self,
        client: AsyncWebClient,
        named: Sequence[str],
        user: str,
        sentence: str,
        assistant: Assistant,
    ) -> None:
        if not await self.is_named(client, named, user):
            people = ", ".join(map(who, named))
            raise Forbidden(sentence.format(people=people, assistant=assistant.name))

    async def _members_of(self, client: AsyncWebClient, group: str) -> frozenset[str]:
        known = self._members.get(group)
        if known is not None and self._clock() - known[0] < _REMEMBERED_SECONDS:
            return known[1]
        answer = await client.usergroups_users_list(usergroup=group)
        members = frozenset(answer["users"] or ())
        self._members[group] = self._clock(), members
        return members
