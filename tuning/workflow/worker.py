"""The worker: takes up requested jobs, one process per database, and may be killed at any time."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from records import jobs
from records.artifacts import Artifacts
from records.assistant import read_assistants
from records.database import AdvisoryLock, Database
from records.errors import ConfigurationError, StorageError
from records.ids import utc_now
from tuning.settings import WorkerSettings
from tuning.training.locks import is_held, try_exclusive
from tuning.workflow.automatic import request_due
from tuning.workflow.durable import Workflows
from tuning.workflow.interruption import Interruption
from tuning.workflow.retraining import Retraining
from tuning.workflow.tidying import tidy_ended
from tuning.workflow.trainer_process import TRAINERS

_log = logging.getLogger(__name__)


@contextmanager
def only_worker(settings: WorkerSettings, database: Database) -> Iterator[bool]:
    """Hold the right to be the worker; yields False where another process has it.

    On PostgreSQL the right is the database's, so that workers on two hosts exclude each other.
    """
    with contextlib.ExitStack() as stack:
        file = try_exclusive(_lock(settings))
        if file is None:
            yield False
            return
        stack.enter_context(file)
        if not database.is_sqlite:
            connection = stack.enter_context(database.engine.connect())
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()  # the lock is the connection's: it must close, not be pooled
            query = f"SELECT pg_try_advisory_lock({AdvisoryLock.WORKER:d})"
            if not connection.exec_driver_sql(query).scalar_one():
                yield False
                return
        yield True


def worker_runs(settings: WorkerSettings) -> bool:
    """Whether a worker runs on this machine's state."""
    return is_held(_lock(settings))


def _lock(settings: WorkerSettings) -> Path:
    return settings.home / "worker.lock"


@contextmanager
def ready_file(settings: WorkerSettings) -> Iterator[None]:
    """Say, by a file with our pid, that the worker is up."""
    path = settings.home / "worker.ready"
    path.write_text(f"{os.getpid()}\n")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            if int(path.read_text()) == os.getpid():
                path.unlink()


class Worker:
    """Runs jobs until it is told to stop. Use as a context manager, under `only_worker`."""

    def __init__(
        self,
        settings: WorkerSettings,
        database: Database,
        artifacts: Artifacts,
        *,
        stopping: threading.Event | None = None,
        trainer: Sequence[str] | None = None,
    ) -> None:
        """Prepare a worker that ends when `stopping` is set; `trainer` other than the backend's."""
        self.stopping = stopping or threading.Event()
        self._settings, self._database = settings, database
        self._look_at = 0.0
        self._artifacts = artifacts
        work = Retraining(
            settings,
            database,
            artifacts,
            interruption=Interruption(database, stopping=self.stopping),
            trainer=trainer or TRAINERS[settings.backend],
        )
        self._workflows = Workflows(settings, work)

    def __enter__(self) -> "Worker":
        self._tidy()
        self._workflows.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._workflows.__exit__()

    def serve(self) -> None:
        """Take up jobs until `stopping` is set."""
        while not self.stopping.is_set():
            try:
                self.look()
                self.take_up()
            except StorageError as error:
                _log.warning("%s Trying again.", error)
            self.stopping.wait(self._settings.worker_poll_seconds)

    def look(self) -> None:
        """Ask for the retrainings that are due, now and then."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + self._settings.retrain_look_seconds
        try:
            assistants = read_assistants(self._settings.assistants)
        except ConfigurationError as error:
            _log.warning("Nothing is retrained by itself: %s", error)
            return
        for job in request_due(self._database, assistants.values(), now=utc_now()):
            _log.info("job %s was asked for by the %s", job.id, job.requested_by)

    def _tidy(self) -> None:
        """Drop what ended jobs left, and copies of datasets that were erased elsewhere."""
        try:
            tidy_ended(self._database, self._settings.jobs)
            self._artifacts.drop_erased("datasets")
        except (StorageError, ConfigurationError) as error:
            _log.warning("What is not needed any more was not all removed: %s", error)

    def take_up(self) -> None:
        """Start what waits; what runs goes on."""
        with self._database.read() as session:
            active = jobs.active(session)
        for job in active:
            self._workflows.start(job)
