"""Jobs: one at a time per assistant, told to Slack once per change, ended once."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from records import jobs
from records.database import Database
from records.errors import Conflict
from records.states import JobState
from records.tables import Job, OutboxMessage
from tests.records.at_once import at_once


def test_a_second_request_waits_for_the_first(database: Database) -> None:
    with database.write() as session:
        job = jobs.request(session, "support", requested_by="U1")
        with pytest.raises(Conflict, match="queued already"):
            jobs.request(session, "support", requested_by="U2")
        jobs.finish(session, job.id, state=JobState.FAILED, error="no examples")
        jobs.request(session, "support", requested_by="U2")


def test_a_cancelled_job_stays_cancelled(database: Database) -> None:
    with database.write() as session:
        job = jobs.request(session, "support", requested_by="U1")
        jobs.cancel(session, job.id, actor="U1")
        jobs.advance(session, job.id, stage="training")
        jobs.finish(session, job.id, state=JobState.SUCCEEDED)
        with pytest.raises(Conflict):
            jobs.cancel(session, job.id, actor="U1")
    with database.read() as session:
        assert session.scalars(select(Job.state)).all() == [JobState.CANCELLED]


def test_each_change_is_told_once(database: Database) -> None:
    with database.write() as session:
        job = jobs.request(session, "support", requested_by="U1")
        for step in range(3):
            jobs.advance(session, job.id, stage="training", progress={"step": step})
        jobs.finish(session, job.id, state=JobState.SUCCEEDED)
        jobs.finish(session, job.id, state=JobState.SUCCEEDED)
    with database.read() as session:
        keys = list(session.scalars(select(OutboxMessage.key).order_by(OutboxMessage.id)))
    assert keys == [f"job_started:{job.id}:"] + [
        f"job_changed:{job.id}:{revision}" for revision in (1, 2, 3, 4)
    ]


def test_of_two_requests_at_once_one_is_refused_in_words(database: Database) -> None:
    def ask(session: Session) -> Job:
        return jobs.request(session, "support", requested_by="U1")

    with pytest.raises(Conflict, match="queued already"):
        at_once(database, ask, ask)
    with database.read() as session:
        assert len(jobs.active(session)) == 1


def test_requests_for_two_assistants_do_not_wait_for_each_other(database: Database) -> None:
    def ask(session: Session, assistant: str) -> None:
        jobs.request(session, assistant, requested_by="U1")

    at_once(database, lambda s: ask(s, "support"), lambda s: ask(s, "sales"))
    with database.read() as session:
        assert len(jobs.active(session)) == 2


def test_the_database_itself_holds_one_active_job_per_assistant(database: Database) -> None:
    states = (JobState.SUCCEEDED, JobState.FAILED, JobState.QUEUED)
    with database.write() as session:
        session.add_all(Job(assistant="support", requested_by="U1", state=s) for s in states)
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Job(assistant="support", requested_by="U1", state=JobState.RUNNING))
