"""Exchanging tokens before they expire, by one process at a time.

A refresh token works once. Whoever would exchange one claims that in the database first; the others
go on with the token that still lives.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slack_sdk.errors import SlackApiError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.outbox.failures import Failure, Meaning, code_of, understood
from records import slack_installations
from records.errors import StorageError
from records.ids import utc_now
from records.tables import SlackInstallation

log = logging.getLogger(__name__)

_BEFORE = timedelta(hours=2)
_RETRY = timedelta(seconds=30)
_SAVE_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an exchange led to; `problem` says what a person must do, where it failed for good."""

    installation: SlackInstallation
    problem: str = ""


class Rotation:
    """Exchanges tokens that expire within two hours."""

    def __init__(
        self,
        desk: Desk,
        rotator: AsyncTokenRotator,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._desk = desk
        self._rotator = rotator
        self._clock = clock
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._not_before: dict[str, datetime] = {}

    def is_due(self, installation: SlackInstallation) -> bool:
        """Whether a token should be exchanged now."""
        if installation.expires_at is None or installation.refresh_token is None:
            return False
        now = self._clock()
        return now >= max(
            installation.expires_at - _BEFORE, self._not_before.get(installation.team, now)
        )

    def is_over(self, installation: SlackInstallation) -> bool:
        """Whether a token is dead."""
        return installation.expires_at is not None and installation.expires_at <= self._clock()

    async def exchange(self, known: SlackInstallation) -> Exchange:
        """A token for the one that is known; the known one where that cannot be had now."""
        async with self._locks[known.team]:
            try:
                return await self._exchange(known)
            except StorageError as error:
                log.warning("the token of %s is not exchanged yet: %s", known.team, error)
                self._not_before[known.team] = self._clock() + _RETRY
                return Exchange(known)

    async def _exchange(self, known: SlackInstallation) -> Exchange:
        team, now = known.team, self._clock()
        current = await self._desk.read(lambda session: slack_installations.find(session, team))
        if current is None or not self.is_due(current):
            return Exchange(current or known)
        claimed = await self._desk.write(
            lambda session: slack_installations.claim_rotation(session, current, now=now)
        )
        if not claimed:
            self._not_before[team] = now + timedelta(seconds=1)  # another process is at it
            return Exchange(current)
        return await self._by_slack(current)

    async def _by_slack(self, current: SlackInstallation) -> Exchange:
        try:
            bot = await self._rotator.perform_bot_token_rotation(bot=_as_bot(current))
        except Exception as error:
            given = error.api_error if isinstance(error, SlackTokenRotationError) else error
            failure = understood(given)
            if failure is None:
                raise
            log.warning("the token of %s is not exchanged: %s", current.team, failure.sentence)
            wait = max(_RETRY, timedelta(seconds=failure.wait_seconds))
            self._not_before[current.team] = self._clock() + wait
            return Exchange(current, _problem(given, failure, team=current.team))
        return Exchange(await self._keep(current, bot)) if bot else Exchange(current)

    async def _keep(self, known: SlackInstallation, bot: Bot) -> SlackInstallation:
        """Save the new token; the old one can't be exchanged again, so this does not give up."""
        lives = timedelta(seconds=(bot.bot_token_expires_at or 0) - datetime.now(UTC).timestamp())
        expires_at = self._clock() + lives

        def save(session: Session) -> SlackInstallation | None:
            slack_installations.end_rotation(
                session,
                known,
                bot_token=bot.bot_token,
                refresh_token=bot.bot_refresh_token,
                expires_at=expires_at,
            )
            session.expire_all()
            return slack_installations.find(session, known.team)

        while True:
            try:
                kept = await self._desk.write(save)
            except StorageError as error:
                log.warning("the new token of %s is not saved yet: %s", known.team, error)
                await asyncio.sleep(_SAVE_AGAIN_SECONDS)
            else:
                log.info("the token of %s was exchanged", known.team)
                return kept or known


def _problem(error: Exception, failure: Failure, *, team: str) -> str:
    """What a person must do; nothing where Slack is busy or away, and is asked again."""
    if failure.meaning not in (Meaning.MEND, Meaning.GIVE_UP):
        return ""
    of_app = isinstance(error, SlackApiError) and code_of(error) in wording.machine.OF_THE_APP
    return failure.sentence if of_app else wording.machine.NOT_ROTATED.format(team=team)


def _as_bot(installation: SlackInstallation) -> Bot:
    return Bot(
        team_id=installation.team,
        bot_token=installation.bot_token,
        bot_id=installation.bot_id,
        bot_user_id=installation.bot_user,
        bot_refresh_token=installation.refresh_token,
        bot_token_expires_at=1,  # long ago: whether it is time was decided here
        installed_at=installation.installed_at,
    )
