"""One trial: a training in a folder of its own, watched by its looks, ended early if it lags."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.adapters import MANIFEST
from records.errors import ConfigurationError, TrainingFailed
from tuning.search import estimate
from tuning.search.estimate import Took
from tuning.search.parts import Halves, write_trial_data
from tuning.search.space import Space
from tuning.search.spent import Spent
from tuning.search.study import LOOKS, Study, Trial, TrialEnd
from tuning.training.job_folder import JobFolder, Spec

Check = Callable[[], None]
Train = Callable[[JobFolder, Check], Path]
"""Trains what a folder's specification says and returns the adapter's folder; calls the check a few
times a second, and ends the training where that raises."""

WAITING = "waiting for the accelerator"
_PROMPTS = 200
"""Held-out prompts at each look: a trial is chosen by them, so that 64 would be too few."""
_LEAST_SECONDS = 1.0
_GRACE = 0.1
"""Of the budget: beyond it, a trainer that does not end by itself is ended."""


class Lagging(Exception):
    """A trial is worse than others were at the same point."""


class TimeIsUp(Exception):
    """The budget is spent, and the trainer does not end."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all trials of a search share."""

    folder: JobFolder
    spec: Spec
    space: Space
    halves: Halves
    budget: float
    """In seconds."""
    spent: Spent
    train: Train
    check: Check
    on_look: Callable[[Trial, Mapping[str, Any]], None]
    """Told each line of a trial's progress."""

    @property
    def left(self) -> float:
        """Seconds of the budget."""
        return self.budget - self.spent.seconds


def trial_folder(folder: JobFolder, number: int) -> JobFolder:
    """Where a trial works; its name tells trackers which run it is."""
    return JobFolder(folder.path / "trials" / f"{folder.path.name}-trial-{number + 1}")


def took(trial: Trial) -> Took:
    """What a trial that ended took."""
    figures = trial.figures or {}
    whole = trial.end is TrialEnd.WHOLE and not figures.get("cut")
    return Took(figures.get("seconds", 0.0), figures.get("training_seconds", 0.0), whole=whole)


def run_trial(ground: Ground, study: Study, trial: Trial) -> None:
    """Train a trial's recipe, or go on training it, and note what became of it.

    Raises:
        TrainingFailed: the default recipe can't be trained.
        ConfigurationError: nothing that is held out can be asked.
    """
    folder = trial_folder(ground.folder, trial.number)
    replayed = _prepare(ground, study, trial, folder)
    before = ground.spent.tick()
    watch = _Watch(ground, study, trial, folder)
    end, why, quality, loss = TrialEnd.WHOLE, "", None, None
    manifest: dict[str, Any] = {}
    try:
        adapter = ground.train(folder, watch)
        manifest = json.loads((adapter / MANIFEST).read_text())
        quality, loss = _measured(manifest)
    except Lagging:
        end = TrialEnd.PRUNED
    except TimeIsUp:
        end, why = TrialEnd.FAILED, "the budget was spent"
    except TrainingFailed as error:
        if trial.number == 0:
            raise
        end, why = TrialEnd.FAILED, str(error)
    seconds = watch.seconds_before + ground.spent.tick() - before
    figures = {
        "seconds": round(seconds, 1),
        "training_seconds": manifest.get("training_seconds", round(seconds, 1)),
        "cut": bool(manifest.get("metrics", {}).get("time_is_up")),
        "replayed": replayed,
    }
    study.end(trial.number, end, quality=quality, held_out_loss=loss, why=why, figures=figures)
    ground.spent.save()
    leave_little(folder, adapter_too=end is not TrialEnd.WHOLE)


def leave_little(folder: JobFolder, *, adapter_too: bool) -> None:
    """Remove what an ended trial needs no more; the trainer's log stays."""
    shutil.rmtree(folder.path / "dataset", ignore_errors=True)
    folder.clean()
    if adapter_too:
        shutil.rmtree(folder.adapter, ignore_errors=True)


def _prepare(ground: Ground, study: Study, trial: Trial, folder: JobFolder) -> int:
    """Write a trial's data and specification, once; returns how many lessons are replayed."""
    note = folder.path / "replayed.json"
    if not note.exists():
        recipe = ground.space.recipe_of(trial.values)
        replayed = write_trial_data(
            ground.spec.dataset_folder,
            folder.path / "dataset",
            halves=ground.halves,
            replay_share=recipe.replay_share,
            replay_limit=recipe.replay_limit,
        )
        folder.write_spec(_spec(ground, study, trial, folder))
        note.write_text(json.dumps(replayed))
    return int(json.loads(note.read_text()))


def _spec(ground: Ground, study: Study, trial: Trial, folder: JobFolder) -> Spec:
    recipe = ground.space.recipe_of(trial.values)
    ended = [took(one) for one in study.trials() if one.end is not TrialEnd.RUNNING]
    limit = estimate.training_limit(ended, left=ground.left, budget=ground.budget)
    minutes = max(limit, _LEAST_SECONDS) / 60
    if recipe.max_minutes is not None:
        minutes = min(minutes, recipe.max_minutes)
    changes = {
        "max_minutes": round(minutes, 3),
        "held_out_prompts": max(recipe.held_out_prompts, _PROMPTS),
    }
    return ground.spec.model_copy(
        update={
            "recipe": recipe.model_copy(update=changes),
            "dataset_folder": folder.path / "dataset",
        }
    )


def _measured(manifest: Mapping[str, Any]) -> tuple[float, float | None]:
    metrics = manifest["metrics"]
    if metrics.get("held_out_quality") is None:
        raise ConfigurationError(
            "A search chooses by answers to held-out prompts, and none of them fits the length "
            "limit: raise the recipe's max_length and the engine's max_model_len."
        )
    return float(metrics["held_out_quality"]), metrics.get("held_out_loss")


class _Watch:
    """Called while a trial trains: reads its looks, keeps the time, and raises to end it."""

    def __init__(self, ground: Ground, study: Study, trial: Trial, folder: JobFolder) -> None:
        self._ground, self._study, self._trial, self._folder = ground, study, trial, folder
        lines, self._read = folder.read_progress()
        self.seconds_before = max((line.get("elapsed_seconds", 0.0) for line in lines), default=0.0)
        """Trained by a process that was killed; counted in the budget then."""
        self._waits = False

    def __call__(self) -> None:
        self._ground.check()
        spent = self._ground.spent.tick(counts=not self._waits)
        lines, self._read = self._folder.read_progress(start=self._read)
        for line in lines:
            self._waits = line.get("stage") == WAITING
            self._ground.on_look(self._trial, line)
            self._note(line)
        if self._trial.number and spent > self._ground.budget * (1 + _GRACE):
            raise TimeIsUp

    def _note(self, line: Mapping[str, Any]) -> None:
        quality, steps = line.get("held_out_quality"), line.get("steps")
        if quality is None or not steps:
            return
        part = round(LOOKS * line["step"] / steps)
        if part and self._study.look(self._trial.number, part=part, quality=quality):
            raise Lagging
