"""A search for a recipe with the real trainer: kill -9 in a later trial, and the budget holds."""

import signal
from pathlib import Path

import pytest

from records import jobs, versions
from records.artifacts import Artifacts
from records.database import Database
from records.states import JobState
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.workflow.test_durable import alive, ended, wait_for
from tests.tuning.workflow.test_worker_killed import trainers_of, worker
from tuning.settings import WorkerSettings
from tuning.training.job_folder import JobFolder

pytestmark = pytest.mark.alone
BUDGET_SECONDS = 100.0


def test_it_goes_on_within_what_is_left_and_the_best_trials_adapter_is_the_version(
    settings: WorkerSettings, store: Database, shelf: Artifacts, tmp_path: Path
) -> None:
    write_assistant(tmp_path / "assistants", engine={"max_model_len": 512, "max_lora_rank": 8})
    teach(store, lessons(520))
    recipe = {"epochs": 1, "batch_size": 8, "rank": 4, "checkpoint_steps": 6}
    with store.write() as session:
        job_id = jobs.request(
            session,
            "support",
            requested_by="tester",
            options={"recipe": recipe, "budget_seconds": BUDGET_SECONDS},
        ).id
    trials = settings.jobs / job_id / "trials"
    second = JobFolder(trials / f"{job_id}-trial-2")
    with worker(settings) as first:
        wait_for(lambda: bool(list(second.checkpoints.glob("checkpoint-*/complete"))), seconds=240)
        trainers = trainers_of(first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        wait_for(lambda: not any(alive(pid) for pid in trainers), seconds=5)
    assert trainers
    with worker(settings):
        job = ended(store, job_id, seconds=400)
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    with store.read() as session:
        found = versions.get(session, str(job.version)).manifest["search"]
    print(f"{found['spent_seconds']} of {BUDGET_SECONDS} s;", *found["trials"], sep="\n")
    assert len(found["trials"]) >= 2
    assert found["trials"][0]["values"]["learning_rate"] == pytest.approx(2e-4)
    assert found["spent_seconds"] <= BUDGET_SECONDS * 1.1
    assert found["report"]["prompts"] >= 20
    assert (shelf.fetch(f"adapters/{job.version}") / "search.png").is_file()
    lines, _ = second.read_progress()
    assert lines == []  # trials are gone once the best one is kept
