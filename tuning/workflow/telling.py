"""How far jobs are, told to the records: for Slack, for terminals, and for the bill.

News alone must not fail a job: where the records are away, what only informs is left out.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from records import jobs
from records.database import Database
from records.errors import StorageError
from records.jobs import Price
from tuning.workflow.spending import Meter

_NEWS_SECONDS = 1.0
"""No more often is a stage's progress told."""
_log = logging.getLogger(__name__)


class Telling:
    """News of all jobs of a worker. Threads may share it; a job is one thread's."""

    def __init__(self, database: Database, *, price: Price | None = None) -> None:
        """Tell into these records; `price` is what an hour of an accelerator costs."""
        self._database, self._price = database, price
        self._meters: dict[str, Meter] = {}
        self._told: dict[str, tuple[str, float]] = {}

    @contextmanager
    def metered(self, job_id: str, step: str) -> Iterator[None]:
        """Count what a step takes; the last of it is noted when the block ends, however it does."""
        self._meters[job_id] = Meter(step)
        try:
            yield
        finally:
            try:
                with self._database.write() as session:
                    self._spend(session, job_id)
            except StorageError as error:
                _log.warning("job %s: what %s took is not noted: %s", job_id, step, error)
            del self._meters[job_id]

    def hold(self, job_id: str, accelerators: int) -> None:
        """So many accelerators work for the job from now on."""
        if job_id in self._meters:
            self._meters[job_id].hold(accelerators)

    def note(
        self, job_id: str, stage: str, progress: Mapping[str, Any] | None = None, **results: str
    ) -> None:
        """Note a stage, and results that must not be lost.

        Raises:
            StorageError: it is not noted.
        """
        with self._database.write() as session:
            was = jobs.get(session, job_id).stage
            jobs.advance(session, job_id, stage=stage, progress=dict(progress or {}), **results)
            self._spend(session, job_id)
        self._told[job_id] = (stage, time.monotonic())
        if stage != was:
            _log.info("%s", ": ".join(filter(None, (f"job {job_id}", stage, *results.values()))))

    def tell(self, job_id: str, stage: str, progress: Mapping[str, Any] | None = None) -> None:
        """Tell news: a new stage at once, more of the same at most once a second."""
        told, at = self._told.get(job_id, ("", 0.0))
        if stage == told and time.monotonic() - at < _NEWS_SECONDS:
            return
        try:
            self.note(job_id, stage, progress)
        except StorageError as error:
            _log.warning("job %s: %s, which could not be told: %s", job_id, stage, error)
            self._told[job_id] = (stage, time.monotonic())

    def expect(self, job_id: str, *, training_seconds: float) -> None:
        """Note how long the training is expected to take."""
        try:
            with self._database.write() as session:
                jobs.expect(session, job_id, training_seconds=training_seconds)
        except StorageError as error:
            _log.warning("job %s: how long it takes is not noted: %s", job_id, error)

    def forget(self, job_id: str) -> None:
        """The job has ended."""
        self._told.pop(job_id, None)

    def _spend(self, session: Any, job_id: str) -> None:
        meter = self._meters.get(job_id)
        if meter is None:
            return
        spent = meter.read()
        jobs.spend(session, job_id, step=meter.step, spent=spent, price=self._price)
        meter.take_off(spent)
