"""The order in which examples are trained on, fixed before a run begins.

Examples of like length share a batch, so that little is padded; and since the order is a plain
list, a run that goes on from a checkpoint sees exactly what it would have seen.
"""

import math
import random
from collections.abc import Sequence

_BATCHES_SORTED_TOGETHER = 50


def training_order(
    lengths: Sequence[int], *, epochs: float, batch_size: int, seed: int
) -> list[int]:
    """Indices of examples, epoch after epoch, to be cut into batches from the front.

    Each whole epoch brings every example once; a fractional one at the end brings that share of
    its shuffled batches. What does not fill a batch comes last, so that no batch is torn.
    """
    rng = random.Random(seed)
    order: list[int] = []
    left_over: list[int] = []
    whole, rest = int(epochs), epochs - int(epochs)
    for epoch in range(whole + (rest > 0)):
        batches, odd = _epoch(lengths, batch_size=batch_size, rng=rng)
        if epoch == whole:
            batches, odd = batches[: math.ceil(len(batches) * rest)], odd if not batches else []
        order += [index for batch in batches for index in batch]
        left_over += odd
    return order + left_over


def _epoch(
    lengths: Sequence[int], *, batch_size: int, rng: random.Random
) -> tuple[list[list[int]], list[int]]:
    """Full batches in a random order, and the examples left over."""
    shuffled = list(range(len(lengths)))
    rng.shuffle(shuffled)
    full = len(shuffled) - len(shuffled) % batch_size
    span = batch_size * _BATCHES_SORTED_TOGETHER
    batches: list[list[int]] = []
    for begin in range(0, full, span):
        group = sorted(shuffled[begin : min(begin + span, full)], key=lambda i: (lengths[i], i))
        batches += [group[i : i + batch_size] for i in range(0, len(group), batch_size)]
    rng.shuffle(batches)
    return batches, shuffled[full:]
