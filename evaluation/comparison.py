"""Champion against challenger on the same cases: paired differences, overall and per slice.

A difference is always challenger less champion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.cases import Case
from evaluation.intervals import Estimate, Sampling, bootstrap
from evaluation.metrics import (
    METRICS,
    NOT_SERVED_RIGHT,
    Aggregate,
    Direction,
    Mean,
    Metric,
    Share,
    measure,
    with_interval,
)
from evaluation.paired import Pairs
from evaluation.table import Floats, Integers, ScoreTable


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """A metric of both versions and its paired difference; `p_value` is exact McNemar's."""

    metric: Metric
    champion: Estimate
    challenger: Estimate
    difference: Estimate
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class SliceComparison:
    """The primary metric on the cases of one slice, such as `knowledge=new`."""

    name: str
    pairs: Pairs
    champion: Estimate
    challenger: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is compared; `pairs` and `slices` are what the gate judges."""

    pairs: Pairs
    metrics: tuple[MetricComparison, ...]
    slices: tuple[SliceComparison, ...]


def compare(
    champion: ScoreTable,
    challenger: ScoreTable,
    *,
    slices: Mapping[str, Sequence[int]],
    sampling: Sampling,
    primary: Share = NOT_SERVED_RIGHT,
) -> Comparison:
    """Compare two versions whose tables have the same cases in the same order."""
    if len(champion) != len(challenger):
        raise ValueError("the versions answered different cases")
    return Comparison(
        pairs=pair(primary, champion, challenger),
        metrics=tuple(_compare(m, champion, challenger, sampling) for m in METRICS),
        slices=tuple(
            _slice(
                name,
                primary,
                champion.take(np.asarray(rows, dtype=int)),
                challenger.take(np.asarray(rows, dtype=int)),
                sampling,
            )
            for name, rows in slices.items()
        ),
    )


def compare_part(
    name: str,
    champion: ScoreTable,
    challenger: ScoreTable,
    sampling: Sampling,
    *,
    primary: Share = NOT_SERVED_RIGHT,
) -> SliceComparison:
    """Compare two versions on cases of their own, as on a slice."""
    return _slice(name, primary, champion, challenger, sampling)


def slice_rows(cases: Sequence[Case]) -> dict[str, list[int]]:
    """Row numbers of each slice: one for every key and value that some case carries."""
    rows: dict[str, list[int]] = {}
    for row, case in enumerate(cases):
        for key, value in case.slice.items():
            rows.setdefault(f"{key}={value}", []).append(row)
    return dict(sorted(rows.items()))


def pair(metric: Share, champion: ScoreTable, challenger: ScoreTable) -> Pairs:
    """Count a share's cases by what became of them; bad is what the metric's direction says."""
    population = metric.population(champion)
    before, after = metric.holds(champion)[population], metric.holds(challenger)[population]
    if metric.direction is Direction.HIGHER:
        before, after = ~before, ~after
    return Pairs(
        cases=int(population.sum()),
        still_bad=int((before & after).sum()),
        fixed=int((before & ~after).sum()),
        broken=int((~before & after).sum()),
    )


def _slice(
    name: str,
    primary: Share,
    champion: ScoreTable,
    challenger: ScoreTable,
    sampling: Sampling,
) -> SliceComparison:
    compared = _compare(primary, champion, challenger, sampling)
    pairs = pair(primary, champion, challenger)
    return SliceComparison(name, pairs, compared.champion, compared.challenger, compared.difference)


def _compare(
    metric: Metric, champion: ScoreTable, challenger: ScoreTable, sampling: Sampling
) -> MetricComparison:
    before = measure(metric, champion, sampling)
    after = measure(metric, challenger, sampling)
    if before.value is None or after.value is None:
        difference = Estimate(None, note=before.note if before.value is None else after.note)
        return MetricComparison(metric, before, after, difference)
    if isinstance(metric, Share) and metric.fixed_population:
        pairs = pair(metric, champion, challenger)
        difference = _share_difference(metric, pairs, sampling)
        return MetricComparison(metric, before, after, difference, pairs.p_value())
    difference = _resampled_difference(metric, champion, challenger, sampling)
    return MetricComparison(metric, before, after, difference)


def _share_difference(metric: Share, pairs: Pairs, sampling: Sampling) -> Estimate:
    low, high = pairs.loss_bounds(tail=(1 - sampling.confidence) / 2)
    if metric.direction is Direction.HIGHER:  # a loss is a fall then
        return Estimate(-pairs.loss, -high, -low, pairs.cases)
    return Estimate(pairs.loss, low, high, pairs.cases)


def _resampled_difference(
    metric: Metric, champion: ScoreTable, challenger: ScoreTable, sampling: Sampling
) -> Estimate:
    """Draw cases, the same ones for both versions, and see how the difference varies."""
    if isinstance(metric, Mean):
        rows = metric.population(champion)
        change = (metric.values(challenger) - metric.values(champion))[rows]
        interval = bootstrap(lambda drawn: change[drawn].mean(axis=-1), len(change), sampling)
        return with_interval(float(change.mean()), interval, cases=len(change))

    def statistic(drawn: Integers) -> Floats:
        return _drawn(metric, challenger, drawn) - _drawn(metric, champion, drawn)

    everyone = np.arange(len(champion))
    interval = bootstrap(statistic, len(champion), sampling)
    return with_interval(float(statistic(everyone)), interval, cases=len(champion))


def _drawn(metric: Metric, table: ScoreTable, rows: Integers) -> Floats:
    match metric:
        case Aggregate():
            return metric.drawn(table, rows)
        case Share():
            return _drawn_share(metric, table, rows)
    raise TypeError(f"{metric.name} is not compared by resampling")


def _drawn_share(metric: Share, table: ScoreTable, rows: Integers) -> Floats:
    """A share whose population varies with the answers, 0 where a draw has none of it."""
    population, holds = metric.population(table)[rows], metric.holds(table)[rows]
    concerned = population.sum(axis=-1)
    return np.asarray((population & holds).sum(axis=-1) / np.maximum(concerned, 1), dtype=float)
