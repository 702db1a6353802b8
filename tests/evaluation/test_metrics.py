"""Every metric against hand-computed figures, scikit-learn, scipy, and degenerate input."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics

from evaluation.intervals import Estimate, bootstrap
from evaluation.metrics import METRICS, Aggregate, measure
from evaluation.table import ScoreTable
from tests.evaluation.build import sampling, table

BY_NAME = {metric.name: metric for metric in METRICS}


def value(name: str, scores: ScoreTable) -> float | None:
    return measure(BY_NAME[name], scores, sampling()).value


def all_measured(scores: ScoreTable) -> dict[str, Estimate]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {metric.name: measure(metric, scores, sampling()) for metric in METRICS}


HAND = table(
    should_escalate=[1, 1, 1, 0, 0, 0, 0, 0],
    escalated=[1, 1, 0, 1, 0, 0, 0, 0],
    right=[0, 0, 0, 0, 1, 1, 0, 1],
    token_f1=[0.1, 0.1, 0.2, 0.9, 1.0, 0.8, 0.4, 1.0],
    true_topic=[0, 0, 0, 1, 0, 0, 1, 1],
    answer_topic=[-1, -1, 1, -1, 0, 0, -1, 1],
)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("not_served_right", 3 / 8),  # one kept, one handed over in vain, one wrong
        ("right_answer_rate", 3 / 5),
        ("answer_token_f1", (0 + 1.0 + 0.8 + 0.4 + 1.0) / 5),
        ("escalation_rate", 3 / 8),
        ("escalation_precision", 2 / 3),
        ("escalation_recall", 2 / 3),
        ("escalation_f1", 2 / 3),
        # topic 0: 2 of 3 found, nothing else taken for it: .8; topic 1: 1 hit, 2 asked, 2 given
        ("topic_macro_f1", (0.8 + 0.5) / 2),
    ],
)
def test_metrics_by_hand(name: str, wanted: float) -> None:
    assert value(name, HAND) == pytest.approx(wanted)


rows = st.lists(
    st.tuples(
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.floats(0, 1),
        st.integers(-1, 3),
        st.integers(-1, 3),
    ),
    min_size=1,
    max_size=40,
)


def from_rows(drawn: list[tuple[Any, ...]]) -> ScoreTable:
    names = ("should_escalate", "escalated", "right", "token_f1", "true_topic", "answer_topic")
    return table(**dict(zip(names, zip(*drawn, strict=True), strict=True)))


@given(rows)
@settings(max_examples=60, deadline=None)
def test_metrics_equal_scikit_learn(drawn: list[tuple[Any, ...]]) -> None:
    scores = from_rows(drawn)
    should, escalated = scores.should_escalate, scores.escalated
    precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
        should, escalated, average="binary", zero_division=0
    )
    answered = ~escalated & (scores.true_topic >= 0)
    true, given_topic = scores.true_topic[answered], scores.answer_topic[answered]
    wanted = {
        "escalation_precision": precision,
        "escalation_recall": recall,
        "escalation_f1": f1,
        "topic_macro_f1": sklearn_metrics.f1_score(
            true, given_topic, labels=np.unique(true), average="macro", zero_division=0
        )
        if len(true)
        else None,
    }
    for name, expected in wanted.items():
        found = value(name, scores)
        assert found is None or found == pytest.approx(expected), name


@given(rows, st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_drawing_each_row_once_gives_the_point_value(
    drawn: list[tuple[Any, ...]], seed: int
) -> None:
    scores = from_rows(drawn)
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(len(scores)), (3, 1)), axis=1)
    for metric in METRICS:
        if isinstance(metric, Aggregate) and metric.undefined(scores) is None:
            assert metric.drawn(scores, order) == pytest.approx(metric.point(scores))


@given(rows)
@settings(max_examples=40, deadline=None)
def test_a_value_lies_in_its_interval_or_carries_a_note(drawn: list[tuple[Any, ...]]) -> None:
    for estimate in all_measured(from_rows(drawn)).values():
        if estimate.value is None or estimate.low is None:
            assert estimate.note
        else:
            assert estimate.high is not None
            assert 0 <= estimate.low <= estimate.high <= 1
            assert estimate.note is None


def test_no_cases_gives_a_sentence_for_every_metric() -> None:
    empty = HAND.take(np.arange(0))
    for name, estimate in all_measured(empty).items():
        assert (name, estimate) == (name, Estimate(None, note="There are no cases."))


def test_one_class_gives_sentences() -> None:
    nobody = all_measured(table(should_escalate=[0] * 9, escalated=[1, 0, 0] * 3, right=[1] * 9))
    assert nobody["escalation_recall"].value is None
    assert "no handoff to be missed" in str(nobody["escalation_recall"].note)
    assert "No case needs a person" in str(nobody["escalation_precision"].note)
    assert nobody["escalation_f1"].value is None
    everybody = all_measured(table(should_escalate=[1] * 9, escalated=[1, 0, 0] * 3))
    assert everybody["escalation_recall"].value == pytest.approx(1 / 3)
    assert "Every case needs a person" in str(everybody["escalation_f1"].note)
    assert everybody["right_answer_rate"].value is None
    assert everybody["answer_token_f1"].value is None


def test_all_or_nothing_handed_over_gives_sentences() -> None:
    topics = {"true_topic": [0, 1] * 4, "answer_topic": [0, 1] * 4}
    given_up = all_measured(table(should_escalate=[0, 1] * 4, escalated=[1] * 8, **topics))
    assert "handed over" in str(given_up["topic_macro_f1"].note)
    assert given_up["right_answer_rate"].value == 0
    kept = all_measured(table(should_escalate=[0, 1] * 4, escalated=[0] * 8, **topics))
    assert "Nothing was handed over" in str(kept["escalation_precision"].note)
    assert kept["escalation_f1"].value == 0
    assert "so it has no interval" in str(kept["escalation_f1"].note)


def test_one_topic_or_none_gives_a_sentence() -> None:
    one = all_measured(table(escalated=[0] * 4, true_topic=[0] * 4, answer_topic=[0, 0, 0, -1]))
    assert "one topic" in str(one["topic_macro_f1"].note)
    none = all_measured(table(escalated=[0] * 4))
    assert none["topic_macro_f1"].note == "No case names a topic."


def test_one_case_has_no_bootstrap_interval() -> None:
    estimate = all_measured(table(right=[1], token_f1=[0.9]))["answer_token_f1"]
    assert (estimate.value, estimate.low) == (0.9, None)
    assert estimate.note


def test_shares_have_wilson_intervals() -> None:
    # Wilson for 3 of 8, by the formula
    z = stats.norm.ppf(0.975)
    centre = (3 + z**2 / 2) / (8 + z**2)
    reach = z / (8 + z**2) * np.sqrt(3 * 5 / 8 + z**2 / 4)
    estimate = measure(BY_NAME["not_served_right"], HAND, sampling())
    assert (estimate.low, estimate.high) == pytest.approx((centre - reach, centre + reach))


def test_means_have_the_interval_of_scipys_bootstrap() -> None:
    values = np.random.default_rng(1).random(60)
    ours = bootstrap(lambda drawn: values[drawn].mean(axis=-1), 60, sampling(7, resamples=2000))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=2000, rng=np.random.default_rng(8)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_the_same_seed_gives_the_same_interval() -> None:
    metric = BY_NAME["escalation_f1"]
    assert measure(metric, HAND, sampling(3)) == measure(metric, HAND, sampling(3))
