"""The learning rate over a phase: up, whole, and down as the recipe says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.training.recipe import Scheduler
from tuning.training.schedule import share_of_learning_rate


@given(st.integers(1, 300), st.floats(0, 0.9), st.sampled_from(list(Scheduler)))
def test_every_step_has_some_of_it_and_none_more_than_all(
    steps: int, warmup: float, scheduler: Scheduler
) -> None:
    shares = [
        share_of_learning_rate(step, steps, scheduler=scheduler, warmup_ratio=warmup)
        for step in range(steps)
    ]
    assert all(0 < share <= 1 for share in shares)
    warming = int(warmup * steps)
    assert shares[:warming] == sorted(shares[:warming])
    assert shares[warming:] == sorted(shares[warming:], reverse=True)


@pytest.mark.parametrize(
    ("scheduler", "share"), [("linear", 0.5), ("cosine", 0.5), ("constant_with_warmup", 1.0)]
)
def test_half_way(scheduler: str, share: float) -> None:
    found = share_of_learning_rate(50, 100, scheduler=Scheduler(scheduler), warmup_ratio=0)
    assert found == pytest.approx(share)
