"""Whether the app still gets events: Slack switches those off that hardly acknowledge any."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_HOUR_SECONDS = 3600.0
_LEAST_SHARE = 0.05


@dataclass(slots=True)
class Health:
    """Counts the deliveries of the last hour. With fewer than `least` in it nothing is judged."""

    clock: Callable[[], float]
    least: int = 1000
    is_off: bool = False
    _deliveries: deque[tuple[float, bool]] = field(default_factory=deque)
    _acknowledged: int = 0

    def count(self, *, is_acknowledged: bool) -> None:
        """Count a delivery; under 5 % acknowledged within an hour the subscriptions go off."""
        now = self.clock()
        self._deliveries.append((now, is_acknowledged))
        self._acknowledged += is_acknowledged
        while self._deliveries[0][0] < now - _HOUR_SECONDS:
            self._acknowledged -= self._deliveries.popleft()[1]
        tried = len(self._deliveries)
        if tried >= self.least and self._acknowledged < tried * _LEAST_SHARE:
            self.is_off = True

    def switch_on(self) -> None:
        """Begin anew, as somebody does in the app's settings."""
        self.is_off = False
        self._deliveries.clear()
        self._acknowledged = 0

    def seen(self) -> dict[str, Any]:
        """How it stands, for those who look."""
        return {
            "on": not self.is_off,
            "delivered_last_hour": len(self._deliveries),
            "acknowledged_last_hour": self._acknowledged,
        }
