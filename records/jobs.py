"""Retraining jobs: requested by anyone, run by the worker, read by all."""

from dataclasses import dataclass
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


def finish(session: Session, job_id: str, *, state: JobState, error: str | None = None) -> None:
    """Note the end of a job; a job that has ended stays as it is."""
    job = get(session, job_id)
    if job.state not in ACTIVE:
        return
    job.state, job.error, job.finished_at = state, error, utc_now()
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
    job.state, job.finished_at, job.stage = JobState.CANCELLED, utc_now(), "cancelled"
    audit.note(session, actor=actor, action=_CANCELLED, subject=job_id)
    _tell(session, job)


def _tell(session: Session, job: Job) -> None:
    job.revision += 1
    outbox.put(session, outbox.Kind.JOB_CHANGED, job.id, revision=job.revision)
