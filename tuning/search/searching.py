"""A search: trials until the budget is spent, then the best one's adapter becomes the job's.

study.sqlite     trials, their values and looks      (Optuna's)
search.json      what is spent of the budget
trials/          a job's folder for each trial; gone in the end
second_look.json how the chosen and the default recipe do on what was not chosen by

Killed at any point it goes on within what is left: an unfinished trial from its checkpoint.
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.adapters import MANIFEST
from tuning.dataset.rows import HELD_OUT, read_rows
from tuning.search import estimate
from tuning.search.outcome import outcome
from tuning.search.parts import halve, has_replay, write_report_half
from tuning.search.space import Space
from tuning.search.spent import Spent
from tuning.search.study import Study, Trial, TrialEnd
from tuning.search.trial_run import (
    Check,
    Ground,
    Train,
    leave_little,
    run_trial,
    took,
    trial_folder,
)
from tuning.training.job_folder import JobFolder, Spec

SearchProgress = Callable[[Mapping[str, Any]], None]
LookAgain = Callable[[Mapping[str, Path], Path], Mapping[str, Any]]
"""From adapters' folders by name and a file of held-out rows, what each is worth on them."""
CHOSEN, DEFAULT = "chosen", "default"
STAGE = "searching"
PLOT = "search.png"
_MOST_FAILURES = 3
"""One after the other: then something else is wrong than a recipe."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a search works with, and whom it tells."""

    train: Train
    look_again: LookAgain
    check: Check
    on_progress: SearchProgress
    clock: Callable[[], float] = time.monotonic


def search(folder: JobFolder, spec: Spec, *, space: Space, budget: float, means: Means) -> Path:
    """Find a recipe in `budget` seconds and leave the best trial's adapter as the job's.

    `spec` is that of a training without a search, on the dataset with the most replay
    (`space.widest`).

    Raises:
        ConfigurationError: too little is held out to choose by.
        TrainingFailed: the default recipe can't be trained.
    """
    if folder.adapter.exists():
        return folder.adapter
    folder.path.mkdir(parents=True, exist_ok=True)
    recipe = space.recipe
    halves = halve(
        read_rows(spec.dataset_folder / HELD_OUT),
        replay_share=recipe.replay_share,
        replay_limit=recipe.replay_limit,
    )
    if not has_replay(spec.dataset_folder):
        space = space.without("replay_share")
    study = Study(folder.path / "study.sqlite", space, seed=recipe.seed)
    spent = Spent(folder.path / "search.json", clock=means.clock)
    telling = _Telling(study, spent, budget, means.on_progress)
    ground = Ground(
        folder, spec, space, halves, budget, spent, means.train, means.check, telling.tell
    )
    while _goes_on(study, ground):
        means.check()
        run_trial(ground, study, study.begin())
        _keep_best(folder, study.trials())
    report = write_report_half(spec.dataset_folder, folder.path, halves=halves)
    looks = _second_look(folder, study, report, means)
    spent.tick()
    return _take(folder, study, ground, looks)


def best_of(trials: Sequence[Trial]) -> Trial:
    """The trial with the best answers; of equal ones that with the lower loss, then the first.

    So the default recipe is kept unless another one is better.
    """
    whole = [trial for trial in trials if trial.end is TrialEnd.WHOLE]
    return max(whole, key=lambda trial: (trial.quality or 0.0, -_loss(trial), -trial.number))


def _loss(trial: Trial) -> float:
    return trial.held_out_loss if trial.held_out_loss is not None else float("inf")


def _goes_on(study: Study, ground: Ground) -> bool:
    trials = study.trials()
    if any(trial.end is TrialEnd.RUNNING for trial in trials):
        return True
    last = [trial.end for trial in trials[-_MOST_FAILURES:]]
    if len(last) == _MOST_FAILURES and set(last) == {TrialEnd.FAILED}:
        return False
    ended = [took(trial) for trial in trials]
    return estimate.is_worth_beginning(ended, left=ground.left, budget=ground.budget)


def _keep_best(folder: JobFolder, trials: Sequence[Trial]) -> None:
    """Remove the adapters that can't be chosen any more; the default's stays, to be reported."""
    whole = [trial for trial in trials if trial.end is TrialEnd.WHOLE]
    kept = {0, best_of(whole).number} if whole else set()
    for trial in whole:
        if trial.number not in kept:
            leave_little(trial_folder(folder, trial.number), adapter_too=True)


def _second_look(folder: JobFolder, study: Study, report: Path, means: Means) -> dict[str, Any]:
    """Look at the chosen and the default recipe's adapters by the other half, once."""
    note = folder.path / "second_look.json"
    if not note.exists():
        best = best_of(study.trials())
        adapters = {
            name: trial_folder(folder, number).adapter
            for name, number in ((CHOSEN, best.number), (DEFAULT, 0))
        }
        means.on_progress({"stage": STAGE, "looking_again": True, "best": best.quality})
        if best.number == 0:
            del adapters[DEFAULT]
        looks = dict(means.look_again(adapters, report))
        arriving = note.with_suffix(".arriving")
        arriving.write_text(json.dumps({DEFAULT: looks[CHOSEN], **looks}))
        arriving.rename(note)
    found: dict[str, Any] = json.loads(note.read_text())
    return found


def _take(folder: JobFolder, study: Study, ground: Ground, looks: Mapping[str, Any]) -> Path:
    """Make the best trial's adapter the job's, with what was found out beside it."""
    from evaluation.search_plot import draw_search

    trials = study.trials()
    best = best_of(trials)
    found = outcome(
        trials,
        best=best,
        space=ground.space,
        looks=looks,
        prompts=len(ground.halves.search),
        importances=study.importances(),
        budget=ground.budget,
        spent=ground.spent.seconds,
    )
    arriving = folder.path / "adapter.chosen"
    shutil.rmtree(arriving, ignore_errors=True)
    shutil.copytree(trial_folder(folder, best.number).adapter, arriving)
    manifest = json.loads((arriving / MANIFEST).read_text())
    (arriving / MANIFEST).write_text(json.dumps({**manifest, "search": found}, indent=1))
    draw_search(found, arriving / PLOT)
    arriving.rename(folder.adapter)
    shutil.rmtree(folder.path / "trials", ignore_errors=True)
    return folder.adapter


@dataclass(slots=True)
class _Telling:
    """How far a search is, for people: `trial` counts from 1, which is the default recipe."""

    study: Study
    spent: Spent
    budget: float
    on_progress: SearchProgress
    _number: int = -1
    _trials: int | None = None
    _best: float | None = None

    def tell(self, trial: Trial, line: Mapping[str, Any]) -> None:
        left = max(0.0, self.budget - self.spent.seconds)
        if trial.number != self._number:
            self._look_up(trial.number, left)
        shown = ("step", "steps", "loss", "held_out_loss", "held_out_quality", "tokens_per_second")
        self.on_progress(
            {
                **{key: line[key] for key in shown if line.get(key) is not None},
                "stage": STAGE,
                "trial": trial.number + 1,
                "trials": self._trials,
                "best": self._best,
                "seconds_left": round(left, 1),
            }
        )

    def _look_up(self, number: int, left: float) -> None:
        trials = [one for one in self.study.trials() if one.end is not TrialEnd.RUNNING]
        ended = [took(one) for one in trials]
        expected = estimate.expected_trials(ended, left=left, budget=self.budget)
        self._number = number
        self._trials = None if expected is None else max(number + 1, expected)
        whole = [one.quality for one in trials if one.end is TrialEnd.WHOLE]
        self._best = max((q for q in whole if q is not None), default=None)
