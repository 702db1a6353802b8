"""News of a running training: progress for the worker, early stopping, whole checkpoints."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback

from records.errors import TrainingFailed
from tuning.training.job_folder import JobFolder
from tuning.training.recipe import Recipe

_NEWS_SECONDS = 1.0
_STEPS_TO_KNOW = 2
"""Steps after which the time of one is known: the first also warms up, and would foretell hours."""


class News(TrainerCallback):  # type: ignore[misc]  # transformers is not typed for mypy
    """Tells progress about once a second, marks checkpoints, stops when it no longer helps."""

    def __init__(
        self,
        folder: JobFolder,
        *,
        tokens: Sequence[int],
        recipe: Recipe,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow a run that will see examples of these many `tokens`, in this order."""
        self._folder, self._recipe, self._clock = folder, recipe, clock
        self.time_is_up = False
        """Whether training ended before its last step because its time was used up."""
        self._cumulated = _cumulate(tokens, recipe.effective_batch)
        lines, _ = folder.read_progress()
        self._seconds_before = max((line.get("elapsed_seconds", 0.0) for line in lines), default=0)
        self._began = self._told = self._clock()
        self._first_step = 0
        self._loss: float | None = None
        self._held_out_loss: float | None = None

    def seconds(self) -> float:
        """Time spent on this job's training, earlier attempts included."""
        return float(self._seconds_before) + self._clock() - self._began

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock where the training goes on."""
        self._first_step, self._began = state.global_step, self._clock()
        self._tell(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell now and then; look at held-out loss after the last step, too."""
        last = state.global_step >= state.max_steps
        if not last and self._seconds_left() <= 0:
            last = self.time_is_up = True
            control.should_training_stop = control.should_save = True
        if last and args.eval_strategy != "no":
            control.should_evaluate = True
        self._tell_sometimes(state)

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell also within long steps."""
        self._tell_sometimes(state)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell also while held-out loss is computed."""
        self._tell_sometimes(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Take the loss; refuse to go on with one that is not a number.

        Raises:
            TrainingFailed: the loss is NaN or infinite.
        """
        if logs and "loss" in logs:
            self._loss = float(logs["loss"])
            if not math.isfinite(self._loss):
                raise TrainingFailed(
                    f"The loss is {self._loss} at step {state.global_step}: lower learning_rate."
                )

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
    ) -> None:
        """Stop early where the last looks at held-out loss brought nothing new."""
        looks = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
        self._held_out_loss = looks[-1]
        since_best = len(looks) - 1 - looks.index(min(looks))
        if since_best >= self._recipe.early_stopping_patience:
            control.should_training_stop = True
        self._tell(state)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint counts only once it is whole."""
        checkpoint = self._folder.checkpoints / f"checkpoint-{state.global_step}"
        self._folder.mark_complete(checkpoint)

    def _seconds_left(self) -> float:
        """Of the time that the recipe allows; without end where it allows any."""
        most = self._recipe.max_minutes
        return math.inf if most is None else most * 60 - self.seconds()

    def _within_limit(self, ahead: float | None) -> float | None:
        """The time until the last step, or until the limit where that is less."""
        return None if ahead is None else round(max(0.0, min(ahead, self._seconds_left())), 1)

    def _tell_sometimes(self, state: Any) -> None:
        if self._clock() - self._told >= _NEWS_SECONDS:
            self._tell(state)

    def _tell(self, state: Any) -> None:
        self._told = self._clock()
        step, spent = state.global_step, self._told - self._began
        done = step - self._first_step
        tokens = self._cumulated[step] - self._cumulated[self._first_step]
        is_known = done >= _STEPS_TO_KNOW
        ahead = spent / done * (state.max_steps - step) if is_known else None
        self._folder.append_progress(
            {
                "stage": "training",
                "step": step,
                "steps": state.max_steps,
                "loss": self._loss,
                "held_out_loss": self._held_out_loss,
                "tokens_per_second": round(tokens / spent) if done else None,
                "seconds_left": self._within_limit(ahead),
                "elapsed_seconds": round(self.seconds(), 1),
            }
        )


def _cumulate(tokens: Sequence[int], batch: int) -> list[int]:
    """Tokens seen after 0, 1, 2, ... steps."""
    seen = [0]
    for begin in range(0, len(tokens), batch):
        seen.append(seen[-1] + sum(tokens[begin : begin + batch]))
    return seen
