"""A step again, while what it needs is away: an engine that restarts, a database that hiccups.

Only what passes by itself is tried again; what a person must mend ends the job at once.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from records.errors import (
    EngineInterrupted,
    EngineUnavailable,
    StorageUnavailable,
)
from tuning.workflow.trainer_process import TrainerLost

ResultT = TypeVar("ResultT")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 15.0
_GOT_FAR_SECONDS = 60.0
"""An attempt that lasted so long got somewhere: patience begins anew."""
_MOST_BEGINNINGS = 5
"""So often, however far each attempt got: what fails for ever must end."""


class Away(StrEnum):
    """What is missing."""

    ENGINE = "engine"
    STORAGE = "storage"
    TRAINER = "trainer"


@dataclass(frozen=True, slots=True)
class Setback:
    """An attempt that failed, and when the next one comes."""

    away: Away
    why: str
    tries: int
    pause_seconds: float


def away(error: Exception) -> Away | None:
    """What will come back by itself, by an error; None where a person must mend something."""
    if isinstance(error, EngineUnavailable | EngineInterrupted):
        return Away.ENGINE
    if isinstance(error, StorageUnavailable):
        return Away.STORAGE
    if isinstance(error, TrainerLost):
        return Away.TRAINER
    return None


def pauses() -> Iterator[float]:
    """Seconds before each new try: twice as long each time, a quarter of a minute at most."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something is waited for, and how often it is tried in all."""

    seconds: float
    tries: int = 1000


@dataclass(frozen=True, slots=True)
class Retrying:
    """Does work again while what it needs is away."""

    patience: Mapping[Away, Patience]
    wait: Callable[[float], None]
    """Lets seconds pass; what it raises ends the waiting."""
    tell: Callable[[Setback], None]
    clock: Callable[[], float] = time.monotonic

    def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Do something until it is done, or until patience ends.

        Raises:
            Exception: the last failure, or the first that will not pass by itself.
        """
        course = _Course(self.patience)
        while True:
            began = self.clock()
            try:
                return work()
            except Exception as error:
                now = self.clock()
                setback = course.after(error, now=now, attempt_seconds=now - began)
                if setback is None:
                    raise
            self.tell(setback)
            self.wait(setback.pause_seconds)


class _Course:
    """Failures so far, and what they leave of the patience."""

    def __init__(self, patience: Mapping[Away, Patience]) -> None:
        self._patience = patience
        self._tries: Counter[Away] = Counter()
        self._beginnings, self._deadline, self._pauses = 0, 0.0, pauses()

    def after(self, error: Exception, *, now: float, attempt_seconds: float) -> Setback | None:
        """What comes after a failure; None: it is the last."""
        missing = away(error)
        patience = self._patience.get(missing) if missing is not None else None
        if missing is None or patience is None:
            return None
        self._tries[missing] += 1
        got_far = attempt_seconds > _GOT_FAR_SECONDS and self._beginnings < _MOST_BEGINNINGS
        if not self._beginnings or got_far:
            self._beginnings, self._pauses = self._beginnings + 1, pauses()
            self._deadline = now + patience.seconds
        pause = min(next(self._pauses), self._deadline - now)
        if pause <= 0 or self._tries[missing] >= patience.tries:
            return None
        return Setback(missing, str(error), self._tries.total(), pause)
