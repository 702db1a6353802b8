import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from evaluation.comparison import Comparison, MetricComparison, compare, pair, slice_rows
from evaluation.metrics import METRICS, NOT_SERVED_RIGHT, Share
from evaluation.table import ScoreTable
from tests.evaluation.build import case, sampling, table

BEFORE = table(
    should_escalate=[1, 1, 1, 0, 0, 0, 0, 0],
    escalated=[1, 0, 0, 1, 0, 0, 0, 0],
    right=[0, 0, 0, 0, 1, 0, 0, 1],
    token_f1=[0, 0, 0, 0, 1.0, 0.5, 0.2, 1.0],
)
AFTER = table(
    should_escalate=[1, 1, 1, 0, 0, 0, 0, 0],
    escalated=[1, 1, 1, 0, 0, 0, 0, 0],
    right=[0, 0, 0, 1, 1, 1, 0, 0],
    token_f1=[0, 0, 0, 0.9, 1.0, 0.9, 0.2, 0.6],
)


def compared(before: ScoreTable = BEFORE, after: ScoreTable = AFTER) -> Comparison:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return compare(before, after, slices={"half=one": [0, 1, 2, 3]}, sampling=sampling())


def of(name: str, comparison: Comparison) -> MetricComparison:
    return next(entry for entry in comparison.metrics if entry.metric.name == name)


def test_pairs_count_what_was_fixed_and_broken() -> None:
    pairs = compared().pairs
    # bad before: rows 1, 2, 3, 5, 6; bad after: rows 6, 7
    assert (pairs.cases, pairs.still_bad, pairs.fixed, pairs.broken) == (8, 1, 4, 1)
    assert of("not_served_right", compared()).difference.value == pytest.approx(-3 / 8)


def test_a_share_of_which_more_is_better_is_broken_when_it_falls() -> None:
    metric = next(m for m in METRICS if m.name == "right_answer_rate")
    assert isinstance(metric, Share)
    pairs = pair(metric, BEFORE, AFTER)
    assert (pairs.cases, pairs.fixed, pairs.broken) == (5, 2, 1)
    difference = of("right_answer_rate", compared()).difference
    assert difference.value == pytest.approx(1 / 5)
    assert difference.low is not None
    assert difference.low < 1 / 5


def test_differences_are_challenger_less_champion() -> None:
    for entry in compared().metrics:
        if entry.difference.value is not None:
            assert entry.champion.value is not None
            assert entry.challenger.value is not None
            change = entry.challenger.value - entry.champion.value
            assert entry.difference.value == pytest.approx(change), entry.metric.name


def test_slices_are_compared_on_their_own_cases() -> None:
    (entry,) = compared().slices
    assert entry.name == "half=one"
    assert (entry.pairs.cases, entry.pairs.fixed, entry.pairs.broken) == (4, 3, 0)
    assert entry.champion.value == pytest.approx(3 / 4)


def test_every_key_and_value_is_a_slice() -> None:
    cases = [
        case("a", slice={"knowledge": "new"}),
        case("b", slice={"knowledge": "known", "needs_person": "yes"}),
        case("c", slice={}),
    ]
    assert slice_rows(cases) == {
        "knowledge=known": [1],
        "knowledge=new": [0],
        "needs_person=yes": [1],
    }


def test_mcnemar_stands_beside_paired_shares_only() -> None:
    comparison = compared()
    assert of("not_served_right", comparison).p_value == pytest.approx(stats.binomtest(1, 5).pvalue)
    assert of("escalation_precision", comparison).p_value is None
    assert of("answer_token_f1", comparison).p_value is None


def test_means_have_scipys_paired_interval() -> None:
    random = np.random.default_rng(5)
    before, after = random.random(80), random.random(80)
    ours = of(
        "answer_token_f1",
        compare(
            table(token_f1=before),
            table(token_f1=after),
            slices={},
            sampling=sampling(resamples=2000),
        ),
    ).difference
    theirs = stats.bootstrap(
        (before, after),
        lambda a, b, axis: np.mean(b - a, axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=2000,
        rng=np.random.default_rng(6),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_f1_differences_draw_the_same_cases_for_both() -> None:
    """A copy of a version differs from it by nothing, in every draw."""
    entry = of("escalation_f1", compared(BEFORE, BEFORE))
    assert entry.difference.value == 0
    assert entry.difference.low is None
    assert "no interval" in str(entry.difference.note)


def test_the_difference_of_f1_is_scikit_learns() -> None:
    wanted = f1_score(AFTER.should_escalate, AFTER.escalated) - f1_score(
        BEFORE.should_escalate, BEFORE.escalated
    )
    assert of("escalation_f1", compared()).difference.value == pytest.approx(wanted)


def test_an_undefined_side_leaves_the_difference_undefined_with_its_sentence() -> None:
    kept = table(should_escalate=[0, 1] * 4, escalated=[0] * 8)
    handing = table(should_escalate=[0, 1] * 4, escalated=[0, 1] * 4)
    entry = of("escalation_precision", compared(kept, handing))
    assert entry.difference.value is None
    assert "Nothing was handed over" in str(entry.difference.note)


def test_no_cases_compare_to_sentences() -> None:
    nothing = BEFORE.take(np.arange(0))
    comparison = compare(nothing, nothing, slices={}, sampling=sampling())
    assert comparison.pairs.cases == 0
    assert {entry.difference.note for entry in comparison.metrics} == {"There are no cases."}


def test_different_cases_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different cases"):
        compare(BEFORE, AFTER.take(np.arange(4)), slices={}, sampling=sampling())


def test_paired_intervals_cover_the_true_difference() -> None:
    """A small simulation: 95 % intervals of a mean and of an F1, 100 draws of 120 cases each."""
    random = np.random.default_rng(11)
    population = 40_000
    should = random.random(population) < 0.3
    first = random.random(population) < np.where(should, 0.7, 0.1)
    second = np.where(random.random(population) < 0.7, first, should)
    quality = random.beta(4, 2, population)
    better = np.clip(quality + random.normal(0.05, 0.2, population), 0, 1)
    truth = {
        "escalation_f1": f1_score(should, second) - f1_score(should, first),
        "answer_token_f1": np.where(second, 0, better)[~should].mean()
        - np.where(first, 0, quality)[~should].mean(),
    }
    covered = dict.fromkeys(truth, 0)
    runs = 100
    for run in range(runs):
        rows = random.integers(0, population, 120)
        comparison = compare(
            table(should_escalate=should[rows], escalated=first[rows], token_f1=quality[rows]),
            table(should_escalate=should[rows], escalated=second[rows], token_f1=better[rows]),
            slices={},
            sampling=sampling(run, resamples=300),
        )
        for name, wanted in truth.items():
            interval = of(name, comparison).difference
            assert interval.low is not None
            assert interval.high is not None
            covered[name] += interval.low <= wanted <= interval.high
    for name, count in covered.items():
        assert 0.89 <= count / runs <= 0.99, (name, count / runs)


def test_the_primary_metric_is_binary_and_paired() -> None:
    assert NOT_SERVED_RIGHT.fixed_population
