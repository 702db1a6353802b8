"""Rows whose neighbours vote for another label than theirs, and how sure those are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.label_noise import disagreement, unit, word_vectors


def clouds(number: int, of_each: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around as many directions as there are labels, and the labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(number), of_each)
    centres = np.eye(number, 8)[labels]
    vectors = centres + rng.normal(0, 0.05, (len(labels), 8))
    return unit(vectors.astype(np.float32)), labels


def test_a_row_among_others_of_another_label_is_outvoted_by_them() -> None:
    vectors, labels = clouds(3, 10)
    labels[4] = 2
    found = disagreement(vectors, labels)
    assert np.flatnonzero(found.score).tolist() == [4]
    assert found.expected[4] == 0
    assert found.score[4] > 0.8
    assert labels[found.shown_by[4]] == 0
    assert found.voters[4] == 9


def test_where_all_agree_nobody_is_outvoted() -> None:
    vectors, labels = clouds(4, 8)
    found = disagreement(vectors, labels)
    assert not found.score.any()
    assert (found.expected == labels).all()
    assert (found.shown_by == -1).all()


def test_labels_that_are_hard_to_tell_apart_are_not_all_doubted() -> None:
    vectors, _ = clouds(1, 40)
    labels = np.arange(40) % 2
    mixed = disagreement(vectors, labels, neighbours=10)
    assert (mixed.score > 0.5).mean() < 0.15


@pytest.mark.parametrize("rows", [0, 1])
def test_nobody_disagrees_with_whom_nobody_is_beside(rows: int) -> None:
    found = disagreement(np.ones((rows, 2), np.float32), np.zeros(rows, np.int64))
    assert found.score.tolist() == [0.0] * rows
    assert found.neighbours == 0


@settings(max_examples=15)
@given(st.integers(0, 5), st.integers(0, 29))
def test_scores_are_shares_and_the_order_of_rows_changes_nothing(seed: int, wrong: int) -> None:
    vectors, labels = clouds(3, 10, seed=seed)
    labels[wrong] = (labels[wrong] + 1) % 3
    found = disagreement(vectors, labels)
    assert (np.abs(found.score) <= 1 + 1e-9).all()
    order = np.random.default_rng(seed).permutation(len(labels))
    shuffled = disagreement(vectors[order], labels[order])
    assert np.allclose(found.score[order], shuffled.score, atol=1e-6)
    assert (found.expected[order] == shuffled.expected).all()


def test_texts_of_the_same_words_are_alike_and_the_same_every_time() -> None:
    texts = ["Where is my card?", "Where's my card", "I forgot my PIN", "PIN forgotten!"]
    vectors = word_vectors(texts)
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]
    assert (vectors == word_vectors(texts)).all()


@pytest.mark.parametrize("texts", [["🙂", "🙃"], ["", ""], ["a"], ["same", "same"]])
def test_texts_with_nothing_to_compare_have_vectors_too(texts: list[str]) -> None:
    vectors = word_vectors(texts)
    assert len(vectors) == len(texts)
    assert np.isfinite(vectors).all()
