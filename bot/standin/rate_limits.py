"""How often methods may be called: Slack's tiers, and about a message per second and channel."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.standin.refusal import Refused
from bot.token_bucket import TokenBucket

_PER_MINUTE = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.list": 20,
    "conversations.info": 50,
    "users.info": 100,
    "views.open": 100,
    "views.update": 100,
    "views.publish": 100,
    "reactions.add": 50,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
}
_POST_BURST = 4.0


@dataclass(slots=True)
class RateLimits:
    """Counts calls. `messages_per_second` is 1 at Slack; all other limits grow with it.

    `refused_share` of all calls is refused without need, to see how an app bears it.
    """

    messages_per_second: float
    clock: Callable[[], float]
    refused_share: float = 0.0
    chance: random.Random = field(default_factory=random.Random)
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)

    def check(self, method: str, channel: str) -> None:
        """Count a call.

        Raises:
            Refused: it is one too many.
        """
        if self.refused_share and self.chance.random() < self.refused_share:
            raise Refused("ratelimited", retry_after=1)
        bucket = self._bucket(method, channel)
        if bucket is not None and not bucket.take():
            raise Refused("ratelimited", retry_after=max(1, math.ceil(bucket.wait_seconds())))

    def _bucket(self, method: str, channel: str) -> TokenBucket | None:
        rate = self.messages_per_second
        if method == "chat.postMessage":
            key, per_second, burst = f"{method}:{channel}", rate, max(_POST_BURST, rate)
        elif method in _PER_MINUTE:
            a_minute = _PER_MINUTE[method] * rate
            key, per_second, burst = method, a_minute / 60, max(1.0, a_minute)
        else:
            return None
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(per_second=per_second, burst=burst, clock=self.clock)
        return self._buckets[key]
