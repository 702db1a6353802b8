"""How often methods may be called: Slack's tiers, and about a message per second and channel."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.outbox.token_bucket import TokenBucket
from bot.standin.methods.call import Call, Method
from bot.standin.refusal import Refused

_POST_BURST = 4.0
_READING = ("conversations.history", "conversations.replies")
_POSTING = ("chat.postMessage",)


@dataclass(slots=True)
class RateLimits:
    """Counts calls. `messages_per_second` is 1 at Slack; all other limits grow with it.

    `refused_share` of all calls is refused without need, to see how an app bears it.
    """

    messages_per_second: float
    clock: Callable[[], float]
    refused_share: float = 0.0
    histories_a_minute: float | None = None
    chance: random.Random = field(default_factory=random.Random)
    _buckets: dict[tuple[str, str, str], TokenBucket] = field(default_factory=dict)

    def check(self, name: str, method: Method, call: Call) -> None:
        """Count a call.

        Raises:
            Refused: it is one too many.
        """
        if self.refused_share and self.chance.random() < self.refused_share:
            raise Refused("ratelimited", retry_after=1)
        bucket = self._bucket(name, method, call)
        if bucket is not None and not bucket.take():
            raise Refused("ratelimited", retry_after=max(1, math.ceil(bucket.wait_seconds())))

    def _bucket(self, name: str, method: Method, call: Call) -> TokenBucket | None:
        """The bucket of a method in a workspace; messages have one for each channel."""
        rate = self.messages_per_second
        if name in _POSTING:
            named = str(call.given.get("channel") or "")
            where = call.workspace.find_channel(named) or named
            per_second, burst = rate, max(_POST_BURST, rate)
        elif name in _READING and self.histories_a_minute is not None:
            per_second, where = self.histories_a_minute / 60, ""
            burst = max(1.0, self.histories_a_minute)
        elif method.a_minute:
            where, a_minute = "", method.a_minute * rate
            per_second, burst = a_minute / 60, max(1.0, a_minute)
        else:
            return None
        key = (name, call.workspace.team, where)
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(per_second=per_second, burst=burst, clock=self.clock)
        return self._buckets[key]
