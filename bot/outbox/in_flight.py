"""Calls to Slack that may still be under way, whoever made them.

A call may reach Slack after its process was killed, or after its connection broke. Whoever looks
for its message too early finds none, and would send a second one.
"""

from collections.abc import Callable

from bot.outbox.plan import Method, method_of
from records.tables import OutboxMessage

_CALLS_OF_AN_UPLOAD = 3


class InFlight:
    """When each begun call has surely ended, by this process's clock alone.

    A call of somebody else's was begun before it was first seen here, so it has ended when a call
    that begins now would have.
    """

    def __init__(self, clock: Callable[[], float], *, call_seconds: float) -> None:
        """`call_seconds`: the longest that one call takes, with what Slack may need after that."""
        self._clock = clock
        self._call_seconds = call_seconds
        self._ends_at: dict[tuple[int, int], float] = {}

    def note_begun(self, row: OutboxMessage) -> None:
        """A call begins."""
        self._ends_at[_call(row)] = self._clock() + self._longest(row)

    def note_ended(self, row: OutboxMessage) -> None:
        """Slack has answered."""
        self._ends_at[_call(row)] = self._clock()

    def forget(self, row: OutboxMessage) -> None:
        """A row waits no longer."""
        self._ends_at = {call: at for call, at in self._ends_at.items() if call[0] != row.id}

    def wait_seconds(self, row: OutboxMessage) -> float:
        """How long until the call that was begun for a row has surely ended."""
        now = self._clock()
        return max(0.0, self._ends_at.setdefault(_call(row), now + self._longest(row)) - now)

    def _longest(self, row: OutboxMessage) -> float:
        return self._call_seconds * (_CALLS_OF_AN_UPLOAD if method_of(row) is Method.UPLOAD else 1)


def _call(row: OutboxMessage) -> tuple[int, int]:
    return row.id, row.attempts
