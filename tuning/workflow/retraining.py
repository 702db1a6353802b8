"""The steps of a retraining. Each may be run again after a crash and then changes nothing more.

No DBOS here: `workflow.py` makes the sequence durable.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from records import fixes, jobs, outbox, versions
from records.adapters import base_hash
from records.artifacts import Artifacts
from records.assistant import Assistant, pick_assistant, read_assistants
from records.database import Database
from records.engine import Engine
from records.errors import ConfigurationError, EngineError, EngineUnavailable
from records.proof import load_and_prove, servable_of
from records.states import JobState
from records.tables import Dataset, Job
from tuning.dataset import snapshot
from tuning.dataset.collect import collect
from tuning.dataset.rows import TRAIN, read_rows
from tuning.settings import WorkerSettings
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Recipe, resolve
from tuning.workflow import preflight
from tuning.workflow.interruption import Interruption
from tuning.workflow.publish import publish_adapter
from tuning.workflow.trainer_process import TRAINER, run_trainer

_ADVANCE_SECONDS = 1.0
_LOOK_SECONDS = 0.5
_PARITY_PROMPTS = 3
_MEASURED_EXAMPLES = 200
_FIXES = 200
"""How many flags, the newest, are asked about again: bounded, however long the history."""
_log = logging.getLogger(__name__)
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Retraining:
    """The steps, and what they work with."""

    settings: WorkerSettings
    database: Database
    artifacts: Artifacts
    interruption: Interruption
    trainer: Sequence[str] = TRAINER

    def snapshot(self, job_id: str) -> str:
        """Collect, clean, split and publish the dataset; returns its id.

        Raises:
            EmptyDataset, LeakedCases: there is nothing, or something that must not be trained on.
            ConfigurationError: the recipe cannot be used.
        """
        self._advance(job_id, "collecting examples")
        assistant, recipe = self._of(job_id)
        self._install_base(assistant)
        prepared = snapshot.prepare(
            collect(self.database, assistant, since=self._since(job_id)),
            recipe,
            case_lines=case_lines(assistant),
        )
        dataset = snapshot.publish(self.database, self.artifacts, assistant, prepared)
        self._advance(job_id, "dataset ready", dict(dataset.card["counts"]), dataset_id=dataset.id)
        return dataset.id

    def preflight(self, job_id: str, dataset_id: str) -> dict[str, Any]:
        """Refuse now what would be trained in vain; returns what the run needs.

        Raises:
            AdapterUnservable, ConfigurationError, StorageFull: what stands against it.
            EngineUnavailable: no engine to serve it.
        """
        from tuning.training.base_model import architecture, load_tokenizer
        from tuning.training.chat_tokens import encode

        self._advance(job_id, "checking that it can be served")
        assistant, recipe = self._of(job_id)
        limits = preflight.check_rank(recipe, assistant)
        shape = architecture(assistant.base_model)
        preflight.check_features(_peft_config(recipe), limits=limits)
        messages = longest_first(self._dataset_folder(dataset_id) / TRAIN)
        tokenizer = load_tokenizer(assistant.base_model)
        longest = _longest(recipe, assistant)
        lengths = [len(encode(tokenizer, m).token_ids) for m in messages[:_MEASURED_EXAMPLES]]
        too_long = preflight.check_lengths(lengths, longest=longest)
        needed = preflight.estimate(recipe, shape, longest=min(max(lengths), longest), gpu=_gpu())
        preflight.check_disk(self.settings.home, needed_mb=needed.disk_mb)
        if not _gpu():
            preflight.check_memory(needed, available_mb=_free_memory_mb())
        prompts = [m[:-1] for m in (messages[:1] + messages[-_PARITY_PROMPTS + 1 :])]

        async def check(engine: Engine) -> None:
            await preflight.check_tokens(engine, tokenizer, prompts, model=assistant.base_version)

        self._on_engines(job_id, check)
        return {**needed.as_json(), "longest_examples_left_out": too_long}

    def train(self, job_id: str, dataset_id: str) -> str:
        """Train in a child process, or go on training; returns the adapter's folder.

        Raises:
            TrainingFailed, StorageFull: why there is no adapter.
        """
        assistant, recipe = self._of(job_id)
        folder = JobFolder(self.settings.jobs / job_id)
        folder.write_spec(self._spec(assistant, recipe, dataset_id))
        self._advance(job_id, "starting the trainer")
        last = 0.0

        def on_progress(line: Mapping[str, Any]) -> None:
            nonlocal last
            if time.monotonic() - last >= _ADVANCE_SECONDS:
                last = time.monotonic()
                self._advance(job_id, str(line.get("stage", "training")), dict(line))

        adapter = run_trainer(
            folder,
            threads=self._threads(),
            on_progress=on_progress,
            check=lambda: self.interruption.check(job_id),
            command=self.trainer,
        )
        return str(adapter)

    def publish(self, job_id: str, adapter: str) -> str:
        """Publish and register the adapter; returns the version's id.

        Raises:
            StorageFull, StorageUnavailable: nothing half-written is seen.
        """
        assistant, _ = self._of(job_id)
        version = publish_adapter(
            self.database, self.artifacts, Path(adapter), assistant=assistant.name
        )
        self._advance(job_id, "adapter published", version=version.id)
        return version.id

    def prove(self, job_id: str, version_id: str) -> None:
        """Load the version on every engine, and prove on each that it is on.

        Raises:
            AdapterError: it must not be served.
            EngineError: an engine cannot be asked.
        """
        self._advance(job_id, "proving the adapter on each engine")
        assistant, _ = self._of(job_id)
        with self.database.read() as session:
            version = versions.get(session, version_id)
        folder = self.artifacts.fetch(str(version.adapter_path))
        wanted = servable_of(assistant)

        async def prove(engine: Engine) -> None:
            await load_and_prove(engine, folder, wanted)

        self._on_engines(job_id, prove)

    def evaluate(self, job_id: str, version_id: str) -> str | None:
        """Compare with the champion on the frozen cases; returns the report's id.

        None where the assistant names no cases, or where the training made the champion again.

        Raises:
            EngineError, AdapterError: the versions could not answer.
        """
        from evaluation.cases import read_cases
        from evaluation.run import run_evaluation

        assistant, _ = self._of(job_id)
        with self.database.read() as session:
            champion = versions.champion(session, assistant.name).id
        if assistant.cases is None or champion == version_id:
            return None
        cases = read_cases(Path(assistant.cases))
        self._advance(job_id, "evaluating", {"cases": len(cases.cases)})
        last = 0.0

        def on_progress(progress: Any) -> None:
            nonlocal last
            if time.monotonic() - last >= _ADVANCE_SECONDS:
                last = time.monotonic()
                self._advance(job_id, "evaluating", asdict(progress))

        return self._interruptible(
            job_id,
            run_evaluation(
                self.database,
                self.artifacts,
                self.settings.engines,
                assistant,
                challenger=version_id,
                champion=champion,
                cases=cases,
                on_progress=on_progress,
            ),
        )

    def verify_fixes(self, job_id: str, version_id: str) -> int:
        """Ask the version what was flagged, and note which of it is right now; returns how many.

        What it finds decides nothing, so engines that can't be asked any more leave it undone.
        """
        from evaluation.corrected import check_corrected

        assistant, _ = self._of(job_id)
        with self.database.read() as session:
            examples = fixes.candidates(session, assistant.name, most=_FIXES)
        if not examples:
            return 0
        self._advance(job_id, "asking what was flagged", {"total": len(examples)})
        try:
            checked = self._interruptible(
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
                jobs.advance(session, job_id, stage="reported", report_id=report_id)
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

    # --- what the steps share ---

    def _of(self, job_id: str) -> tuple[Assistant, Recipe]:
        """The job's assistant and resolved recipe; also the point at which a job may be left."""
        self.interruption.check(job_id)
        with self.database.read() as session:
            job: Job = jobs.get(session, job_id)
        assistant = pick_assistant(read_assistants(self.settings.assistants), job.assistant)
        return assistant, resolve(assistant.recipe, job.options.get("recipe") or {})

    def _since(self, job_id: str) -> datetime | None:
        """From when on corrections are wanted, where the job names a time."""
        with self.database.read() as session:
            since = jobs.get(session, job_id).options.get("since")
        return datetime.fromisoformat(since) if since else None

    def _advance(
        self, job_id: str, stage: str, progress: dict[str, Any] | None = None, **results: str | None
    ) -> None:
        with self.database.write() as session:
            was = jobs.get(session, job_id).stage
            jobs.advance(session, job_id, stage=stage, progress=progress, **results)
        if stage != was:
            _log.info("%s", ": ".join(filter(None, (f"job {job_id}", stage, *results.values()))))

    def _install_base(self, assistant: Assistant) -> None:
        """Make sure that the base is a version, as the gateway does when it starts."""
        with self.database.write() as session:
            versions.install_base(session, versions.bare(assistant))

    def _dataset_folder(self, dataset_id: str) -> Path:
        with self.database.read() as session:
            return self.artifacts.fetch(session.get_one(Dataset, dataset_id).path)

    def _spec(self, assistant: Assistant, recipe: Recipe, dataset_id: str) -> Spec:
        with self.database.read() as session:
            dataset = session.get_one(Dataset, dataset_id)
            parent = versions.champion(session, assistant.name).id
        return Spec(
            assistant=assistant.name,
            base_model=assistant.base_model,
            base_hash=base_hash(assistant.base_model),
            dataset_id=dataset.id,
            dataset_hash=dataset.content_hash,
            dataset_folder=self.artifacts.fetch(dataset.path),
            parent=parent,
            recipe=recipe,
            max_length=_longest(recipe, assistant),
            threads=self._threads(),
            accelerator_lock=self.settings.home / "accelerator.lock",
        )

    def _threads(self) -> int:
        return self.settings.trainer_threads or os.cpu_count() or 1

    def _on_engines(self, job_id: str, work: Callable[[Engine], Coroutine[Any, Any, None]]) -> None:
        """Do something on every engine, waiting for those that are starting."""

        async def everywhere() -> None:
            for url in self.settings.engines:
                async with Engine(url) as engine:
                    await self._ready(engine)
                    await work(engine)

        self._interruptible(job_id, everywhere())

    async def _ready(self, engine: Engine) -> None:
        deadline = time.monotonic() + self.settings.engine_wait_seconds
        while not await engine.healthy():
            if time.monotonic() >= deadline:
                raise EngineUnavailable(
                    f"No engine answers at {engine.url}: start one with `understudy up` or "
                    "`understudy engine`, or set UNDERSTUDY_ENGINE_URLS."
                )
            await asyncio.sleep(_LOOK_SECONDS)

    def _interruptible(self, job_id: str, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine to its end, or leave it when the job is to be left."""

        async def watch() -> ResultT:
            task = asyncio.create_task(work)
            try:
                while not task.done():
                    await asyncio.wait({task}, timeout=_LOOK_SECONDS)
                    await asyncio.to_thread(self.interruption.check, job_id)
                return task.result()
            finally:
                if not task.done():
                    task.cancel()
                    await asyncio.wait({task})

        return asyncio.run(watch())


def case_lines(assistant: Assistant) -> dict[str, int]:
    """The line of the assistant's cases file on which each case stands, by the case's id.

    Raises:
        ConfigurationError: the file is not there, or holds no case.
    """
    from evaluation.cases import parse_cases

    if assistant.cases is None:
        return {}
    try:
        lines = Path(assistant.cases).read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"The cases file {assistant.cases} cannot be read.") from error
    found = {
        case.id: number
        for number, line in enumerate(lines, start=1)
        for case in parse_cases([line]).cases
    }
    if not found:
        raise ConfigurationError(f"The cases file {assistant.cases} holds no case.")
    return found


def longest_first(path: Path) -> list[list[dict[str, Any]]]:
    """The messages of a dataset's file, those with the most characters first."""
    found = [row.chat() for row in read_rows(path)]
    return sorted(found, key=lambda messages: -sum(len(m["content"]) for m in messages))


def _longest(recipe: Recipe, assistant: Assistant) -> int:
    return min(recipe.max_length, assistant.engine.max_model_len)


def _peft_config(recipe: Recipe) -> dict[str, Any]:
    from tuning.training.lora import lora_config

    found: dict[str, Any] = lora_config(recipe).to_dict()
    return found


def _gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _free_memory_mb() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
