"""What a step takes while it runs: seconds, and seconds of accelerators. No clock of the day."""

import time
from collections.abc import Callable

from records.jobs import Spent


class Meter:
    """Counts for one attempt at a step; what was noted in the records is taken off."""

    def __init__(self, step: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start to count."""
        self.step = step
        self._clock, self._at = clock, clock()
        self._accelerators = 0
        self._seconds = self._accelerator_seconds = 0.0

    def hold(self, accelerators: int) -> None:
        """Count so many accelerators from now on."""
        self._settle()
        self._accelerators = accelerators

    def read(self) -> Spent:
        """What is not noted yet."""
        self._settle()
        return Spent(self._seconds, self._accelerator_seconds)

    def take_off(self, noted: Spent) -> None:
        """Forget what was noted."""
        self._seconds -= noted.seconds
        self._accelerator_seconds -= noted.accelerator_seconds

    def _settle(self) -> None:
        now = self._clock()
        passed, self._at = now - self._at, now
        self._seconds += passed
        self._accelerator_seconds += passed * self._accelerators
