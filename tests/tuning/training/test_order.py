"""The order of training: complete, repeatable, at random."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tuning.training.order import training_order


@given(st.integers(1, 200), st.integers(1, 4), st.integers(0, 3))
def test_each_epoch_brings_every_example_once(count: int, epochs: int, seed: int) -> None:
    order = training_order(count, epochs=epochs, seed=seed)
    assert order == training_order(count, epochs=epochs, seed=seed)
    for epoch in range(epochs):
        assert sorted(order[epoch * count : (epoch + 1) * count]) == list(range(count))


@given(st.integers(1, 200), st.floats(0.01, 2.99))
def test_some_of_an_epoch_is_some_of_the_examples(count: int, epochs: float) -> None:
    counts = Counter(training_order(count, epochs=epochs, seed=1))
    assert sum(counts.values()) > 0
    assert max(counts.values()) - min(counts.get(at, 0) for at in range(count)) <= 1


def test_each_epoch_and_each_seed_is_another_order() -> None:
    first = training_order(50, epochs=2, seed=1)
    assert first[:50] != first[50:]
    assert first != training_order(50, epochs=2, seed=2)
