"""Two versions on the same cases, counted: what was broken, what was fixed, and how sure that is.

The bounds are Tango's score interval for a difference of paired proportions (Statistics in
Medicine 17, 1998, 891-908), which no kept library has. A bootstrap would call "no case changed
among fifty" a difference of exactly 0 plus or minus 0; this one says "under 5 points".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

_STEPS = 50
_MOST_TIMES_MORE = 4096.0


@dataclass(frozen=True, slots=True)
class Pairs:
    """Cases by what became of them from champion to challenger; `cases` counts all of them."""

    cases: int
    still_bad: int
    fixed: int
    """Bad with the champion, good with the challenger."""
    broken: int
    """Good with the champion, bad with the challenger."""

    def __post_init__(self) -> None:
        """Refuse counts that can't be."""
        if min(self.still_bad, self.fixed, self.broken) < 0 or self.changed_or_bad > self.cases:
            raise ValueError(f"impossible counts: {self}")

    @property
    def changed_or_bad(self) -> int:
        """Cases that are bad with either version."""
        return self.still_bad + self.fixed + self.broken

    @property
    def champion_rate(self) -> float:
        """Share of bad cases with the champion (needs at least one case)."""
        return (self.still_bad + self.fixed) / self.cases

    @property
    def challenger_rate(self) -> float:
        """Share of bad cases with the challenger (needs at least one case)."""
        return (self.still_bad + self.broken) / self.cases

    @property
    def loss(self) -> float:
        """Challenger's rate less champion's: above 0 the challenger is worse."""
        return (self.broken - self.fixed) / self.cases

    def loss_bounds(self, *, tail: float) -> tuple[float, float]:
        """Bounds of the loss, each of which is wrong with probability `tail` (.05: one-sided 95 %).

        Without a case the loss may be anything: (-1, 1).
        """
        return score_bounds(self.broken, self.fixed, self.cases, tail=tail)

    def p_value(self) -> float:
        """Exact two-sided McNemar test of "nothing changed for better or worse"."""
        from statsmodels.stats.contingency_tables import mcnemar

        table = [[0, self.broken], [self.fixed, 0]]
        return min(1.0, float(mcnemar(table, exact=True).pvalue))


def score_bounds(broken: float, fixed: float, cases: float, *, tail: float) -> tuple[float, float]:
    """Tango's bounds of `(broken - fixed) / cases`; counts may be fractions (to plan with)."""
    if cases <= 0:
        return -1.0, 1.0
    z = NormalDist().inv_cdf(1 - tail)

    def too_low(loss: float, wanted: float) -> bool:
        return _statistic(loss, broken, fixed, cases) > wanted

    return _boundary(lambda loss: too_low(loss, z)), _boundary(lambda loss: too_low(loss, -z))


def _statistic(loss: float, broken: float, fixed: float, cases: float) -> float:
    """How many standard errors the counts lie above a supposed loss; falls as that rises."""
    a = 2 * cases
    b = -broken - fixed + (2 * cases - broken + fixed) * loss
    c = -fixed * loss * (1 - loss)
    share_fixed = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = cases * (2 * share_fixed + loss * (1 - loss))
    distance = broken - fixed - cases * loss
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def _boundary(below: Callable[[float], bool]) -> float:
    low, high = -1.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def cases_needed(pairs: Pairs, *, tail: float, below: float) -> int | None:
    """How many cases would bring the upper bound of the loss under `below`, at the same rates.

    None where no reasonable number would (the loss as measured is not below it, or nearly so).
    """
    if pairs.cases == 0 or pairs.loss >= below:
        return None

    def settled(times: float) -> bool:
        counts = pairs.broken * times, pairs.fixed * times, pairs.cases * times
        return score_bounds(*counts, tail=tail)[1] < below

    low, high = 1.0, 2.0
    while not settled(high):
        low, high = high, high * 2
        if high > _MOST_TIMES_MORE:
            return None
    for _ in range(_STEPS // 2):
        middle = (low + high) / 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return math.ceil(pairs.cases * high)
