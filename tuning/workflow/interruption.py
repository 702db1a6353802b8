"""Why a job is left before its end: it was cancelled, or the worker stops."""

import threading

from records import jobs
from records.database import Database
from records.states import JobState


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
        """Go on, or not.

        Raises:
            JobCancelled, WorkerStopping: leave the job.
        """
        if self._stopping.is_set():
            raise WorkerStopping
        with self._database.read() as session:
            state = jobs.get(session, job_id).state
        if state is JobState.CANCELLED:
            raise JobCancelled(job_id)
