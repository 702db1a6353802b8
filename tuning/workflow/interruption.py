"""Why a job is left before its end: it was cancelled, or the worker stops."""

import threading

from records import jobs
from records.database import Database
from records.errors import StorageUnavailable
from records.states import JobState

_LOOK_SECONDS = 0.5


class JobCancelled(Exception):
    """Somebody cancelled the job."""


class WorkerStopping(BaseException):
    """The worker ends; the job stays as it is and goes on when a worker runs again.

    No `Exception`, so that DBOS does not take it for the job's outcome.
    """


class Interruption:
    """Looked at between and within steps."""

    def __init__(self, database: Database, *, stopping: threading.Event) -> None:
        """Watch the job's record and the worker's `stopping`."""
        self._database, self._stopping = database, stopping

    def check(self, job_id: str) -> None:
        """Go on, or not. While the records are away nobody can have cancelled: go on.

        Raises:
            JobCancelled, WorkerStopping: leave the job.
        """
        if self._stopping.is_set():
            raise WorkerStopping
        try:
            with self._database.read() as session:
                state = jobs.get(session, job_id).state
        except StorageUnavailable:
            return
        if state is JobState.CANCELLED:
            raise JobCancelled(job_id)

    def pause(self, job_id: str, seconds: float) -> None:
        """Let time pass, but leave the job at once where it is to be left.

        Raises:
            JobCancelled, WorkerStopping: leave the job.
        """
        while seconds > 0:
            self.check(job_id)
            self._stopping.wait(min(seconds, _LOOK_SECONDS))
            seconds -= _LOOK_SECONDS
        self.check(job_id)
