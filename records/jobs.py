"""Retraining jobs: requested by anyone, run by the worker, read by all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, outbox
from records.database import lock_assistant
from records.errors import Conflict, NotFound
from records.ids import utc_now
from records.states import JobState
from records.tables import Audit, Job

ACTIVE = (JobState.QUEUED, JobState.RUNNING)
_REQUESTED = "retrain"
_CANCELLED = "retrain_cancel"


@dataclass(frozen=True, slots=True)
class Request:
    """A job, and where in the audit log it was asked for: that order is no clock's."""

    job: Job
    noted_as: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Time that a step took: of the clock, and of accelerators (two for a second count twice)."""

    seconds: float
    accelerator_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of an accelerator costs; 0: nobody asks."""

    per_hour: float
    currency: str


def get(session: Session, job_id: str) -> Job:
    """One job.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Job, job_id)
    if found is None:
        raise NotFound(f"No job {job_id!r}.")
    return found


def request(
    session: Session, assistant: str, *, requested_by: str, options: dict[str, Any] | None = None
) -> Job:
    """Ask the worker to retrain an assistant.

    Raises:
        Conflict: a job of this assistant waits or runs already.
    """
    lock_assistant(session, assistant)
    active = active_of(session, assistant)
    if active is not None:
        raise Conflict(f"A retraining of {assistant!r} is {active.state} already ({active.id}).")
    job = Job(assistant=assistant, requested_by=requested_by, options=options or {})
    session.add(job)
    session.flush()
    audit.note(session, actor=requested_by, action=_REQUESTED, subject=job.id)
    outbox.put(session, outbox.Kind.JOB_STARTED, job.id)
    return job


def active(session: Session) -> list[Job]:
    """Jobs that wait or run, oldest first."""
    return list(session.scalars(select(Job).where(Job.state.in_(ACTIVE)).order_by(Job.created_at)))


def active_of(session: Session, assistant: str) -> Job | None:
    """The assistant's job that waits or runs."""
    return session.scalar(
        select(Job).where(Job.assistant == assistant, Job.state.in_(ACTIVE)).limit(1)
    )


def newest(session: Session, assistant: str, *, state: JobState | None = None) -> Job | None:
    """The assistant's last job (that is in a state)."""
    query = select(Job).where(Job.assistant == assistant)
    if state is not None:
        query = query.where(Job.state == state)
    return session.scalar(query.order_by(Job.created_at.desc(), Job.id.desc()).limit(1))


def recent(session: Session, *, assistant: str | None = None, most: int) -> list[Job]:
    """The last jobs (of one assistant), the newest first."""
    query = select(Job)
    if assistant is not None:
        query = query.where(Job.assistant == assistant)
    query = query.order_by(Job.created_at.desc(), Job.id.desc())
    return list(session.scalars(query.limit(most)))


def of_report(session: Session, report_id: str) -> Job | None:
    """The job that made a report, the last one where several came to the same."""
    query = select(Job).where(Job.report_id == report_id)
    return session.scalar(query.order_by(Job.created_at.desc(), Job.id.desc()).limit(1))


def last_requests(session: Session, assistant: str, *, most: int) -> list[Request]:
    """The last jobs of an assistant, the newest first, by the order in which they were asked for.

    Jobs are asked for on several hosts, whose clocks may differ.
    """
    rows = session.execute(
        select(Job, Audit.id)
        .join(Audit, (Audit.subject == Job.id) & (Audit.action == _REQUESTED))
        .where(Job.assistant == assistant)
        .order_by(Audit.id.desc())
        .limit(most)
    )
    return [Request(job, noted_as) for job, noted_as in rows]


def cancelled_by(session: Session, job_id: str) -> str | None:
    """Who cancelled a job, where somebody did."""
    return session.scalar(
        select(Audit.actor).where(Audit.subject == job_id, Audit.action == _CANCELLED).limit(1)
    )


def advance(
    session: Session,
    job_id: str,
    *,
    stage: str,
    progress: dict[str, Any] | None = None,
    **results: str | None,
) -> None:
    """Note how far a job is; `results` are its `dataset_id`, `version` and `report_id`."""
    job = get(session, job_id)
    if job.state not in ACTIVE:
        return
    job.state, job.stage, job.progress = JobState.RUNNING, stage, progress or {}
    job.started_at = job.started_at or utc_now()
    for name, value in results.items():
        setattr(job, name, value)
    _tell(session, job)


def spend(
    session: Session, job_id: str, *, step: str, spent: Spent, price: Price | None = None
) -> None:
    """Add to what a job has spent, in all and on a step; ended jobs have spent it all the same.

    `Job.spent` holds seconds and accelerator_seconds, in all and under `steps`, and the cost with
    its currency where there is a price.
    """
    job = session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise NotFound(f"No job {job_id!r}.")
    before = job.spent or {}
    steps = dict(before.get("steps") or {})
    steps[step] = _added(steps.get(step) or {}, spent)
    job.spent = {**before, **_added(before, spent), "steps": steps}
    if price is not None and price.per_hour:
        cost = before.get("cost", 0.0) + spent.accelerator_seconds / 3600 * price.per_hour
        job.spent = {**job.spent, "cost": round(cost, 6), "currency": price.currency}


def _added(before: Mapping[str, Any], spent: Spent) -> dict[str, float]:
    more = {"seconds": spent.seconds, "accelerator_seconds": spent.accelerator_seconds}
    return {name: round(before.get(name, 0.0) + value, 3) for name, value in more.items()}


def expect(session: Session, job_id: str, *, training_seconds: float) -> None:
    """Note how long the training is expected to take, beside what it then spends."""
    job = get(session, job_id)
    job.spent = {**(job.spent or {}), "expected_training_seconds": round(training_seconds, 1)}


def finish(session: Session, job_id: str, *, state: JobState, error: str | None = None) -> None:
    """Note the end of a job; a job that has ended stays as it is."""
    job = get(session, job_id)
    if job.state not in ACTIVE:
        return
    job.state, job.error, job.finished_at = state, error, _end_of(job)
    job.stage = str(state)
    audit.note(session, actor="worker", action=f"retrain_{state}", subject=job_id, error=error)
    _tell(session, job)


def cancel(session: Session, job_id: str, *, actor: str) -> None:
    """Ask that a job ends; the worker stops its trainer as soon as it sees it.

    Raises:
        Conflict: the job has ended.
    """
    job = get(session, job_id)
    if job.state not in ACTIVE:
        raise Conflict(f"Job {job_id} is already {job.state}.")
    job.state, job.finished_at, job.stage = JobState.CANCELLED, _end_of(job), "cancelled"
    audit.note(session, actor=actor, action=_CANCELLED, subject=job_id)
    _tell(session, job)


def _end_of(job: Job) -> datetime:
    """Now, but never before the start, though a clock was set back in the meantime."""
    return max(utc_now(), job.started_at or job.created_at)


def _tell(session: Session, job: Job) -> None:
    job.revision += 1
    outbox.put(session, outbox.Kind.JOB_CHANGED, job.id, revision=job.revision)
