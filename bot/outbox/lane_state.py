"""When a lane of the outbox, and each row in it, may be tried again.

A row that fails closes its lane for a while, so that order is kept. One that Slack alone cannot
take must not keep a channel silent for ever: after some failures the next row is tried too, and if
that one is sent, the first is set aside and tried now and then.
"""

from collections.abc import Callable, Collection

from bot.outbox.failures import Failure, Meaning

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 30.0
_ASIDE_SECONDS = 600.0
_MEND_SECONDS = 10.0
_SUSPECT_AFTER = 6
_DOUBLED = 10
"""How often a wait may be doubled: days of failures must not overflow."""


class LaneState:
    """What has failed in one lane; `in_order`: its rows must be sent one after the other."""

    def __init__(self, clock: Callable[[], float], *, in_order: bool) -> None:
        self._clock = clock
        self._in_order = in_order
        self._opens_at = float("-inf")
        self._failed = 0
        self._failures: dict[int, int] = {}
        self._due_at: dict[int, float] = {}
        self._suspects: list[int] = []
        self._aside: set[int] = set()
        self._to_mend: dict[int, str] = {}
        self._told = ""

    def is_news(self, sentence: str) -> bool:
        """Whether a failure is another than the last one since something was sent."""
        told, self._told = self._told, sentence
        return told != sentence

    def keep(self, rows: Collection[int]) -> None:
        """Forget all rows but these."""
        wanted = set(rows)
        self._failures = {row: times for row, times in self._failures.items() if row in wanted}
        self._due_at = {row: at for row, at in self._due_at.items() if row in wanted}
        self._aside &= wanted
        self._to_mend = {row: why for row, why in self._to_mend.items() if row in wanted}

    def is_open(self) -> bool:
        """Whether any row may be tried."""
        return self._clock() >= self._opens_at

    def is_due(self, row: int) -> bool:
        """Whether this row may be tried, in an open lane."""
        return self._clock() >= self._due_at.get(row, float("-inf"))

    def defer(self, row: int, *, seconds: float) -> None:
        """Try a row later; the others need not wait for it."""
        self._due_at[row] = self._clock() + seconds

    def wait(self, row: int, *, seconds: float) -> None:
        """Try a row later; where the lane is in order, the others wait for it."""
        if self._in_order:
            self._close(seconds)
        else:
            self.defer(row, seconds=seconds)

    @property
    def problems(self) -> Collection[str]:
        """What a person must mend before rows of this lane can be sent."""
        return self._to_mend.values()

    def note_success(self, row: int) -> None:
        """A row was sent: what failed before it in this pass lies in those rows."""
        self._to_mend.pop(row, None)
        self._failed, self._told = 0, ""
        self._failures.pop(row, None)
        self._due_at.pop(row, None)
        self._aside.discard(row)
        for suspect in self._suspects:
            self._set_aside(suspect)
        self._suspects = []

    def note_failure(self, row: int, failure: Failure) -> None:
        """A row was not sent."""
        self._failures[row] = times = self._failures.get(row, 0) + 1
        self._to_mend.pop(row, None)
        if failure.meaning is Meaning.MEND:
            self._to_mend[row] = failure.sentence
        if failure.meaning is Meaning.WAIT:
            self._close(failure.wait_seconds)
        elif failure.of_row and (row in self._aside or self._is_alone(failure)):
            self._set_aside(row)
        elif failure.of_row and not self._in_order:
            self.defer(row, seconds=_backoff(times))
        elif failure.of_row and times >= _SUSPECT_AFTER and not self._suspects:
            self._suspects.append(row)
        else:
            self._suspects = []
            self._failed += 1
            mend = failure.meaning is Meaning.MEND
            self._close(_MEND_SECONDS if mend else _backoff(self._failed))

    @staticmethod
    def _is_alone(failure: Failure) -> bool:
        return failure.surely and failure.meaning is Meaning.MEND

    def _set_aside(self, row: int) -> None:
        self._aside.add(row)
        times = self._failures.get(row, 0)
        self.defer(row, seconds=min(_ASIDE_SECONDS, 2.0 ** min(times, _DOUBLED)))

    def _close(self, seconds: float) -> None:
        self._opens_at = max(self._opens_at, self._clock() + seconds)


def _backoff(times: int) -> float:
    return min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(times - 1, _DOUBLED))
