"""The real trainer, killed, with a damaged checkpoint, on a full disk: seen from the worker."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.database import Database
from records.states import JobState
from records.tables import Version
from tests.tuning.build import lessons, teach
from tests.tuning.workflow.test_durable import count, ended, job_of, request, wait_for
from tests.tuning.workflow.test_faults import stages
from tuning.settings import WorkerSettings
from tuning.training.job_folder import JobFolder
from tuning.workflow.stages import Stage
from tuning.workflow.trainer_process import TRAINER
from tuning.workflow.worker import Worker

pytestmark = pytest.mark.alone
RECIPE = {"epochs": 3, "batch_size": 4, "rank": 4, "checkpoint_steps": 3, "held_out_prompts": 0}
SMALL_FILES = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
sys.argv = sys.argv[1:]
runpy.run_module("tuning.training.train", run_name="__main__", alter_sys=False)
"""


@contextmanager
def running(
    settings: WorkerSettings, store: Database, shelf: Artifacts, trainer: Sequence[str] = TRAINER
) -> Iterator[None]:
    with Worker(settings, store, shelf, trainer=trainer) as worker:
        thread = threading.Thread(target=worker.serve)
        thread.start()
        try:
            yield
        finally:
            worker.stopping.set()
            thread.join()


def trainer_of(folder: JobFolder) -> int:
    """The process that works in a job's folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"tuning.training.train" in said and str(folder.path).encode() in said:
            return int(process.name)
    return 0


def test_a_killed_trainer_goes_on_from_the_last_checkpoint_that_is_whole(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="tuning")
    teach(store, lessons(40))
    told = stages(monkeypatch)
    with running(settings, store, shelf):
        job_id = request(store, **RECIPE)
        folder = JobFolder(settings.jobs / job_id)
        whole = lambda: sorted(  # noqa: E731
            folder.checkpoints.glob("checkpoint-*/complete"),
            key=lambda path: int(path.parent.name.split("-")[1]),
        )
        wait_for(lambda: len(whole()) > 1, seconds=120)
        trainer = trainer_of(folder)
        os.kill(trainer, signal.SIGSTOP)
        before, newest = (note.parent for note in whole()[-2:])
        damage(newest / "state.pt")
        os.kill(trainer, signal.SIGKILL)
        job = ended(store, job_id, seconds=180)
        assert (job.state, job.error) == (JobState.SUCCEEDED, None)
        lines, _ = folder.read_progress()
        resumed = [line["resumed_at"] for line in lines if "resumed_at" in line]
        assert resumed == [int(before.name.split("-")[1])]
        assert told.count(Stage.TRAINER_LOST) == 1
        undisturbed = ended(store, request(store, **RECIPE), seconds=180)
    assert undisturbed.version == job.version
    assert undisturbed.dataset_id == job.dataset_id
    estimated = [r.getMessage() for r in caplog.records if "Training takes about" in r.getMessage()]
    assert len(estimated) == 1  # before the second training, by the rate of the first
    assert undisturbed.id in estimated[0]
    print(f"killed at {newest.name}, damaged; went on from {before.name}; {job.spent}")


def damage(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([byte[0] ^ 0xFF]))


def test_a_checkpoint_for_which_there_is_no_space_ends_the_job_in_words(
    settings: WorkerSettings, store: Database, shelf: Artifacts
) -> None:
    teach(store, lessons(40))
    command = (sys.executable, "-c", SMALL_FILES, "train")
    with running(settings, store, shelf, command):
        job = ended(store, request(store, **RECIPE), seconds=120)
    assert job.state is JobState.FAILED
    assert "No space is left for training" in str(job.error)
    assert count(store, Version) == 1
    assert not (settings.home / "artifacts" / "adapters").exists()
    wait_for(lambda: not (settings.jobs / job_of(store, job.id).id / "checkpoints").exists())
