"""The steps of a retraining. Each may be run again after a crash and then changes nothing more.

No DBOS here: `durable.py` makes the sequence durable.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from records import fixes, jobs, outbox, training_data, versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.engine import Engine
from records.errors import EngineError
from records.proof import load_and_prove, servable_of
from records.states import JobState
from records.tables import Dataset
from tuning.augmentation.augment import Augmentation
from tuning.dataset import snapshot
from tuning.dataset.pipeline import Effort
from tuning.ray.planning import forget
from tuning.ray.settings import Backend
from tuning.settings import WorkerSettings
from tuning.workflow import tidying
from tuning.workflow.asked import Asked, read_asked
from tuning.workflow.checking import Checking
from tuning.workflow.engines import Engines
from tuning.workflow.interruption import Interruption
from tuning.workflow.publish import publish_adapter
from tuning.workflow.retrying import Away, Patience, Retrying, Setback
from tuning.workflow.stages import Stage
from tuning.workflow.telling import Telling
from tuning.workflow.trainer_process import TRAINER
from tuning.workflow.trainings import Trainings

_FIXES = 200
"""How many flags, the newest, are asked about again: bounded, however long the history."""
_MOST_TRAINERS = 3
"""A trainer that is killed is started again, so often in all."""
_TRAINER_SECONDS = 3600.0
_WHY_CHARACTERS = 300
_ENDS = ("succeed", "fail")
_AWAY = {
    Away.ENGINE: Stage.ENGINE_AWAY,
    Away.STORAGE: Stage.STORAGE_AWAY,
    Away.TRAINER: Stage.TRAINER_LOST,
}
_log = logging.getLogger(__name__)
ResultT = TypeVar("ResultT")


class Retraining:
    """The steps, and what they work with."""

    def __init__(
        self,
        settings: WorkerSettings,
        database: Database,
        artifacts: Artifacts,
        *,
        interruption: Interruption,
        trainer: Sequence[str] = TRAINER,
    ) -> None:
        """Work on these; `trainer` is the command that trains a job's folder."""
        self.settings, self.database, self.artifacts = settings, database, artifacts
        self.interruption = interruption
        self.telling = Telling(database, price=settings.price)
        self.engines = Engines(settings.engines, interruption)
        self.trainings = Trainings(
            settings, database, artifacts, interruption, self.telling, trainer
        )
        self.checking = Checking(self.trainings, self.engines)

    def attempt(
        self, name: str, step: Callable[..., ResultT], job_id: str, *arguments: Any
    ) -> ResultT:
        """Do a step, again while what it needs is away; what it takes is noted in the job.

        Raises:
            Exception: the step's own, once patience has ended.
        """
        settings = self.settings
        retrying = Retrying(
            {
                Away.ENGINE: Patience(settings.engine_wait_seconds),
                Away.STORAGE: Patience(settings.storage_wait_seconds),
                Away.TRAINER: Patience(_TRAINER_SECONDS, tries=_MOST_TRAINERS),
            },
            wait=partial(self.interruption.pause, job_id),
            tell=partial(self._tell_setback, job_id),
        )
        if name in _ENDS:  # what a job took is told with its end
            return retrying.run(lambda: step(job_id, *arguments))
        with self.telling.metered(job_id, name):
            return retrying.run(lambda: step(job_id, *arguments))

    def snapshot(self, job_id: str) -> str:
        """Collect, clean, split and publish the dataset; returns its id.

        Raises:
            EmptyDataset, LeakedCases: there is nothing, or something that must not be trained on.
            ConfigurationError: the recipe cannot be used.
        """
        made = self._made_dataset(job_id)
        if made is not None:
            return made
        self.telling.tell(job_id, Stage.COLLECTING)
        asked = self._asked(job_id)
        self._install_base(asked.assistant)
        check = partial(self.interruption.check, job_id)
        order = snapshot.Order(
            asked.assistant,
            asked.widest,
            since=asked.since,
            job_id=job_id,
            augment=self._augmentation(asked, check=check),
            effort=Effort(
                processes=self.trainings.threads(),
                nice=self.settings.trainer_nice,
                check=check,
                on_progress=self._cleaning(job_id, asked),
            ),
        )
        scratch = self.settings.jobs / job_id / "dataset"
        dataset = snapshot.take(self.database, self.artifacts, order, scratch=scratch)
        counts = dict(dataset.card["counts"])
        self.telling.note(job_id, Stage.DATASET, counts, dataset_id=dataset.id)
        return dataset.id

    def preflight(self, job_id: str, dataset_id: str) -> dict[str, Any]:
        """Refuse now what would be trained in vain; returns what the run needs.

        Raises:
            AdapterUnservable, ConfigurationError, StorageFull: what stands against it.
            EngineUnavailable: no engine to serve it.
        """
        self.telling.tell(job_id, Stage.CHECKING)
        asked = self._asked(job_id)
        with self.database.read() as session:
            path = session.get_one(Dataset, dataset_id).path
        return self.checking.run(job_id, asked, path)

    def train(self, job_id: str, dataset_id: str) -> str:
        """Train in a child process, or go on training; returns the adapter's folder.

        Raises:
            TrainingFailed, StorageFull: why there is no adapter.
        """
        return str(self.trainings.run(job_id, self._asked(job_id), dataset_id))

    def publish(self, job_id: str, adapter: str) -> str:
        """Publish and register the adapter; returns the version's id.

        Raises:
            StorageFull, StorageUnavailable: nothing half-written is seen.
        """
        assistant = self._asked(job_id).assistant
        version = publish_adapter(
            self.database, self.artifacts, Path(adapter), assistant=assistant.name
        )
        self.telling.note(job_id, Stage.PUBLISHED, version=version.id)
        return version.id

    def prove(self, job_id: str, version_id: str) -> None:
        """Load the version on every engine, and prove on each that it is on.

        Raises:
            AdapterError: it must not be served.
            EngineError: an engine cannot be asked.
        """
        stage, engines = Stage.PROVING, len(self.settings.engines)
        self.telling.tell(job_id, stage, {"done": 0, "total": engines})
        assistant = self._asked(job_id).assistant
        with self.database.read() as session:
            version = versions.get(session, version_id)
        folder = self.artifacts.fetch(str(version.adapter_path))
        wanted = servable_of(assistant)

        async def prove(engine: Engine) -> None:
            await load_and_prove(engine, folder, wanted)

        self.engines.each(
            job_id,
            prove,
            on_done=lambda done: self.telling.tell(job_id, stage, {"done": done, "total": engines}),
        )

    def evaluate(self, job_id: str, version_id: str) -> str | None:
        """Compare with the champion on the frozen cases, and judge; returns the report's id.

        None where the assistant names no cases, or where the training made the champion again.

        Raises:
            EngineError, AdapterError: the versions could not answer.
        """
        from evaluation.cases import read_cases
        from evaluation.run import run_evaluation

        assistant = self._asked(job_id).assistant
        with self.database.read() as session:
            champion = versions.champion(session, assistant.name).id
        if assistant.cases is None or champion == version_id:
            return None
        cases = read_cases(Path(assistant.cases))
        self.telling.tell(job_id, Stage.EVALUATING, {"cases": len(cases.cases)})
        return self.engines.finish(
            job_id,
            run_evaluation(
                self.database,
                self.artifacts,
                self.settings.engines,
                assistant,
                challenger=version_id,
                champion=champion,
                cases=cases,
                on_progress=lambda told: self.telling.tell(job_id, Stage.EVALUATING, asdict(told)),
            ),
        )

    def verify_fixes(self, job_id: str, version_id: str) -> int:
        """Ask the version what was flagged, and note which of it is right now; returns how many.

        What it finds decides nothing, so engines that can't be asked any more leave it undone.
        """
        from evaluation.corrected import check_corrected

        assistant = self._asked(job_id).assistant
        with self.database.read() as session:
            examples = fixes.candidates(session, assistant.name, most=_FIXES)
        if not examples:
            return 0
        self.telling.tell(job_id, Stage.FLAGGED, {"total": len(examples)})
        try:
            checked = self.engines.finish(
                job_id,
                check_corrected(
                    self.database,
                    self.artifacts,
                    self.settings.engines,
                    assistant,
                    version_id=version_id,
                    examples=examples,
                    on_progress=lambda _: None,
                ),
            )
        except EngineError as error:
            _log.warning("%s was not asked what was flagged: %s", version_id, error)
            return 0
        with self.database.write() as session:
            for one in checked:
                fixes.record(
                    session,
                    one.flag_id,
                    version=version_id,
                    answer=one.answer,
                    handed_over=one.handed_over,
                    fixed=one.fixed,
                )
        return sum(one.fixed for one in checked)

    def succeed(self, job_id: str, report_id: str | None) -> None:
        """End the job and tell Slack of its report, in one transaction."""
        with self.database.write() as session:
            job = jobs.get(session, job_id)
            if job.state not in jobs.ACTIVE:
                return
            if report_id is not None:
                jobs.advance(session, job_id, stage=Stage.REPORTED, report_id=report_id)
                outbox.put(session, outbox.Kind.REPORT_READY, report_id)
            jobs.finish(session, job_id, state=JobState.SUCCEEDED)
            version = job.version
        report = f"report {report_id}" if report_id else "no report"
        _log.info("job %s succeeded: version %s, %s", job_id, version, report)

    def fail(self, job_id: str, error: str) -> None:
        """End the job with a sentence."""
        with self.database.write() as session:
            jobs.finish(session, job_id, state=JobState.FAILED, error=error)
        _log.warning("job %s failed: %s", job_id, error)

    def leave(self, job_id: str) -> None:
        """The job has ended: drop what only a running one needs."""
        tidying.tidy(self.settings.jobs / job_id)
        if self.settings.backend is Backend.RAY:
            forget(self.artifacts, self.settings.jobs / job_id, jobs=self.settings.jobs)
        self.telling.forget(job_id)

    # --- what the steps share ---

    def _asked(self, job_id: str) -> Asked:
        """What the job asks for; also the point at which it may be left."""
        self.interruption.check(job_id)
        return read_asked(self.database, self.settings.assistants, job_id)

    def _made_dataset(self, job_id: str) -> str | None:
        """The dataset that this job made before it was cut off, so that it stays the same."""
        with self.database.read() as session:
            made = session.get(Dataset, jobs.get(session, job_id).dataset_id or "")
        return made.id if made is not None and made.erased_at is None else None

    def _augmentation(self, asked: Asked, *, check: Callable[[], None]) -> Augmentation | None:
        """What words corrections anew, where the recipe wants it."""
        recipe = asked.widest
        if not recipe.augment:
            return None
        return Augmentation(
            self.settings,
            self.database,
            asked.assistant,
            per_example=recipe.augment,
            seed=recipe.seed,
            check=check,
        )

    def _cleaning(self, job_id: str, asked: Asked) -> Callable[[Mapping[str, Any]], None]:
        """What to do with the pipeline's news: how many of about how many, and the time left."""
        with self.database.read() as session:
            total = training_data.count(session, asked.assistant.name, since=asked.since).total
        began = time.monotonic()

        def on_progress(figures: Mapping[str, Any]) -> None:
            done = int(figures.get("cleaned", 0))
            news: dict[str, Any] = {"done": done, "total": max(total, done)}
            if done:
                per_example = (time.monotonic() - began) / done
                news["seconds_left"] = round(per_example * (news["total"] - done), 1)
            self.telling.tell(job_id, Stage.CLEANING, news)

        return on_progress

    def _tell_setback(self, job_id: str, setback: Setback) -> None:
        _log.warning(
            "job %s: %s; trying again in %.1f s", job_id, setback.why, setback.pause_seconds
        )
        progress = {"tries": setback.tries, "why": setback.why[:_WHY_CHARACTERS]}
        self.telling.tell(job_id, _AWAY[setback.away], progress)

    def _install_base(self, assistant: Assistant) -> None:
        """Make sure that the base is a version, as the gateway does when it starts."""
        with self.database.write() as session:
            versions.install_base(session, versions.bare(assistant))
