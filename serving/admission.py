"""Whether a request is let in: this process's room, the key's share and the customer's share.

All of it is this process's own knowledge: each gateway process counts for itself. Nothing here
waits: a request is let in at once or refused at once, before anything of it is queued.
"""

import time
from collections.abc import Callable
from math import ceil
from types import TracebackType

from records.errors import Overloaded, RateLimited
from serving.access import Caller
from serving.limits import Rate, Use, Uses, headers

Clock = Callable[[], float]


class Pass:
    """A request that was let in: `with admission.admit(...) as entry`, or `release` it."""

    __slots__ = ("_admission", "_customer", "_key", "_shares")

    def __init__(
        self,
        admission: "Admission",
        key: Use | None,
        customer: Use | None,
        shares: tuple[tuple[Use, Rate], ...],
    ) -> None:
        self._admission: Admission | None = admission
        self._key, self._customer = key, customer
        self._shares = shares

    @property
    def headers(self) -> dict[str, str]:
        """What the client is told of its share, the scarcer one of two; nothing where all is free.

        To be read before the pass is released.
        """
        if self._admission is None or not self._shares:
            return {}
        now = self._admission.now()
        use, rate = min(self._shares, key=lambda share: share[0].left(share[1], now))
        return headers(use, rate, now)

    def release(self) -> None:
        """Say that the request is over. Saying so again changes nothing."""
        if self._admission is None:
            return
        for use in (self._key, self._customer):
            if use is not None:
                use.end()
        self._admission.end()
        self._admission = None

    def __enter__(self) -> "Pass":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class Admission:
    """Lets requests in. One for a process; to be used from its event loop only."""

    def __init__(
        self,
        *,
        customer: Rate,
        most: int,
        most_per_engine: int,
        engines: Callable[[], int],
        clock: Clock = time.monotonic,
    ) -> None:
        """Let at most `most` requests be at work at once, and no more than the engines can take.

        Args:
            customer: what each customer may ask; what a key may ask is the key's own affair.
            most: requests at once in this process.
            most_per_engine: requests at once for each engine, those that wait there included.
            engines: how many engines are healthy now.
            clock: seconds that never jump.
        """
        self._customer_rate = customer
        self._most, self._most_per_engine = most, most_per_engine
        self._engines = engines
        self.now = clock
        self._running = 0
        self._keys = Uses()
        self._customers = Uses()

    @property
    def running(self) -> int:
        """Requests that are at work."""
        return self._running

    def admit(self, caller: Caller, customer: str | None) -> Pass:
        """Let a request in that `caller` sends for `customer`.

        Raises:
            Overloaded: as many are at work as can be.
            RateLimited: the key or the customer has used up its share.
        """
        self._require_room()
        now = self.now()
        key = _within(self._keys, caller.id, caller.rate, now, whose="API key")
        theirs = None
        if customer is not None:
            theirs = _within(self._customers, customer, self._customer_rate, now, whose="customer")
        shares: tuple[tuple[Use, Rate], ...] = ()
        for use, rate in ((key, caller.rate), (theirs, self._customer_rate)):
            if use is not None:
                use.begin(rate, now)
                if rate.per_minute:
                    shares = (*shares, (use, rate))
        self._running += 1
        return Pass(self, key, theirs, shares)

    def end(self) -> None:
        """Count a request that is over; its pass says so."""
        self._running -= 1

    def _require_room(self) -> None:
        if self._running < self._most and (
            self._running < self._most_per_engine * max(1, self._engines())
        ):
            return
        raise Overloaded(f"{self._running} chat requests are being answered.")


def _within(uses: Uses, name: str, rate: Rate, now: float, *, whose: str) -> Use | None:
    """The use of a share that allows one more request; None where there is no limit."""
    if not rate.limited:
        return None
    use = uses.of(name, now)
    wait = use.wait_seconds(rate, now)
    if wait:
        raise RateLimited(
            f"Too many requests of this {whose}: {rate.per_minute} a minute are allowed. "
            f"Try again in {ceil(wait)} s.",
            retry_after_seconds=wait,
            headers=headers(use, rate, now),
        )
    if use.crowded(rate):
        raise RateLimited(
            f"Too many requests of this {whose} at once: {rate.at_once} are allowed. "
            "Try again when one of them is answered.",
            retry_after_seconds=1,
            headers=headers(use, rate, now) if rate.per_minute else None,
        )
    return use
