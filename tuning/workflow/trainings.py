"""How a job's training is run: what the trainer is told, what it tells, and a search before it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from records import versions
from records.adapters import base_hash
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.tables import Dataset
from tuning.search.ordered import Search
from tuning.search.searching import Means, search
from tuning.search.second_look import look_again
from tuning.settings import WorkerSettings
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Recipe, StartFrom
from tuning.workflow import estimates, sharing
from tuning.workflow.asked import Asked
from tuning.workflow.interruption import Interruption
from tuning.workflow.stages import Stage
from tuning.workflow.telling import Telling
from tuning.workflow.trainer_process import run_trainer, trainer_environment

_WITHOUT = (Stage.WAITING, Stage.CLUSTER, Stage.CLUSTER_LOST)
"""While a trainer tells one of these, it holds no accelerator."""


@dataclass(frozen=True, slots=True)
class Trainings:
    """Runs trainings, one child process each."""

    settings: WorkerSettings
    database: Database
    artifacts: Artifacts
    interruption: Interruption
    telling: Telling
    trainer: Sequence[str]

    def run(self, job_id: str, asked: Asked, dataset_id: str) -> Path:
        """Train, or go on training; returns the adapter's folder.

        Raises:
            TrainingFailed, StorageFull: why there is no adapter.
            TrainerLost: its process was killed; run again, it goes on from its last checkpoint.
        """
        folder = JobFolder(self.settings.jobs / job_id)
        folder.write_spec(self._spec(asked, dataset_id))
        self.telling.tell(job_id, Stage.STARTING)
        try:
            if asked.search is not None:
                return self._search(job_id, folder, asked.search)
            return self._train(job_id, folder, on_progress=self._news(job_id))
        finally:
            self.telling.hold(job_id, 0)

    def start_adapter(self, assistant: Assistant, recipe: Recipe) -> Path | None:
        """The champion's adapter, where the recipe goes on from it and it has one."""
        if recipe.start_from is not StartFrom.CHAMPION:
            return None
        with self.database.read() as session:
            path = versions.champion(session, assistant.name).adapter_path
        return self.artifacts.fetch(path) if path else None

    def threads(self) -> int:
        """Cores that trainers and data steps may use."""
        return self.settings.trainer_threads or os.cpu_count() or 1

    def _train(
        self,
        job_id: str,
        folder: JobFolder,
        *,
        on_progress: Callable[[Mapping[str, Any]], None],
        check: Callable[[], None] | None = None,
    ) -> Path:
        return run_trainer(
            folder,
            threads=self.threads(),
            nice=self.settings.trainer_nice,
            on_progress=on_progress,
            check=check or partial(self.interruption.check, job_id),
            command=self.trainer,
        )

    def _news(self, job_id: str) -> Callable[[Mapping[str, Any]], None]:
        """What to do with a trainer's news."""
        expected, workers = False, 1

        def on_progress(line: Mapping[str, Any]) -> None:
            nonlocal expected, workers
            workers = int(line.get("workers") or workers)
            self._hold(job_id, line, accelerators=workers)
            self.telling.tell(job_id, str(line.get("stage", Stage.TRAINING)), line)
            seconds = None if expected else estimates.by_pace(line)
            if seconds is not None:
                expected = True
                self.telling.expect(job_id, training_seconds=seconds)

        return on_progress

    def _hold(self, job_id: str, line: Mapping[str, Any], *, accelerators: int = 1) -> None:
        self.telling.hold(job_id, 0 if line.get("stage") in _WITHOUT else accelerators)

    def _search(self, job_id: str, folder: JobFolder, wanted: Search) -> Path:
        spec = folder.read_spec()
        check = partial(self.interruption.check, job_id)

        def train(trial: JobFolder, watch: Callable[[], None]) -> Path:
            return self._train(job_id, trial, on_progress=partial(self._hold, job_id), check=watch)

        def on_progress(line: Mapping[str, Any]) -> None:
            self.telling.tell(job_id, str(line.get("stage", Stage.TRAINING)), line)

        again = partial(
            look_again,
            folder=folder,
            spec=spec,
            check=check,
            environment=trainer_environment(threads=self.threads()),
            nice=self.settings.trainer_nice,
        )
        means = Means(train, again, check, on_progress)
        return search(folder, spec, space=wanted.space, budget=wanted.budget, means=means)

    def _spec(self, asked: Asked, dataset_id: str) -> Spec:
        from evaluation.gate import GateRules
        from tuning.training.trackers import read_trackers

        assistant, recipe = asked.assistant, asked.recipe
        with self.database.read() as session:
            dataset = session.get_one(Dataset, dataset_id)
            parent = versions.champion(session, assistant.name).id
        share = self.settings.trainer_memory_share
        return Spec(
            assistant=assistant.name,
            base_model=assistant.base_model,
            base_hash=base_hash(assistant.base_model),
            dataset_id=dataset.id,
            dataset_hash=dataset.content_hash,
            dataset_folder=self.artifacts.fetch(dataset.path),
            parent=parent,
            recipe=recipe,
            max_length=asked.longest,
            threads=self.threads(),
            accelerator_lock=self.settings.home / "accelerator.lock",
            start_adapter=self.start_adapter(assistant, recipe),
            marker=assistant.handoff_marker,
            right_answer_f1=GateRules.of(assistant).right_answer_f1,
            report_to=read_trackers(self.settings.report_to),
            curves=self.settings.home / "curves",
            memory_mb=sharing.memory().share_mb(share) if share else None,
        )
