"""Shares of keys and customers: never more than allowed, never refused for ever, soon forgotten."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.limits import Rate, Use, Uses, duration, headers

GAPS = st.lists(st.floats(0, 90), max_size=60)
RATES = st.integers(1, 40)


@dataclass
class Asking:
    """One who asks at given times, and what was allowed."""

    rate: Rate
    use: Use = field(default_factory=Use)
    allowed: list[float] = field(default_factory=list)

    def at(self, now: float) -> bool:
        if self.use.wait_seconds(self.rate, now) or self.use.crowded(self.rate):
            return False
        self.use.begin(self.rate, now)
        self.allowed.append(now)
        return True


@given(per_minute=RATES, gaps=GAPS, start=st.floats(0, 1e6))
def test_no_stretch_of_time_sees_more_than_the_share(
    per_minute: int, gaps: list[float], start: float
) -> None:
    asking, now = Asking(Rate(per_minute)), start
    for gap in gaps:
        now += gap
        for _ in range(per_minute // 2 + 1):
            asking.at(now)
    for first, begun in enumerate(asking.allowed):
        for last, ended in enumerate(asking.allowed[first:], start=first):
            most = per_minute * (1 + (ended - begun) / 60)
            assert last - first + 1 <= most + 1e-3


@given(per_minute=RATES, gaps=GAPS)
def test_who_waits_as_long_as_told_is_let_in_and_not_before(
    per_minute: int, gaps: list[float]
) -> None:
    asking, now = Asking(Rate(per_minute)), 0.0
    for gap in gaps:
        now += gap
        while asking.at(now):
            pass
        wait = asking.use.wait_seconds(asking.rate, now)
        assert 0 < wait <= 60 / per_minute + 1e-6
        assert asking.use.wait_seconds(asking.rate, now + wait * 0.99 - 1e-5) > 0
        assert asking.at(now + wait)
        now += wait


@given(per_minute=RATES)
def test_a_whole_share_can_be_used_at_once(per_minute: int) -> None:
    asking = Asking(Rate(per_minute))
    assert [asking.at(5.0) for _ in range(per_minute + 1)] == [True] * per_minute + [False]


@given(at_once=st.integers(1, 5), steps=st.lists(st.booleans(), max_size=60))
def test_no_more_than_allowed_run_at_once(at_once: int, steps: list[bool]) -> None:
    asking, running = Asking(Rate(at_once=at_once)), 0
    for begins in steps:
        if begins:
            assert asking.at(0.0) is (running < at_once)
            running = min(at_once, running + 1)
        elif running:
            asking.use.end()
            running -= 1
        assert asking.use.running == running


@given(per_minute=RATES, gaps=GAPS)
def test_the_headers_say_what_is_left(per_minute: int, gaps: list[float]) -> None:
    asking, now = Asking(Rate(per_minute)), 0.0
    for gap in gaps:
        now += gap
        asking.at(now)
        left = int(headers(asking.use, asking.rate, now)["x-ratelimit-remaining-requests"])
        trial = Asking(asking.rate, Use(asking.use.whole_at))
        assert sum(trial.at(now) for _ in range(per_minute + 1)) == left


def test_no_limit_counts_nothing() -> None:
    asking = Asking(Rate())
    assert all(asking.at(0.0) for _ in range(1_000))
    assert not Rate().limited


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 30)), max_size=300))
def test_forgetting_the_idle_changes_nothing(asked: list[tuple[int, float]]) -> None:
    rate, uses, kept, now = Rate(per_minute=3), Uses(), {}, 0.0
    for name, gap in asked:
        now += gap
        one, other = uses.of(str(name), now), kept.setdefault(name, Use())
        assert (one.wait_seconds(rate, now) > 0) is (other.wait_seconds(rate, now) > 0)
        if not one.wait_seconds(rate, now):
            for use in (one, other):
                use.count(rate, now)


def test_memory_follows_who_asks_now() -> None:
    uses, rate = Uses(), Rate(per_minute=60)
    for number in range(20_000):
        now = number * 0.05  # 20 new customers a second, each done after one second
        uses.of(str(number), now).count(rate, now)
    assert len(uses) < 100


def test_memory_is_bounded_though_nobody_is_idle_and_those_that_run_are_kept() -> None:
    uses, rate = Uses(most=100), Rate(per_minute=1)
    running = uses.of("runs", 0.0)
    running.begin(rate, 0.0)
    for number in range(1_000):
        uses.of(str(number), 0.0).count(rate, 0.0)
    assert len(uses) <= 100
    assert uses.of("runs", 0.0) is running


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0s"), (0, "0s"), (0.0171, "18ms"), (1, "1s"), (59.2, "1m0s"), (360, "6m0s")],
)
def test_times_are_put_as_openai_puts_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
