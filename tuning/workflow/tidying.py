"""What is left of jobs on this machine's disk, once they have ended."""

import contextlib
import shutil
from pathlib import Path

from records import jobs
from records.database import Database
from records.errors import NotFound

_NEEDED_TO_GO_ON = (
    "dataset", "checkpoints", "trials", "initial", "adapter.arriving", "adapter.chosen", "adapter"
)  # fmt: skip
"""By a job that runs. What was made lies in the artifact store; what was told (log, progress,
specification) stays."""


def tidy(folder: Path) -> None:
    """Remove from a job's folder what only an unfinished job needs."""
    for name in _NEEDED_TO_GO_ON:
        shutil.rmtree(folder / name, ignore_errors=True)
    with contextlib.suppress(OSError):  # there is something to keep, or nothing at all
        folder.rmdir()


def tidy_ended(database: Database, folders: Path) -> list[str]:
    """Tidy up after jobs that have ended while no worker ran, or in the moment of its end."""
    if not folders.is_dir():
        return []
    tidied = []
    for folder in sorted(path for path in folders.iterdir() if path.is_dir()):
        if any((folder / name).exists() for name in _NEEDED_TO_GO_ON) and _ended(
            database, folder.name
        ):
            tidy(folder)
            tidied.append(folder.name)
    return tidied


def _ended(database: Database, job_id: str) -> bool:
    try:
        with database.read() as session:
            return jobs.get(session, job_id).state not in jobs.ACTIVE
    except NotFound:
        return False  # another database's
