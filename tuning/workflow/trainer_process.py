"""The trainer as the worker's child: started, followed, ended at once when its job is."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from records.errors import TrainingFailed, UnderstudyError
from records.offline import OFFLINE
from tuning.ray.settings import Backend
from tuning.training.job_folder import END_WITH_STDIN, JobFolder

TRAINER: tuple[str, ...] = (sys.executable, "-m", "tuning.training.train")
TRAINERS: Mapping[Backend, tuple[str, ...]] = {
    Backend.LOCAL: TRAINER,
    Backend.RAY: (sys.executable, "-m", "tuning.ray.train"),
}
"""What trains a job's folder, by where trainings run."""
_REPOSITORY = Path(__file__).resolve().parents[2]
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 2.0


class TrainerLost(TrainingFailed):
    """The trainer's process was killed; started again, it goes on from its last checkpoint."""


def run_trainer(
    folder: JobFolder,
    *,
    threads: int,
    nice: int = 0,
    on_progress: Callable[[Mapping[str, Any]], None],
    check: Callable[[], None],
    command: Sequence[str] = TRAINER,
) -> Path:
    """Train in a child process and return the adapter's folder; a finished one is returned at once.

    `check` is called a few times a second; what it raises ends the child first.

    Raises:
        TrainingFailed, StorageFull: the trainer's own reason.
        TrainerLost: it was killed before it could tell one.
    """
    if folder.adapter.exists():
        return folder.adapter
    folder.clear_error()
    arguments = [*command, str(folder.path), END_WITH_STDIN]
    with _child(arguments, folder, threads=threads, nice=nice) as process:
        _, told = folder.read_progress()
        while (exit_code := process.poll()) is None:
            check()
            lines, told = folder.read_progress(start=told)
            if lines:
                on_progress(lines[-1])
            time.sleep(_LOOK_SECONDS)
    lines, _ = folder.read_progress(start=told)
    if lines:
        on_progress(lines[-1])
    if not folder.adapter.exists():
        raise _reason(folder, exit_code)
    return folder.adapter


def _reason(folder: JobFolder, exit_code: int) -> UnderstudyError:
    told = folder.read_error(exit_code=exit_code)
    if exit_code >= 0 or (folder.path / "error.json").exists():
        return told
    return TrainerLost(
        f"The trainer was killed (signal {-exit_code}), for want of memory most likely: lower "
        "max_length, take a smaller base, or let less else run on this machine. All that it said: "
        f"{folder.log}"
    )


def trainer_environment(*, threads: int) -> dict[str, str]:
    """What a trainer's process needs to be told before it loads torch."""
    paths = [str(_REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return {
        **OFFLINE,
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin on shared cores take five times the time
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }


@contextmanager
def _child(
    command: Sequence[str], folder: JobFolder, *, threads: int, nice: int
) -> Iterator["subprocess.Popen[bytes]"]:
    """A child whose standard input we hold: when we end, however, it ends."""
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=trainer_environment(threads=threads),
            start_new_session=True,  # Ctrl-C reaches the worker, which decides
        )
        _step_back(process.pid, nice)
    try:
        yield process
    finally:
        _end(process)


def _step_back(pid: int, nice: int) -> None:
    """Let others on the same cores go first; threads that start later have it from the first."""
    with contextlib.suppress(OSError):  # it has ended already, or we are lower ourselves
        os.setpriority(os.PRIO_PROCESS, pid, nice)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
