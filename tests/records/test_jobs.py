"""Jobs: one at a time per assistant, told to Slack once per change, ended once."""

import pytest
from sqlalchemy import select

from records import jobs
from records.database import Database
from records.errors import Conflict
from records.states import JobState
from records.tables import Job, OutboxMessage


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
