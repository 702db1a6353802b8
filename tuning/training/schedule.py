"""How the learning rate goes over a phase. Pure."""

import math

from tuning.training.recipe import Scheduler


def share_of_learning_rate(
    step: int, steps: int, *, scheduler: Scheduler, warmup_ratio: float
) -> float:
    """The part (0..1] of the learning rate at a step, counted from 0, of so many.

    It rises over the first steps, is whole after them, and then stays or falls towards 0.
    """
    warming = int(warmup_ratio * steps)
    if step < warming:
        return (step + 1) / warming
    done = (step - warming) / max(1, steps - warming)
    if scheduler is Scheduler.LINEAR:
        return 1 - done
    if scheduler is Scheduler.COSINE:
        return (1 + math.cos(math.pi * done)) / 2
    return 1.0
