"""The retraining as a durable workflow (DBOS): what is done is not done again after a crash.

One process at a time may launch DBOS on a database; `worker.py` holds the lock for that. Nothing
is registered on import.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DatabaseError

from records.errors import StorageUnavailable, UnderstudyError
from records.states import JobState
from records.tables import Job
from tuning.settings import WorkerSettings
from tuning.training.job_folder import storage_error
from tuning.workflow.interruption import JobCancelled
from tuning.workflow.retraining import Retraining

_NAME = "understudy"
_WORKFLOW = "retrain"
_VERSION = "3"
"""Pinned: DBOS leaves jobs of another version alone. Raise it only when the steps change."""
_EXECUTOR = "worker"
_LEAVING_SECONDS, _LOOK_SECONDS = 10.0, 0.05
_ENDED_BADLY = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_log = logging.getLogger(__name__)


class Workflows:
    """DBOS, launched for one worker. Use as a context manager."""

    def __init__(self, settings: WorkerSettings, work: Retraining) -> None:
        """Prepare; nothing runs before the `with` block."""
        self._settings, self._work = settings, work
        self._retrain: Callable[[str], None] | None = None
        self._running: set[str] = set()

    def __enter__(self) -> "Workflows":
        from dbos import DBOS

        DBOS(
            config={
                "name": _NAME,
                "system_database_url": self._settings.workflow_database,
                "application_version": _VERSION,
                "executor_id": _EXECUTOR,
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": 0.2,  # also how long closing takes
            }
        )

        @DBOS.workflow(name=_WORKFLOW)
        def retrain(job_id: str) -> None:
            self._running.add(job_id)
            try:
                run(self._work, job_id, step=self._step)
            finally:
                self._running.discard(job_id)

        self._retrain = retrain
        try:
            DBOS.launch()  # jobs that were cut off go on from here
        except DatabaseError as error:
            DBOS.destroy(destroy_registry=True)
            raise StorageUnavailable(
                f"The workflows' own database cannot be used ({error.orig}). Where it is a file, "
                f"{self._settings.home / 'dbos.sqlite'}, move it away: jobs that run start anew."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Wait a little for steps that leave, so that their trainers have ended, then close."""
        from dbos import DBOS

        deadline = time.monotonic() + _LEAVING_SECONDS
        while self._running and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        DBOS.destroy(destroy_registry=True)

    def _step(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do a step unless it was done before; then its result is what it was."""
        from dbos import DBOS

        return DBOS.run_step({"name": name}, self._work.attempt, name, work, *arguments)

    def start(self, job: Job) -> None:
        """Run a job, unless it runs or is about to; one that nobody will end is failed."""
        from dbos import DBOS, SetWorkflowID

        status = DBOS.get_workflow_status(job.id)
        if status is None:
            assert self._retrain is not None, "use the workflows as a context manager"
            _log.info("job %s: %s, asked for by %s", job.id, job.assistant, job.requested_by)
            with SetWorkflowID(job.id):
                DBOS.start_workflow(self._retrain, job.id)
        elif status.status in _ENDED_BADLY and job.state is not JobState.CANCELLED:
            self._work.fail(job.id, f"The job ended without a result ({status.status}).")
        elif status.app_version != _VERSION:
            self._work.fail(
                job.id, "An earlier release of Understudy began this job. Ask for it again."
            )


def run(work: Retraining, job_id: str, *, step: Callable[..., Any]) -> None:
    """The sequence; `step(name, function, *arguments)` runs a function and keeps its result."""
    try:
        dataset_id = step("snapshot", work.snapshot, job_id)
        step("preflight", work.preflight, job_id, dataset_id)
        adapter = step("train", work.train, job_id, dataset_id)
        version_id = step("publish", work.publish, job_id, adapter)
        step("prove", work.prove, job_id, version_id)
        report_id = step("evaluate", work.evaluate, job_id, version_id)
        step("verify_fixes", work.verify_fixes, job_id, version_id)
        step("succeed", work.succeed, job_id, report_id)
        # Here the job ends: whether customers get the version is for a person to decide.
    except JobCancelled:
        _log.info("job %s was cancelled", job_id)
    except UnderstudyError as error:
        step("fail", work.fail, job_id, str(error))
    except Exception as error:  # noqa: BLE001 - the workflow's edge: every job ends with a sentence
        _log.exception("job %s failed", job_id)
        step("fail", work.fail, job_id, _sentence(error))
    work.leave(job_id)


def _sentence(error: Exception) -> str:
    full = storage_error(error)
    if full is not None:
        return str(full)
    return f"Unexpected {type(error).__name__}: {error}. The worker's log says more."
