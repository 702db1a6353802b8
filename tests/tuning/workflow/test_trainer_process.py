"""The trainer's process: steps back for others, is told its threads, and tells how it ended."""

import os
import sys
from pathlib import Path

import pytest

from records.errors import TrainingFailed
from tuning.training.job_folder import JobFolder
from tuning.workflow.trainer_process import TrainerLost, run_trainer

SAYS_NICE = """
import os, pathlib, sys, threading
folder = pathlib.Path(sys.argv[1])
said = []
thread = threading.Thread(target=lambda: said.append(os.getpriority(os.PRIO_PROCESS, 0)))
thread.start()
thread.join()
(folder / "nice").write_text(f"{os.nice(0)} {said[0]} {os.environ['OMP_NUM_THREADS']}")
(folder / "adapter").mkdir()
"""


def run(folder: JobFolder, code: str, *, nice: int = 0) -> Path:
    return run_trainer(
        folder,
        threads=3,
        nice=nice,
        on_progress=lambda _: None,
        check=lambda: None,
        command=(sys.executable, "-c", code),
    )


def test_the_trainer_and_its_threads_step_back(tmp_path: Path) -> None:
    wanted = max(os.nice(0), 12)
    run(JobFolder(tmp_path), SAYS_NICE, nice=12)
    assert (tmp_path / "nice").read_text() == f"{wanted} {wanted} 3"


def test_the_last_news_of_a_trainer_that_was_quick_are_told(tmp_path: Path) -> None:
    quick = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "progress.jsonl").write_text('{"stage": "loading"}\\n{"stage": "saving"}\\n')
(folder / "adapter").mkdir()
"""
    told: list[str] = []
    run_trainer(
        JobFolder(tmp_path),
        threads=1,
        on_progress=lambda line: told.append(line["stage"]),
        check=lambda: None,
        command=(sys.executable, "-c", quick),
    )
    assert told[-1] == "saving"


def test_a_kill_is_told_from_a_failure(tmp_path: Path) -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(TrainerLost, match=r"signal 9.*memory most likely.*trainer\.log"):
        run(JobFolder(tmp_path), killed)
    with pytest.raises(TrainingFailed, match="last words") as failed:
        run(JobFolder(tmp_path), "import sys; sys.exit('last words')")
    assert not isinstance(failed.value, TrainerLost)


def test_a_trainer_that_told_its_reason_before_it_was_killed_is_believed(tmp_path: Path) -> None:
    told = """
import os, pathlib, signal, sys
error = '{"kind": "StorageFull", "message": "No space is left."}'
(pathlib.Path(sys.argv[1]) / "error.json").write_text(error)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with pytest.raises(Exception, match="No space is left") as failed:
        run(JobFolder(tmp_path), told)
    assert not isinstance(failed.value, TrainerLost)
