"""Plain numbers counted on the path of answers. Knows nothing of how they are shown.

prometheus_client's own counters take a lock each time: several of them would cost an answer more
than the rest of its bookkeeping. All that counts here runs in the event loop's thread, so that
plain numbers are enough.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Upper bounds of times, from a fast answer's 1 ms to a patient customer's minute."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 500)
"""Upper bounds of group sizes."""

MOST_LABELS = 500
"""How many label values (or combinations) one metric may have before new ones are lumped."""

OTHER = "other"
"""What new ones are lumped under."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Distribution:
    """How often values fell under which bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        """Nothing seen yet; values above the last bound are counted too."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value; one that equals a bound falls under it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[float, int]]:
        """How many values were at most each bound; the last is infinite and counts all."""
        found, seen = [], 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            found.append((bound, seen))
        return found


class AnswerTally:
    """What is counted of one version's answers in one arm."""

    __slots__ = (
        "completion_tokens", "duration", "first_token", "prompt_tokens", "reasons", "statuses",
    )  # fmt: skip

    def __init__(self) -> None:
        self.statuses: dict[str, int] = {}
        self.reasons: dict[str, int] = {}
        self.first_token = Distribution()
        self.duration = Distribution()
        self.prompt_tokens = 0
        self.completion_tokens = 0


class RouteTally:
    """What is counted of one route's requests."""

    __slots__ = ("duration", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.duration = Distribution()


def child(children: dict[Key, Value], key: Key, *, other: Key, make: Callable[[], Value]) -> Value:
    """The tally of a key, made if need be; that of `other` once there are too many keys."""
    found = children.get(key)
    if found is None:
        if len(children) >= MOST_LABELS:
            key = other
        found = children.setdefault(key, make())
    return found


def count(counts: dict[str, int], word: str) -> None:
    """One more of a word; of "other" once there are too many words."""
    if word not in counts and len(counts) >= MOST_LABELS:
        word = OTHER
    counts[word] = counts.get(word, 0) + 1
