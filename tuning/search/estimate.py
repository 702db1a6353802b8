"""From trials that have ended: what another one takes, and whether it should begin. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

MOST_TRIALS = 200
_GUESSED_OVERHEAD = 0.1
"""Of the budget, before one trial has shown how long loading and measuring take."""
_MOST_GUESSED_SECONDS = 60.0
_KEPT_FREE = 2.5
"""Times the overhead: its own, and that of the last look, which loads one or two adapters."""
_WORTH = 0.6
"""Of a whole trial. What is cut off earlier has hardly left its high learning rates, and loses."""


@dataclass(frozen=True, slots=True)
class Took:
    """What one trial took: all of its seconds, those of training among them."""

    seconds: float
    training_seconds: float
    whole: bool
    """Whether it ran to its end: neither pruned nor cut nor failed."""


def overhead(took: Sequence[Took], *, budget: float) -> float:
    """Seconds around a training: loading before it, measuring and saving after it."""
    known = [one.seconds - one.training_seconds for one in took if one.whole]
    guess = min(_MOST_GUESSED_SECONDS, _GUESSED_OVERHEAD * budget)
    return max(0.0, median(known)) if known else guess


def training_limit(took: Sequence[Took], *, left: float, budget: float) -> float:
    """Seconds that the next training may take so that measuring and a last look still fit."""
    return left - _KEPT_FREE * overhead(took, budget=budget)


def is_worth_beginning(took: Sequence[Took], *, left: float, budget: float) -> bool:
    """Whether enough of another trial would fit into what is left; the first one always does.

    If no trial ran to its end, none would: then the recipe itself is longer than the budget.
    """
    if not took:
        return True
    whole = [one.training_seconds for one in took if one.whole]
    if not whole or len(took) >= MOST_TRIALS:
        return False
    return training_limit(took, left=left, budget=budget) >= _WORTH * median(whole)


def expected_trials(took: Sequence[Took], *, left: float, budget: float) -> int | None:
    """How many there will be, with those that ended; None before one has."""
    whole = [one for one in took if one.whole]
    if not whole:
        return None
    more = int(
        max(0.0, left - overhead(took, budget=budget)) / max(fmean(o.seconds for o in took), 1e-9)
    )
    return min(MOST_TRIALS, len(took) + more)
