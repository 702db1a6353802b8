"""News of a running training, for its worker: about once a second, a line of progress."""

import math
import time
from collections.abc import Callable

from tuning.training.checkpoint import State
from tuning.training.job_folder import JobFolder
from tuning.training.recipe import Recipe

_NEWS_SECONDS = 1.0
_STEPS_TO_KNOW = 2
"""Steps after which the time of one is known: the first also warms up, and would foretell hours."""


class News:
    """Tells progress, and knows when a run's time is up."""

    def __init__(
        self,
        folder: JobFolder,
        *,
        recipe: Recipe,
        steps: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow a run of so many steps in all, from now on."""
        self._folder, self._recipe, self._clock = folder, recipe, clock
        self.steps = steps
        lines, _ = folder.read_progress()
        self._seconds_before = max((line.get("elapsed_seconds", 0.0) for line in lines), default=0)
        self._began = self._told = clock()
        self._first_step = self._first_tokens = 0

    def begin(self, state: State) -> None:
        """Start the clock where the training goes on."""
        self._first_step, self._first_tokens = state.total_step, state.tokens
        self._began = self._clock()

    def seconds(self) -> float:
        """Time spent on this job's training, earlier attempts included."""
        return float(self._seconds_before) + self._clock() - self._began

    def time_is_up(self) -> bool:
        """Whether the recipe's time is used up."""
        return self._seconds_left() <= 0

    def due(self) -> bool:
        """Whether it is time for another line."""
        return self._clock() - self._told >= _NEWS_SECONDS

    def tell(
        self,
        state: State,
        *,
        phase: str,
        loss: float | None = None,
        held_out_loss: float | None = None,
        held_out_quality: float | None = None,
    ) -> None:
        """Append a line now."""
        self._told = self._clock()
        spent = self._told - self._began
        done = state.total_step - self._first_step
        is_known = done >= _STEPS_TO_KNOW
        ahead = spent / done * (self.steps - state.total_step) if is_known else None
        tokens = state.tokens - self._first_tokens
        self._folder.append_progress(
            {
                "stage": "training",
                "phase": phase,
                "step": state.total_step,
                "steps": self.steps,
                "loss": loss,
                "held_out_loss": held_out_loss,
                "held_out_quality": held_out_quality,
                "tokens_per_second": round(tokens / spent) if done and spent else None,
                "seconds_left": self._within_limit(ahead),
                "elapsed_seconds": round(self.seconds(), 1),
            }
        )

    def _seconds_left(self) -> float:
        """Of the time that the recipe allows; without end where it allows any."""
        most = self._recipe.max_minutes
        return math.inf if most is None else most * 60 - self.seconds()

    def _within_limit(self, ahead: float | None) -> float | None:
        """The time until the last step, or until the limit where that is less."""
        return None if ahead is None else round(max(0.0, min(ahead, self._seconds_left())), 1)
