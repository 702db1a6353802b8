"""The order of training: complete, repeatable, alike in length within a batch."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tuning.training.order import training_order

lengths = st.lists(st.integers(1, 300), min_size=1, max_size=200)


@given(lengths, st.integers(1, 4), st.integers(1, 40), st.integers(0, 3))
def test_each_epoch_brings_every_example_once(
    given: list[int], epochs: int, batch: int, seed: int
) -> None:
    order = training_order(given, epochs=epochs, batch_size=batch, seed=seed)
    assert Counter(order) == dict.fromkeys(range(len(given)), epochs)
    assert order == training_order(given, epochs=epochs, batch_size=batch, seed=seed)


@given(lengths, st.floats(0.01, 2.99), st.integers(1, 40))
def test_some_of_an_epoch_is_some_of_the_examples(
    given: list[int], epochs: float, batch: int
) -> None:
    counts = Counter(training_order(given, epochs=epochs, batch_size=batch, seed=1))
    assert sum(counts.values()) > 0
    assert max(counts.values()) - min(counts.get(i, 0) for i in range(len(given))) <= 1


def test_batches_hold_examples_of_like_length() -> None:
    given = [1, 100] * 160
    order = training_order(given, epochs=1, batch_size=16, seed=3)
    padded = sum(16 * max(given[i] for i in order[b : b + 16]) for b in range(0, len(order), 16))
    assert padded < 1.2 * sum(given)


def test_another_seed_is_another_order() -> None:
    one, two = (training_order([5] * 50, epochs=1, batch_size=5, seed=s) for s in (1, 2))
    assert one != two
