"""What may go wrong around a job, one thing at a time: it ends once, in words, or goes on.

Deaths of the worker's process are in `test_faults_killed.py`, databases in
`test_faults_database.py`, the real trainer's in `test_faults_training.py`.
"""

import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from records import jobs
from records.artifacts import Artifacts
from records.database import Database
from records.errors import EngineInterrupted
from records.ids import utc_now
from records.states import JobState
from records.tables import Dataset, OutboxMessage, Report, Version
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.engine import ProvingEngine
from tests.tuning.workflow.test_durable import (
    alive,
    count,
    ended,
    job_of,
    pid_of,
    request,
    running,
    wait_for,
)
from tuning.dataset import snapshot
from tuning.settings import WorkerSettings
from tuning.training.locks import exclusive
from tuning.workflow.interruption import Interruption
from tuning.workflow.retraining import Retraining
from tuning.workflow.stages import Stage
from tuning.workflow.telling import Telling

STEPS = (
    "snapshot", "preflight", "train", "publish", "prove", "evaluate", "verify_fixes", "succeed"
)  # fmt: skip
Attempt = Callable[..., Any]


def write_cases(path: Path, number: int = 20) -> Path:
    """Cases that no lesson of these tests is like."""
    lines = [
        {
            "messages": [{"role": "user", "content": f"A question that never trained {n}?"}],
            "reference": "Yes.",
            "slice": {"knowledge": "known"},
        }
        for n in range(number)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def around_steps(patch: pytest.MonkeyPatch, around: Callable[..., Any]) -> None:
    """Let `around(attempt, name)` do each step: `attempt` does it once, as the worker would."""
    real = Retraining.attempt

    def attempt(self: Retraining, name: str, *arguments: Any) -> Any:
        return around(lambda: real(self, name, *arguments), name)

    patch.setattr(Retraining, "attempt", attempt)


def stages(patch: pytest.MonkeyPatch) -> list[str]:
    """The stages as they will be told, in order, without repetitions."""
    told: list[str] = []
    note = Telling.note

    def noted(self: Telling, job_id: str, stage: str, *arguments: Any, **results: Any) -> None:
        note(self, job_id, stage, *arguments, **results)
        if told[-1:] != [str(stage)]:
            told.append(str(stage))

    patch.setattr(Telling, "note", noted)
    return told


def messages(store: Database) -> Counter[str]:
    with store.read() as session:
        return Counter(str(kind) for kind in session.scalars(select(OutboxMessage.kind)))


@pytest.mark.slow
def test_each_step_done_twice_changes_nothing_more(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_assistant(tmp_path / "assistants", cases=write_cases(tmp_path / "cases.jsonl"))
    teach(store, lessons(12))
    done: Counter[str] = Counter()

    def twice(attempt: Attempt, name: str) -> Any:
        first = attempt()
        if name == "snapshot":
            teach(store, [("Approved in between?", "Yes.")])
        again = attempt()
        assert again == first
        done[name] += 1
        return again

    around_steps(monkeypatch, twice)
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert done == Counter(STEPS)
    assert (count(store, Dataset), count(store, Version), count(store, Report)) == (1, 2, 1)
    assert messages(store)["report_ready"] == messages(store)["job_started"] == 1
    assert set(job.spent["steps"]) == {*STEPS} - {"succeed"}
    assert job.spent["seconds"] >= job.spent["accelerator_seconds"] > 0
    wait_for(lambda: not (settings.jobs / job.id / "adapter").exists())


def test_an_engine_that_restarts_while_it_is_proved_is_waited_for(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    proving_engine: ProvingEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teach(store, lessons(12))
    told = stages(monkeypatch)

    def fails_at_first(attempt: Attempt, name: str) -> Any:
        if name == "prove":
            proving_engine.healthy = False
            proving_engine.loaded.clear()
        return attempt()

    def come_back(_: Interruption, job_id: str, seconds: float) -> None:
        proving_engine.healthy = True

    around_steps(monkeypatch, fails_at_first)
    monkeypatch.setattr(Interruption, "pause", come_back)
    with running(settings.model_copy(update={"engine_wait_seconds": 60.0}), store, shelf):
        job = ended(store, request(store))
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert told[-3:] == [Stage.PROVING, Stage.ENGINE_AWAY, Stage.PROVING]
    assert list(proving_engine.loaded) == [job.version]


def test_an_engine_that_stays_away_ends_the_job_with_its_address(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    proving_engine: ProvingEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teach(store, lessons(12))

    def stop(attempt: Attempt, name: str) -> Any:
        proving_engine.healthy = name != "prove"
        return attempt()

    around_steps(monkeypatch, stop)
    with running(settings.model_copy(update={"engine_wait_seconds": 1.0}), store, shelf):
        job = ended(store, request(store))
    assert job.state is JobState.FAILED
    assert f"No engine answers at {proving_engine.url}" in str(job.error)
    assert messages(store)["report_ready"] == 0


def test_cancelling_while_examples_are_cleaned_leaves_no_dataset(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teach(store, lessons(12))
    cleaned = Retraining._cleaning

    def cancelling(self: Retraining, job_id: str, asked: Any) -> Callable[[Any], None]:
        on_progress = cleaned(self, job_id, asked)

        def cancel(figures: Any) -> None:
            on_progress(figures)
            with store.write() as session:
                jobs.cancel(session, job_id, actor="tester")

        return cancel

    monkeypatch.setattr(Retraining, "_cleaning", cancelling)
    with running(settings, store, shelf):
        job = ended(store, request(store))
        wait_for(lambda: not (settings.jobs / job.id).exists())
    assert (job.state, job.error) == (JobState.CANCELLED, None)
    assert count(store, Dataset) == 0
    assert not (settings.home / "artifacts" / "datasets").exists()


@pytest.mark.slow
def test_cancelling_while_the_engine_is_waited_for_ends_the_waiting(
    settings: WorkerSettings, store: Database, shelf: Artifacts, proving_engine: ProvingEngine
) -> None:
    teach(store, lessons(12))
    proving_engine.healthy = False
    with running(settings.model_copy(update={"engine_wait_seconds": 600.0}), store, shelf):
        job_id = request(store)
        wait_for(lambda: job_of(store, job_id).stage == Stage.ENGINE_AWAY)
        with store.write() as session:
            jobs.cancel(session, job_id, actor="tester")
        proving_engine.healthy = True
        assert ended(store, request(store)).state is JobState.SUCCEEDED
    assert job_of(store, job_id).state is JobState.CANCELLED


@pytest.mark.slow
def test_an_engine_that_dies_while_versions_are_compared_is_asked_again(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    proving_engine: ProvingEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_assistant(tmp_path / "assistants", cases=write_cases(tmp_path / "cases.jsonl"))
    teach(store, lessons(12))
    failures: list[str] = []
    real = Retraining.evaluate

    def evaluate(self: Retraining, job_id: str, version_id: str) -> str | None:
        report_id = real(self, job_id, version_id)
        if not failures:
            failures.append("evaluate")
            raise EngineInterrupted("the engine's core died")
        return report_id

    monkeypatch.setattr(Retraining, "evaluate", evaluate)
    with running(settings.model_copy(update={"engine_wait_seconds": 60.0}), store, shelf):
        job = ended(store, request(store))
    assert failures == ["evaluate"]
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert messages(store)["report_ready"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "state"), [("killed once", "succeeded"), ("killed", "failed")])
def test_a_trainer_that_is_killed_is_started_again_but_not_for_ever(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    state: str,
) -> None:
    monkeypatch.setenv("MODE", mode)
    teach(store, lessons(12))
    told = stages(monkeypatch)
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert job.state == state
    assert told.count(Stage.TRAINER_LOST) == (1 if mode == "killed once" else 2)
    assert job.error is None or "for want of memory most likely" in job.error


@pytest.mark.slow
@pytest.mark.parametrize("where", ["scratch", "dataset", "adapter"])
def test_a_full_disk_is_a_sentence_and_the_next_job_goes_well(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    teach(store, lessons(12))
    real = shutil.copytree

    def full(*arguments: Any, **options: Any) -> Any:
        if where == "scratch" or f"{where}s/" in str(arguments[1]):
            raise OSError(28, "No space left on device")
        return real(*arguments, **options)

    with running(settings, store, shelf):
        with monkeypatch.context() as patch:
            if where == "scratch":
                patch.setattr(snapshot, "write_files", full)
            else:
                patch.setattr(shutil, "copytree", full)
            job = ended(store, request(store))
        assert job.state is JobState.FAILED
        assert "space" in str(job.error)
        left = [p for p in (settings.home / "artifacts").rglob("*") if p.name.startswith(".")]
        assert left == []
        assert ended(store, request(store)).state is JobState.SUCCEEDED


@pytest.mark.slow
@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(days=3)])
def test_a_clock_that_jumps_while_a_job_runs_doubles_and_delays_nothing(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    jump: timedelta,
) -> None:
    write_assistant(tmp_path / "assistants", cases=write_cases(tmp_path / "cases.jsonl"))
    teach(store, lessons(12))

    def jumps(attempt: Attempt, name: str) -> Any:
        if name == "train":
            for module in (jobs, "records.outbox", "evaluation.run"):
                target = module if isinstance(module, str) else module.__name__
                monkeypatch.setattr(f"{target}.utc_now", lambda: utc_now() + jump)
        return attempt()

    around_steps(monkeypatch, jumps)
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.finished_at >= job.started_at
    assert 0 < job.spent["seconds"] < 600
    assert messages(store)["report_ready"] == 1


@pytest.mark.slow
def test_the_second_of_two_assistants_waits_for_the_accelerator_and_can_be_cancelled(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = write_assistant(tmp_path / "assistants") / "support.yaml"
    (tmp_path / "assistants" / "sales.yaml").write_text(
        file.read_text().replace("name: support", "name: sales")
    )
    teach(store, lessons(12))
    sold = [(f"What does product {n} cost?", answer) for n, (_, answer) in enumerate(lessons(12))]
    teach(store, sold, assistant="sales")
    with contextlib.ExitStack() as other:
        other.enter_context(exclusive(settings.home / "accelerator.lock"))
        with running(settings, store, shelf):
            with store.write() as session:
                second = jobs.request(session, "sales", requested_by="tester").id
            first = request(store)
            for job_id in (first, second):
                wait_for(lambda job_id=job_id: job_of(store, job_id).stage == Stage.WAITING)
            waiting = pid_of(settings, second)
            with store.write() as session:
                jobs.cancel(session, second, actor="tester")
            wait_for(lambda: not alive(waiting), seconds=5)
            assert job_of(store, first).stage == Stage.WAITING
            other.close()
            done = ended(store, first)
    assert done.state is JobState.SUCCEEDED
    assert done.spent["accelerator_seconds"] < done.spent["steps"]["train"]["seconds"]
    assert job_of(store, second).state is JobState.CANCELLED
