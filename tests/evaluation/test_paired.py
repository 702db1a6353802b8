"""The score interval and McNemar's test, against scipy, and by enumeration of all outcomes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from evaluation.paired import Pairs, cases_needed, score_bounds

counts = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 200)).map(
    lambda drawn: (drawn[0], drawn[1], drawn[0] + drawn[1] + drawn[2])
)


def pairs(broken: int, fixed: int, cases: int) -> Pairs:
    return Pairs(cases=cases, still_bad=0, fixed=fixed, broken=broken)


def score_statistic(loss: float, broken: int, fixed: int, cases: int) -> float:
    """From the likelihood itself, maximised numerically under the supposed loss."""

    def unlikely(share_fixed: float) -> float:
        shares = np.array([share_fixed + loss, share_fixed, 1 - 2 * share_fixed - loss])
        return -float(
            stats.multinomial.logpmf(
                [broken, fixed, cases - broken - fixed], cases, shares / shares.sum()
            )
        )

    low, high = max(0.0, -loss) + 1e-9, (1 - loss) / 2 - 1e-9
    found = optimize.minimize_scalar(unlikely, bounds=(low, high), method="bounded").x
    variance = cases * (2 * found + loss - loss**2)
    return float((broken - fixed - cases * loss) / np.sqrt(variance))


@pytest.mark.parametrize(("broken", "fixed", "cases"), [(7, 3, 50), (1, 9, 80), (12, 12, 300)])
def test_bounds_are_where_the_score_statistic_reaches_the_normal_quantile(
    broken: int, fixed: int, cases: int
) -> None:
    low, high = score_bounds(broken, fixed, cases, tail=0.05)
    quantile = stats.norm.ppf(0.95)
    assert score_statistic(low, broken, fixed, cases) == pytest.approx(quantile, abs=0.01)
    assert score_statistic(high, broken, fixed, cases) == pytest.approx(-quantile, abs=0.01)


def test_nothing_changed_among_n_leaves_the_loss_that_wilson_leaves_for_none_of_n() -> None:
    z = stats.norm.ppf(0.95)
    assert score_bounds(0, 0, 50, tail=0.05)[1] == pytest.approx(z**2 / (50 + z**2))


def test_without_cases_anything_may_be() -> None:
    assert score_bounds(0, 0, 0, tail=0.05) == (-1, 1)


@given(counts)
def test_bounds_hold_the_measured_loss_and_mirror(drawn: tuple[int, int, int]) -> None:
    broken, fixed, cases = drawn
    low, high = score_bounds(broken, fixed, cases, tail=0.05)
    assert -1 <= low <= (broken - fixed) / cases <= high <= 1
    mirrored = score_bounds(fixed, broken, cases, tail=0.05)
    assert mirrored == pytest.approx((-high, -low))


@given(counts)
def test_one_more_broken_case_never_lowers_a_bound(drawn: tuple[int, int, int]) -> None:
    broken, fixed, cases = drawn
    before = score_bounds(broken, fixed, cases, tail=0.05)
    after = score_bounds(broken + 1, fixed, cases, tail=0.05)
    assert after[0] >= before[0] - 1e-9
    assert after[1] >= before[1] - 1e-9


@pytest.mark.parametrize(("share_broken", "share_fixed"), [(0.05, 0.05), (0.1, 0.02), (0.02, 0.2)])
def test_the_two_sided_interval_covers_the_truth(share_broken: float, share_fixed: float) -> None:
    """Exact: the probability of every outcome of 80 cases, not a sample of them."""
    cases, truth, covered = 80, share_broken - share_fixed, 0.0
    shares = [share_broken, share_fixed, 1 - share_broken - share_fixed]
    for broken, fixed in itertools.product(range(30), range(40)):
        outcome = [broken, fixed, cases - broken - fixed]
        probability = float(stats.multinomial.pmf(outcome, cases, shares))
        if probability > 1e-6:
            low, high = score_bounds(broken, fixed, cases, tail=0.025)
            covered += probability * (low <= truth <= high)
    assert 0.93 <= covered <= 0.97


@given(counts)
def test_p_values_are_the_exact_sign_test(drawn: tuple[int, int, int]) -> None:
    broken, fixed, cases = drawn
    expected = stats.binomtest(broken, broken + fixed).pvalue if broken + fixed else 1.0
    assert pairs(broken, fixed, cases).p_value() == pytest.approx(expected)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="impossible"):
        Pairs(cases=3, still_bad=2, fixed=1, broken=1)


def test_the_cases_needed_are_enough_and_hardly_more_than_enough() -> None:
    measured = pairs(5, 4, 100)
    needed = cases_needed(measured, tail=0.05, below=0.05)
    assert needed is not None

    def bound(cases: float) -> float:
        return score_bounds(0.05 * cases, 0.04 * cases, cases, tail=0.05)[1]

    assert bound(needed) < 0.05 <= bound(0.98 * needed)


def test_no_number_of_cases_shows_what_is_not_so() -> None:
    assert cases_needed(pairs(10, 4, 100), tail=0.05, below=0.05) is None
    assert cases_needed(pairs(0, 0, 0), tail=0.05, below=0.05) is None
    assert cases_needed(pairs(5, 5, 100), tail=0.05, below=0.0) is None
