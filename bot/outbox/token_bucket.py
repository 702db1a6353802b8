"""A token bucket: how many calls may be made now, and when the next one may."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class TokenBucket:
    """Allows `burst` calls at once and `per_second` in the long run. The clock gives seconds."""

    per_second: float
    burst: float
    clock: Callable[[], float]
    _tokens: float = field(init=False)
    _filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._filled_at = self.burst, self.clock()

    def take(self) -> bool:
        """Use one call up; False, and nothing used, where none is left."""
        if self.wait_seconds() > 0:
            return False
        self._tokens -= 1
        return True

    def wait_seconds(self) -> float:
        """How long until a call may be made; 0 where one may be made now."""
        now = self.clock()
        if now > self._filled_at:
            gained = (now - self._filled_at) * self.per_second
            self._tokens = min(self.burst, self._tokens + gained)
            self._filled_at = now
        missing = max(0.0, 1 - self._tokens)
        return self.pause_seconds + (missing / self.per_second if missing > 1e-9 else 0.0)

    @property
    def pause_seconds(self) -> float:
        """How long until the other side allows a call, whatever is left."""
        return max(0.0, self._filled_at - self.clock())

    def pause(self, seconds: float) -> None:
        """Allow nothing for a while: the other side said so."""
        self._filled_at = max(self._filled_at, self.clock() + seconds)
        self._tokens = min(self._tokens, 1.0)
