"""Metrics: what the scores of many cases say together, each with its uncertainty.

Three kinds: a share or a mean of per-case values over some of the cases, and an aggregate that
only exists for all of them together (F1). Where a metric is undefined it is None with a sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from sklearn.metrics import f1_score

from evaluation.intervals import Estimate, Sampling, bootstrap, wilson
from evaluation.table import Booleans, Floats, Integers, ScoreTable


class Direction(StrEnum):
    """Which way is good."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


Undefined = Callable[[ScoreTable], str | None]
"""The sentence why a metric doesn't exist for these cases, or None where it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What all metrics have."""

    name: str
    label: str
    direction: Direction
    undefined: Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMetric(Metric):
    """The mean of a value over the cases that it concerns (its population)."""

    population: Callable[[ScoreTable], Booleans]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(CaseMetric):
    """The share of cases for which something is so.

    `fixed_population` says that the answers don't change whom it concerns, so that two versions
    can be compared case by case.
    """

    holds: Callable[[ScoreTable], Booleans]
    fixed_population: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(CaseMetric):
    """The mean of a number over a fixed population."""

    values: Callable[[ScoreTable], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Metric):
    """A figure of all cases together; `drawn` is the same for many draws of rows at once."""

    point: Callable[[ScoreTable], float]
    drawn: Callable[[ScoreTable, Integers], Floats]


def measure(metric: Metric, table: ScoreTable, sampling: Sampling) -> Estimate:
    """A metric with its interval: Wilson's for a share, BCa bootstrap over cases otherwise."""
    reason = metric.undefined(table)
    if reason is not None:
        return Estimate(None, note=reason)
    match metric:
        case Share():
            holds = metric.holds(table)[metric.population(table)]
            successes, cases = int(holds.sum()), len(holds)
            low, high = wilson(successes, cases, confidence=sampling.confidence)
            return Estimate(successes / cases, low, high, cases)
        case Mean():
            values = metric.values(table)[metric.population(table)]
            interval = bootstrap(lambda rows: values[rows].mean(axis=-1), len(values), sampling)
            return with_interval(float(values.mean()), interval, cases=len(values))
        case Aggregate():
            interval = bootstrap(lambda rows: metric.drawn(table, rows), len(table), sampling)
            return with_interval(metric.point(table), interval, cases=len(table))
    raise TypeError(f"unknown kind of metric: {metric}")


def with_interval(value: float, interval: tuple[float, float] | None, *, cases: int) -> Estimate:
    """An estimate whose bootstrap may have had nothing to vary."""
    if interval is None:
        note = "Every draw of these cases gives the same value, so it has no interval."
        return Estimate(value, cases=cases, note=note)
    return Estimate(value, *interval, cases=cases)


# When a metric is undefined


def _no_cases(table: ScoreTable) -> str | None:
    return None if len(table) else "There are no cases."


def _nobody_needs_a_person(table: ScoreTable) -> str | None:
    if table.should_escalate.any():
        return None
    return "No case needs a person, so there is no handoff to be missed."


def _all_need_a_person(table: ScoreTable) -> str | None:
    return "Every case needs a person, so no answer could be right." if _all(table) else None


def _all(table: ScoreTable) -> bool:
    return bool(table.should_escalate.all())


def _one_class(table: ScoreTable) -> str | None:
    if len(set(table.should_escalate.tolist())) > 1:
        return None
    which = "Every" if _all(table) else "No"
    return f"{which} case needs a person: handing over can't be told from not doing so."


def _nothing_escalated(table: ScoreTable) -> str | None:
    return None if table.escalated.any() else "Nothing was handed over, so nothing was in vain."


def _no_topics(table: ScoreTable) -> str | None:
    if (table.true_topic < 0).all():
        return "No case names a topic."
    known = table.true_topic[_answered_with_topic(table)]
    if len(known) == 0:
        return "Every case with a topic was handed over, so no answer has one."
    if len(set(known.tolist())) == 1:
        return "All answers are to cases of one topic: there is nothing to confuse."
    return None


def _first(*reasons: Undefined) -> Undefined:
    return lambda table: next((said for reason in reasons if (said := reason(table))), None)


# Whom metrics concern, and their values


def _everyone(table: ScoreTable) -> Booleans:
    return np.ones(len(table), dtype=bool)


def _answerable(table: ScoreTable) -> Booleans:
    return ~table.should_escalate


