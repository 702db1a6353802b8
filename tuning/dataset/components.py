"""Connected components of large graphs, in a few bytes a node. Pure."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]


def components(size: int, ones: Numbers, others: Numbers) -> Numbers:
    """For each of `size` nodes the smallest node that it is connected with, over any others.

    The edges are given by their two ends. Roots are hooked to smaller ones and paths halved until
    nothing changes (Shiloach and Vishkin 1982): a number of rounds near the logarithm of the
    longest path, each of a few vectorised passes.
    """
    label = np.arange(size, dtype=np.int32)
    while True:
        first, second = label[ones], label[others]
        apart = first != second
        if not apart.any():
            return label
        ones, others = ones[apart], others[apart]
        low = np.minimum(first[apart], second[apart])
        np.minimum.at(label, np.maximum(first[apart], second[apart]), low)
        while not np.array_equal(label, shorter := label[label]):
            label = shorter
