"""Uncertainty: an estimate with its interval, and the two ways intervals of one come about."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from evaluation.table import Floats, Integers

_INDICES_AT_ONCE = 2_000_000

Statistic = Callable[[Integers], Floats]
"""From drawn row numbers, shape (..., rows), to the statistic of each draw, shape (...)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; what is undefined is None, and `note` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    cases: int = 0
    """Cases that it rests on."""
    note: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """How intervals are drawn: the random source, the confidence, the number of resamples."""

    random: np.random.Generator
    confidence: float = 0.95
    resamples: int = 2000


def wilson(successes: int, cases: int, *, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion of at least one case."""
    low, high = proportion_confint(successes, cases, alpha=1 - confidence, method="wilson")
    share = successes / cases  # rounding may put a bound a hair on its wrong side
    return max(0.0, min(float(low), share)), min(1.0, max(float(high), share))


def bootstrap(statistic: Statistic, rows: int, sampling: Sampling) -> tuple[float, float] | None:
    """Bias-corrected and accelerated (BCa) interval over draws of rows with replacement.

    None where it is undefined: under two rows, or a statistic that is the same in every draw.
    """
    if rows < 2:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # degenerate data gives NaN, which is answered below
        interval = stats.bootstrap(
            (np.arange(rows),),
            lambda drawn, axis=-1: statistic(drawn),  # noqa: ARG005 - scipy's form
            n_resamples=sampling.resamples,
            batch=max(1, _INDICES_AT_ONCE // rows),
            vectorized=True,
            confidence_level=sampling.confidence,
            method="BCa",
            rng=sampling.random,
        ).confidence_interval
    low, high = float(interval.low), float(interval.high)
    return (low, high) if np.isfinite(low) and np.isfinite(high) else None
