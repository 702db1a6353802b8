"""Whether another trial fits, by those that ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.search.estimate import (
    MOST_TRIALS,
    Took,
    expected_trials,
    is_worth_beginning,
    overhead,
    training_limit,
)

WHOLE = Took(110, 100, whole=True)


@pytest.mark.parametrize(("left", "begins"), [(200, True), (86, True), (84, False), (0, False)])
def test_another_begins_where_most_of_one_fits(left: float, *, begins: bool) -> None:
    assert is_worth_beginning([WHOLE], left=left, budget=1000) is begins


def test_the_first_always_begins_and_none_after_one_that_was_cut() -> None:
    assert is_worth_beginning([], left=1, budget=1000)
    cut = Took(900, 800, whole=False)
    assert not is_worth_beginning([cut], left=500, budget=1000)


def test_there_is_an_end_to_them() -> None:
    assert not is_worth_beginning([Took(0.01, 0.01, whole=True)] * MOST_TRIALS, left=99, budget=100)


@pytest.mark.parametrize(
    ("ended", "left", "expected"),
    [
        ([], 500, None),
        ([WHOLE], 450, 5),
        ([WHOLE, Took(10, 10, whole=False)], 130, 4),
        ([WHOLE], 0, 1),
    ],
)
def test_how_many_there_will_be_is_told_from_what_they_took(
    ended: list[Took], left: float, expected: int | None
) -> None:
    assert expected_trials(ended, left=left, budget=1000) == expected


@given(
    st.lists(st.builds(Took, st.floats(10, 100), st.floats(1, 10), whole=st.booleans())),
    st.floats(60, 10_000),
)
def test_a_training_never_gets_more_than_is_left(took: list[Took], left: float) -> None:
    assert training_limit(took, left=left, budget=left) <= left
    assert overhead(took, budget=left) >= 0
