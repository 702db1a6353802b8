"""Which labels the others disagree with: each row is judged by its nearest neighbours. Pure.

The idea is confident learning's (Northcutt, Jiang, Chuang 2021, arXiv 1911.00068): out-of-sample
probabilities, and a threshold for each class that is its own mean self-confidence, so that classes
which are hard to tell apart are not all doubted. The probabilities are votes of neighbours: a row
has no vote on itself, which is leave-one-out cross-validation without any training.

How much that catches is measured by `benchmarks/tuning/label_noise.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.table import Floats, Integers

Vectors = npt.NDArray[np.float32]

_NEIGHBOURS = 20
_SHARPNESS = 4
"""The power of a cosine that makes it a vote: those that are hardly alike have hardly any."""
_DIMENSIONS = 300
_MOST_SEQUENCES = 50_000
_FEW = 200
_AT_ONCE = 8_000_000
"""Numbers of a block of cosines: 32 MB."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How the neighbours of each row vote; arrays of one entry a row."""

    expected: Integers
    """The label that they vote for: the row's own where they agree, or are not sure enough."""
    score: Floats
    """Their votes for `expected` less those for its own label: -1..1, 0 where they agree."""
    shown_by: Integers
    """The nearest neighbour with that label; -1 where they agree."""
    voters: Integers
    """How many of the neighbours have that label."""
    neighbours: int
    """How many were asked."""


def word_vectors(texts: Sequence[str], *, seed: int = 0) -> Vectors:
    """Texts by their words and groups of letters, as unit vectors in at most 300 dimensions.

    Latent semantic analysis: TF-IDF of words, pairs of words, and three to five letters within
    words, reduced by a truncated SVD. A text without any of them is a zero vector.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.utils.extmath import randomized_svd

    usual = {"sublinear_tf": True, "dtype": np.float32, "min_df": 1 if len(texts) < _FEW else 2}
    kinds = (
        TfidfVectorizer(ngram_range=(1, 2), max_features=_MOST_SEQUENCES, **usual),
        TfidfVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), max_features=_MOST_SEQUENCES, **usual
        ),
    )
    counted = [found for kind in kinds if (found := _fitted(kind, texts)) is not None]
    if not counted:
        return np.zeros((len(texts), 1), np.float32)
    matrix = sparse.hstack(counted).tocsr()
    dimensions = min(_DIMENSIONS, *(size - 1 for size in matrix.shape))
    if dimensions < 1:
        return unit(matrix.toarray())
    left, lengths, _ = randomized_svd(matrix, dimensions, n_iter=2, random_state=seed)
    return unit(np.asarray(left * lengths, np.float32))


def _fitted(kind: Any, texts: Sequence[str]) -> Any:
    try:
        return kind.fit_transform(texts)
    except ValueError:  # none of the texts has such a thing
        return None


def unit(vectors: Vectors) -> Vectors:
    """Rows of length 1; zero rows stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)


def disagreement(
    vectors: Vectors, labels: Integers, *, neighbours: int = _NEIGHBOURS
) -> Disagreement:
    """What the neighbours of each row say of its label.

    Takes time proportional to the square of the rows (about 5 s on one core for 20,000), and memory
    for `neighbours` numbers a row and one block. With fewer than two rows nobody disagrees.

    Args:
        vectors: Unit vectors, shape (rows, dimensions).
        labels: From 0 on, shape (rows,).
        neighbours: How many are asked.
    """
    rows = len(labels)
    if rows < 2:
        return Disagreement(labels, np.zeros(rows), np.full(rows, -1), np.zeros(rows, int), 0)
    nearest, weights = _nearest(vectors, min(neighbours, rows - 1))
    voted = labels[nearest]
    votes = _votes(voted, weights)
    own = np.where(voted == labels[:, None], weights, 0).sum(axis=1)
    return _judged(labels, nearest, voted, votes, own)


def _judged(
    labels: Integers, nearest: Integers, voted: Integers, votes: Floats, own: Floats
) -> Disagreement:
    """Who is outvoted: by a label that has at least its own mean self-confidence."""
    threshold = np.bincount(labels, own) / np.maximum(np.bincount(labels), 1)
    sure = np.where(votes >= threshold[voted], votes, -1.0)
    best = sure.argmax(axis=1)
    rows = np.arange(len(labels))
    expected, winning = voted[rows, best], sure[rows, best]
    outvoted = (expected != labels) & (winning > own)
    return Disagreement(
        expected=np.where(outvoted, expected, labels),
        score=np.where(outvoted, winning - own, 0.0),
        shown_by=np.where(outvoted, nearest[rows, best], -1),
        voters=(voted == expected[:, None]).sum(axis=1),
        neighbours=nearest.shape[1],
    )


def _nearest(vectors: Vectors, number: int) -> tuple[Integers, Floats]:
    """The nearest other rows of each, nearest first, and their votes, which add up to 1."""
    rows = len(vectors)
    found = np.empty((rows, number), np.int64)
    weights = np.empty((rows, number))
    block = max(1, _AT_ONCE // rows)
    for start in range(0, rows, block):
        cosines = vectors[start : start + block] @ vectors.T
        own = np.arange(len(cosines))
        cosines[own, start + own] = -2
        near = np.argpartition(-cosines, number - 1, axis=1)[:, :number]
        like = np.take_along_axis(cosines, near, axis=1)
        order = np.argsort(-like, axis=1, kind="stable")
        found[start : start + block] = np.take_along_axis(near, order, axis=1)
        sharp = np.take_along_axis(like, order, axis=1).clip(0) ** _SHARPNESS
        weights[start : start + block] = sharp / np.maximum(sharp.sum(axis=1, keepdims=True), 1e-9)
    return found, weights


def _votes(voted: Integers, weights: Floats) -> Floats:
    """For each neighbour the votes for its label, shape (rows, neighbours)."""
    votes = np.zeros(weights.shape)
    for column in range(weights.shape[1]):
        votes += (voted == voted[:, [column]]) * weights[:, [column]]
    return votes