def _answered_with_topic(table: ScoreTable) -> Booleans:
    return ~table.escalated & (table.true_topic >= 0)


def _f1_point(table: ScoreTable) -> float:
    return float(f1_score(table.should_escalate, table.escalated, zero_division=0))


def _f1_drawn(table: ScoreTable, rows: Integers) -> Floats:
    should, escalated = table.should_escalate[rows], table.escalated[rows]
    both = (should & escalated).sum(axis=-1)
    return _ratio(2 * both, should.sum(axis=-1) + escalated.sum(axis=-1))


def _topic_f1_point(table: ScoreTable) -> float:
    asked = table.take(_answered_with_topic(table))
    labels = np.unique(asked.true_topic)
    return float(
        f1_score(
            asked.true_topic, asked.answer_topic, labels=labels, average="macro", zero_division=0
        )
    )


def _topic_f1_drawn(table: ScoreTable, rows: Integers) -> Floats:
    """Macro-F1 over the topics that each draw has answers to."""
    true, answered = table.true_topic[rows], table.answer_topic[rows]
    counted = _answered_with_topic(table)[rows]
    count = len(table.topics)
    hits = _tally(true, counted & (true == answered), count)
    asked = _tally(true, counted, count)
    given = _tally(answered, counted & (answered >= 0), count)
    per_topic = _ratio(2 * hits, asked + given)
    return _ratio(np.where(asked > 0, per_topic, 0).sum(axis=-1), (asked > 0).sum(axis=-1))


def _tally(topics: Integers, counted: Booleans, count: int) -> Integers:
    """How often each topic is counted in each draw: shape (..., rows) to (..., count)."""
    draws = topics.shape[:-1]
    number = np.arange(int(np.prod(draws, dtype=int))).reshape((*draws, 1))
    places = (number * count + topics)[counted]
    return np.bincount(places, minlength=number.size * count).reshape((*draws, count))


def _ratio(above: Floats | Integers, below: Floats | Integers) -> Floats:
    """Elementwise quotient, 0 where there is nothing to divide by."""
    return np.asarray(above / np.where(below == 0, 1, below), dtype=float)


NOT_SERVED_RIGHT = Share(
    name="not_served_right",
    label="Customers not served right",
    direction=Direction.LOWER,
    undefined=_no_cases,
    population=_everyone,
    holds=lambda table: table.not_served_right,
)

METRICS: tuple[Metric, ...] = (
    NOT_SERVED_RIGHT,
    Share(
        name="right_answer_rate",
        label="Right answers, where no person is needed",
        direction=Direction.HIGHER,
        undefined=_first(_no_cases, _all_need_a_person),
        population=_answerable,
        holds=lambda table: table.right & ~table.escalated,
    ),
    Mean(
        name="answer_token_f1",
        label="Answer token-F1, where no person is needed (handed over: 0)",
        direction=Direction.HIGHER,
        undefined=_first(_no_cases, _all_need_a_person),
        population=_answerable,
        values=lambda table: np.where(table.escalated, 0.0, table.token_f1),
    ),
    Share(
        name="escalation_rate",
        label="Handed over",
        direction=Direction.NEITHER,
        undefined=_no_cases,
        population=_everyone,
        holds=lambda table: table.escalated,
    ),
    Share(
        name="escalation_precision",
        label="Handed over rightly, of those handed over",
        direction=Direction.HIGHER,
        undefined=_first(_no_cases, _one_class, _nothing_escalated),
        population=lambda table: table.escalated,
        holds=lambda table: table.should_escalate,
        fixed_population=False,
    ),
    Share(
        name="escalation_recall",
        label="Handed over, of those who need a person",
        direction=Direction.HIGHER,
        undefined=_first(_no_cases, _nobody_needs_a_person),
        population=lambda table: table.should_escalate,
        holds=lambda table: table.escalated,
    ),
    Aggregate(
        name="escalation_f1",
        label="Escalation F1",
        direction=Direction.HIGHER,
        undefined=_first(_no_cases, _one_class),
        point=_f1_point,
        drawn=_f1_drawn,
    ),
    Aggregate(
        name="topic_macro_f1",
        label="Topic macro-F1 of the answers given",
        direction=Direction.HIGHER,
        undefined=_first(_no_cases, _no_topics),
        point=_topic_f1_point,
        drawn=_topic_f1_drawn,
    ),
)
