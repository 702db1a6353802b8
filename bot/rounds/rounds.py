"""What somebody must look at now and then: it becomes due by time alone.

Each round reads the records and puts what is due into the outbox, where a key keeps it from being
said twice. Only the bot that sends the outbox makes rounds.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.rounds.digests import digest
from bot.rounds.reminders import remind
from bot.rounds.unanswered import find_left_behind
from bot.rounds.unread import tell_of_unread
from records.errors import UnderstudyError
from records.ids import utc_now

log = logging.getLogger(__name__)

Round = Callable[[Session, Desk, datetime], None]
"""Puts what is due at a time into the outbox, in one transaction of its own."""

ROUNDS: tuple[Round, ...] = (remind, tell_of_unread, find_left_behind, digest)


class Rounds:
    """Makes all rounds every few seconds."""

    def __init__(
        self,
        desk: Desk,
        *,
        every_seconds: float,
        rounds: Sequence[Round] = ROUNDS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._desk = desk
        self._every_seconds = every_seconds
        self._rounds = rounds
        self._clock = clock
        self._due_at = 0.0

    async def make(self) -> None:
        """Make the rounds if it is time; one that fails does not keep the others."""
        if time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + self._every_seconds
        for look in self._rounds:
            try:
                await self._desk.write(partial(self._make, look))
            except UnderstudyError as error:
                log.warning("a round was left out: %s", error)
            except Exception:
                log.exception("a round failed")

    def _make(self, look: Round, session: Session) -> None:
        look(session, self._desk, self._clock())
