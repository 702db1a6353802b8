"""The door to Optuna: which recipe to try next, and when a trial is not worth its end.

All of it is in an SQLite file, so that a search that was killed goes on with what it knows. Each
suggestion depends on the seed, the trial's number and the trials before it, never on a generator
whose state a killed process would take with it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuning.search.space import Choice, Range, Space, Value

if TYPE_CHECKING:
    import optuna

_NAME = "recipe"
_STARTUP_TRIALS = 4
"""The default's and three at random, before results lead: a budget allows ten trials, not fifty."""
_UNPRUNED_TRIALS = 3
"""So many whole trials make a median to be under."""
_UNPRUNED_LOOKS = 2
"""A quarter of a run: before, high and low learning rates can't be told apart."""
LOOKS = 8
"""Parts of a run in which trials are compared, however many steps each has."""
_QUALITY, _LOSS, _WHY, _FIGURES = "quality", "held_out_loss", "why", "figures"


class TrialEnd(StrEnum):
    """What became of a trial."""

    RUNNING = "running"
    WHOLE = "whole"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """One recipe that was tried, or is."""

    number: int
    """0 is the default recipe's."""
    values: Mapping[str, Value]
    end: TrialEnd
    quality: float | None = None
    """Of held-out answers, 0..1; the best look's for a pruned one."""
    held_out_loss: float | None = None
    why: str = ""
    """Why it failed."""
    figures: Mapping[str, Any] | None = None
    """What else is known of it: seconds, cut, replayed."""


class Study:
    """The trials of one search, on disk."""

    def __init__(self, path: Path, space: Space, *, seed: int) -> None:
        """Open the study of a file, or begin one whose first trial is the default recipe."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._seed = space, seed
        self._study = optuna.create_study(
            storage=f"sqlite:///{path}",
            study_name=_NAME,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=_UNPRUNED_TRIALS,
                n_warmup_steps=_UNPRUNED_LOOKS,
                n_min_trials=_UNPRUNED_TRIALS,
            ),
            load_if_exists=True,
        )
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial(space.default)

    def begin(self) -> Trial:
        """The trial that a killed process left, or the next one."""
        running = self._open()
        if running is not None:
            return _trial(running)
        number = len(self._ended())
        self._study.sampler = self._sampler(number)
        asked = self._study.ask(self._distributions())
        return self.trial(asked.number)

    def look(self, number: int, *, part: int, quality: float) -> bool:
        """Note a look at a trial in an eighth of its run; True where it should go no further."""
        trial = self._handle(number)
        if part not in self._frozen(number).intermediate_values:
            trial.report(quality, part)
        return number > 0 and trial.should_prune()

    def end(
        self,
        number: int,
        end: TrialEnd,
        *,
        quality: float | None = None,
        held_out_loss: float | None = None,
        why: str = "",
        figures: Mapping[str, Any] | None = None,
    ) -> None:
        """Note what became of a trial."""
        import optuna

        states = {
            TrialEnd.WHOLE: optuna.trial.TrialState.COMPLETE,
            TrialEnd.PRUNED: optuna.trial.TrialState.PRUNED,
            TrialEnd.FAILED: optuna.trial.TrialState.FAIL,
        }
        handle = self._handle(number)
        handle.set_user_attr(_LOSS, held_out_loss)
        handle.set_user_attr(_WHY, why)
        handle.set_user_attr(_FIGURES, dict(figures or {}))
        value = quality if end is TrialEnd.WHOLE else None
        self._study.tell(number, value, state=states[end])

    def trial(self, number: int) -> Trial:
        """One trial as it is known."""
        return _trial(self._frozen(number))

    def trials(self) -> list[Trial]:
        """All trials that began, in their order."""
        import optuna

        waiting = optuna.trial.TrialState.WAITING
        found = self._study.get_trials(deepcopy=False)
        return [_trial(one) for one in found if one.state is not waiting]

    def importances(self) -> dict[str, float]:
        """How much each value explains of the qualities, in sum 1; empty under four whole trials.

        By PED-ANOVA (arXiv 2304.10255). Of so few trials it is a hint.
        """
        import optuna

        whole = self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        if len(whole) < _STARTUP_TRIALS or len({one.value for one in whole}) < 2:
            return {}
        found = optuna.importance.get_param_importances(self._study)
        return {key: round(float(share), 3) for key, share in found.items()}

    def _sampler(self, number: int) -> "optuna.samplers.BaseSampler":
        import optuna

        seed = hashlib.sha256(f"{self._seed} {number}".encode()).digest()
        return optuna.samplers.TPESampler(
            n_startup_trials=_STARTUP_TRIALS,
            seed=int.from_bytes(seed[:4], "big"),
            multivariate=True,
        )

    def _distributions(self) -> dict[str, Any]:
        from optuna import distributions

        found: dict[str, Any] = {}
        for key, knob in self._space.knobs.items():
            if isinstance(knob, Choice):
                found[key] = distributions.CategoricalDistribution(knob.of)
            elif isinstance(knob, Range):
                found[key] = distributions.FloatDistribution(knob.low, knob.high, log=knob.log)
        return found

    def _open(self) -> "optuna.trial.FrozenTrial | None":
        """A trial that was begun and not ended, with all of its values."""
        import optuna

        running = self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        for one in running:
            if set(one.params) >= set(self._space.knobs):
                return one
            self._study.tell(one.number, state=optuna.trial.TrialState.FAIL)  # killed in between
        return None

    def _ended(self) -> "Sequence[optuna.trial.FrozenTrial]":
        import optuna

        waiting = optuna.trial.TrialState.WAITING
        return [one for one in self._study.get_trials(deepcopy=False) if one.state is not waiting]

    def _frozen(self, number: int) -> "optuna.trial.FrozenTrial":
        return self._study.get_trials(deepcopy=False)[number]

    def _handle(self, number: int) -> "optuna.trial.Trial":
        import optuna

        return optuna.trial.Trial(self._study, self._frozen(number)._trial_id)


def _trial(frozen: "optuna.trial.FrozenTrial") -> Trial:
    import optuna

    states = optuna.trial.TrialState
    end = {
        states.COMPLETE: TrialEnd.WHOLE,
        states.PRUNED: TrialEnd.PRUNED,
        states.FAIL: TrialEnd.FAILED,
    }.get(frozen.state, TrialEnd.RUNNING)
    looks = frozen.intermediate_values.values()
    quality = frozen.value if end is TrialEnd.WHOLE else max(looks, default=None)
    return Trial(
        number=frozen.number,
        values=dict(frozen.params),
        end=end,
        quality=quality,
        held_out_loss=frozen.user_attrs.get(_LOSS),
        why=frozen.user_attrs.get(_WHY, ""),
        figures=frozen.user_attrs.get(_FIGURES),
    )
