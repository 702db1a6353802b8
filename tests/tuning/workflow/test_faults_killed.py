"""kill -9 of the worker, at each step and within each: the next one ends the job, once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.database import Database
from records.states import JobState
from records.tables import Dataset, Report, Version
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.workflow.test_durable import alive, count, ended, pid_of, request, wait_for
from tests.tuning.workflow.test_faults import STEPS, messages, write_cases
from tuning.settings import WorkerSettings
from tuning.workflow.stages import Stage

pytestmark = pytest.mark.alone
WITHIN = (
    Stage.COLLECTING, Stage.CLEANING, Stage.CHECKING, Stage.TRAINING, Stage.PROVING,
    Stage.EVALUATING,
)  # fmt: skip


@contextmanager
def worker(
    settings: WorkerSettings, *, die_at: str = "", mode: str = ""
) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {
        **os.environ,
        "UNDERSTUDY_HOME": str(settings.home),
        "UNDERSTUDY_ASSISTANTS": str(settings.assistants),
        "UNDERSTUDY_ENGINE_URLS": settings.engine_urls,
        "UNDERSTUDY_WORKER_POLL_SECONDS": "0.1",
        "DIE_AT": die_at,
        "MODE": mode,
    }
    with (settings.home / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.tuning.workflow.dying_worker"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@pytest.mark.parametrize(
    "deaths",
    [[f"end of {step}" for step in STEPS], [f"stage {stage}" for stage in WITHIN]],
    ids=["at the end of each step", "within each step"],
)
def test_a_worker_that_dies_again_and_again_ends_the_job_once(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    deaths: Sequence[str],
) -> None:
    write_assistant(settings.assistants, cases=write_cases(settings.home / "cases.jsonl"))
    teach(store, lessons(12))
    job_id = request(store)
    for die_at in deaths:
        mode = "wait" if die_at.endswith(Stage.TRAINING) else ""  # else it is over in no time
        with worker(settings, die_at=die_at, mode=mode) as process:
            assert process.wait(90) == -signal.SIGKILL, die_at
    with worker(settings):
        job = ended(store, job_id, seconds=90)
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert (count(store, Dataset), count(store, Version), count(store, Report)) == (1, 2, 1)
    assert messages(store)["job_started"] == messages(store)["report_ready"] == 1
    print(f"{len(deaths)} deaths, then: {dict(messages(store))}; {job.spent}")
    with worker(settings):  # the same data again: the same dataset, adapter and report
        again = ended(store, request(store), seconds=90)
    assert (again.dataset_id, again.version) == (job.dataset_id, job.version)
    assert messages(store)["report_ready"] == 1
    assert shelf.fetch(f"adapters/{job.version}").is_dir()


def test_of_two_workers_one_works_and_the_other_takes_over_when_it_is_killed(
    settings: WorkerSettings, store: Database
) -> None:
    teach(store, lessons(12))
    with worker(settings, mode="wait") as first:
        wait_for(lambda: ready(settings.home) == [str(first.pid)])
        job_id = request(store)
        trainer = pid_of(settings, job_id)
        with worker(settings) as second:
            said = settings.home / "worker.log"
            wait_for(lambda: "Another worker runs on this database" in said.read_text())
            assert ready(settings.home) == [str(first.pid)]
            first.kill()
            first.wait()
            wait_for(lambda: not alive(trainer), seconds=5)
            job = ended(store, job_id)
            assert ready(settings.home) == [str(second.pid)]
    assert job.state is JobState.SUCCEEDED
    assert messages(store)["job_started"] == 1


def ready(home: Path) -> list[str]:
    file = home / "worker.ready"
    return file.read_text().split() if file.exists() else []
