"""How much one key, customer or address may ask. Pure: the time is an argument, in seconds.

A share of N a minute may be used up at once and refills evenly, so that any stretch of t seconds
sees at most N + N * t / 60 requests. What was used is kept as one number, the time when the share
is whole again (GCRA, the ATM Forum's form of a token bucket): an idle one equals a new one and can
be forgotten.
"""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

_MINUTE = 60.0
_ROUNDING = 1e-6
"""Seconds by which sums of intervals may miss; far below any that matters."""
_LOOKED_AT = 2
"""Old uses looked at for each new one: more than one, so that idle ones can't pile up."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share: requests a minute, and requests at once. 0 is no limit."""

    per_minute: int = 0
    at_once: int = 0

    @property
    def limited(self) -> bool:
        """Whether there is anything to be counted."""
        return self.per_minute > 0 or self.at_once > 0


NO_LIMIT = Rate()


@dataclass(slots=True)
class Use:
    """What was used of a share."""

    whole_at: float = float("-inf")
    """When the minute's share is whole again."""
    running: int = 0

    def wait_seconds(self, rate: Rate, now: float) -> float:
        """How long until the minute's share allows one more; 0 where it does now."""
        if not rate.per_minute:
            return 0.0
        wait = self.whole_at - now - _MINUTE + _MINUTE / rate.per_minute
        return wait if wait > _ROUNDING else 0.0

    def crowded(self, rate: Rate) -> bool:
        """Whether as many run at once as may."""
        return 0 < rate.at_once <= self.running

    def begin(self, rate: Rate, now: float) -> None:
        """Count one request that begins now and goes on until `end`."""
        self.running += 1
        self.count(rate, now)

    def count(self, rate: Rate, now: float) -> None:
        """Count one request for the minute's share alone."""
        if rate.per_minute:
            self.whole_at = max(self.whole_at, now) + _MINUTE / rate.per_minute

    def end(self) -> None:
        """Count one request that is over."""
        self.running -= 1

    def give_back(self, rate: Rate) -> None:
        """Have one request not count for the minute's share after all."""
        if rate.per_minute:
            self.whole_at -= _MINUTE / rate.per_minute

    def left(self, rate: Rate, now: float) -> int:
        """Requests that the minute's share still allows now."""
        free = _MINUTE - max(0.0, self.whole_at - now)
        return max(0, int((free + _ROUNDING) * rate.per_minute / _MINUTE))

    def idle(self, now: float) -> bool:
        """Whether forgetting this would change nothing."""
        return self.running <= 0 and self.whole_at <= now


class Uses:
    """Uses by name. Idle ones are forgotten, so that memory follows what goes on now."""

    def __init__(self, *, most: int = 100_000) -> None:
        """Beyond `most`, the oldest are forgotten though not idle: memory is bounded in any case.

        Those that run are always kept.
        """
        self._most = most
        self._uses: OrderedDict[str, Use] = OrderedDict()

    def __len__(self) -> int:
        return len(self._uses)

    def of(self, name: str, now: float) -> Use:
        """The use of that name."""
        use = self._uses.get(name)
        if use is None:
            self._forget_old(now)
            use = self._uses[name] = Use()
        return use

    def _forget_old(self, now: float) -> None:
        for _ in range(min(_LOOKED_AT, len(self._uses))):
            name, use = next(iter(self._uses.items()))
            full = len(self._uses) >= self._most
            if use.idle(now) or (full and use.running <= 0):
                del self._uses[name]
            else:
                self._uses.move_to_end(name)


def headers(use: Use, rate: Rate, now: float) -> dict[str, str]:
    """OpenAI's headers that tell a client of a minute's share."""
    return {
        "x-ratelimit-limit-requests": str(rate.per_minute),
        "x-ratelimit-remaining-requests": str(use.left(rate, now)),
        "x-ratelimit-reset-requests": duration(use.whole_at - now),
    }


def duration(seconds: float) -> str:
    """A time as OpenAI's headers put it: `6m0s`, `1s`, `20ms`."""
    if seconds <= 0:
        return "0s"
    if seconds < 1:
        return f"{ceil(seconds * 1000)}ms"
    minutes, rest = divmod(ceil(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
