"""kill -9 of the worker in mid-training: the next one goes on, and nothing is doubled."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from records.artifacts import Artifacts
from records.database import Database
from records.states import JobState
from records.tables import OutboxMessage, Report, Version
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.workflow.test_durable import alive, ended, job_of, request, wait_for
from tuning.settings import WorkerSettings
from tuning.training.job_folder import JobFolder

pytestmark = pytest.mark.alone


@contextmanager
def worker(settings: WorkerSettings) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {
        **os.environ,
        "UNDERSTUDY_HOME": str(settings.home),
        "UNDERSTUDY_ASSISTANTS": str(settings.assistants),
        "UNDERSTUDY_ENGINE_URLS": settings.engine_urls,
    }
    with (settings.home / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "records.cli", "worker"],
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


def trainers_of(process: "subprocess.Popen[bytes]") -> list[int]:
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(pid) for file in children for pid in file.read_text().split()]


def write_cases(path: Path) -> Path:
    lines = [
        json.dumps(
            {
                "messages": [{"role": "user", "content": f"A question that never trained {n}?"}],
                "reference": "Yes.",
                "slice": {"knowledge": "known"},
            }
        )
        for n in range(20)
    ]
    path.write_text("\n".join(lines))
    return path


def test_the_job_ends_once_and_is_not_trained_from_the_start_again(
    settings: WorkerSettings, store: Database, shelf: Artifacts, tmp_path: Path
) -> None:
    write_assistant(tmp_path / "assistants", cases=write_cases(tmp_path / "cases.jsonl"))
    teach(store, lessons(80))
    job_id = request(store, epochs=2, batch_size=4, rank=4, checkpoint_steps=5)
    folder = JobFolder(settings.jobs / job_id)
    with worker(settings) as first:
        wait_for(lambda: bool(list(folder.checkpoints.glob("checkpoint-*/complete"))), seconds=180)
        trainers = trainers_of(first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        wait_for(lambda: not any(alive(pid) for pid in trainers), seconds=5)
    assert trainers
    assert job_of(store, job_id).state is JobState.RUNNING
    with worker(settings) as second:
        wait_for(
            lambda: (
                (settings.home / "worker.ready").exists()
                and (settings.home / "worker.ready").read_text().split() == [str(second.pid)]
            ),
        )
        job = ended(store, job_id, seconds=240)
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert not (settings.home / "worker.ready").exists()
    lines, _ = folder.read_progress()
    assert [line["resumed_at"] >= 5 for line in lines if "resumed_at" in line] == [True]
    with store.read() as session:
        adapters = session.scalars(select(Version.id).where(Version.adapter_path.is_not(None)))
        assert adapters.all() == [job.version]
        assert [r.id for r in session.scalars(select(Report))] == [job.report_id]
        keys = Counter(m.kind for m in session.scalars(select(OutboxMessage)))
    resumed = [line["resumed_at"] for line in lines if "resumed_at" in line]
    print(f"resumed at step {resumed}; messages to Slack by kind: {dict(keys)}")
    assert (keys["job_started"], keys["report_ready"]) == (1, 1)
    assert shelf.fetch(f"adapters/{job.version}").is_dir()
