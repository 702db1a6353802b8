"""Replay keeps to its share; test cases are refused on contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import LeakedCases
from records.states import ExampleSource
from tests.tuning.build import example
from tuning.dataset.leaks import keep_cases_out
from tuning.dataset.replay import mix
from tuning.training.recipe import OnLeak


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 0.95), st.integers(0, 60))
def test_replay_keeps_to_share_and_limit(
    corrections: int, accepted: int, share: float, limit: int
) -> None:
    step = mix(
        [example(n) for n in range(corrections)]
        + [example(100 + n, source=ExampleSource.ACCEPTED) for n in range(accepted)],
        share=share,
        limit=limit,
    )
    replayed = sum(e.is_replay for e in step.kept)
    assert len(step.kept) - replayed == corrections
    assert replayed <= min(limit, accepted)
    assert replayed <= share * len(step.kept) + 1
    assert len(step.kept) + len(step.dropped) == corrections + accepted


def test_a_share_of_nothing_is_training_on_corrections_alone() -> None:
    step = mix([example(1), example(2, source=ExampleSource.ACCEPTED)], share=0, limit=100)
    assert [e.id for e in step.kept] == ["ex_00001"]


def test_a_correction_that_is_a_test_case_refuses_the_run_and_says_where() -> None:
    leaked = example(3, asked="How much?")
    lines = {leaked.prompt_key: 17}
    with pytest.raises(LeakedCases, match=r"1 approved example.*line 17.*ex_00003.*on_leak=drop"):
        keep_cases_out([example(1), leaked], lines, on_leak=OnLeak.REFUSE)


def test_it_can_be_left_out_instead() -> None:
    leaked = example(3, asked="how MUCH")
    lines = {example(9, asked="How much?").prompt_key: 1}
    step = keep_cases_out([example(1), leaked], lines, on_leak=OnLeak.DROP)
    assert [e.id for e in step.kept] == ["ex_00001"]


def test_an_accepted_answer_to_a_test_case_is_left_out_without_ado() -> None:
    accepted = example(3, source=ExampleSource.ACCEPTED)
    step = keep_cases_out([example(1), accepted], {accepted.prompt_key: 2}, on_leak=OnLeak.REFUSE)
    assert step.dropped == [accepted]
