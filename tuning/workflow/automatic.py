"""Retraining that nobody asks for: when enough was approved, or when its day and time have come.

Everything is derived from the records: a restart knows what was asked for before, and a clock that
jumps back finds a newer job than any time that comes due. Each job, whoever asked for it, starts
the count anew, so that one that fails or is cancelled is not asked for again at once. What came
before it and what came after is told by the order of the audit log, never by two hosts' clocks.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from records import jobs, training_data
from records.assistant import Assistant, RetrainOptions
from records.database import Database, lock_assistant
from records.hours import WEEKDAYS
from records.states import JobState, JobTrigger
from records.tables import Job
from records.training_data import News

_CATCH_UP = timedelta(hours=6)
"""How long after its time a scheduled retraining is still begun, if nothing ran at the time."""
_A_WEEK = 7
_FIRST_REST = timedelta(hours=1)
_LONGEST_REST = timedelta(days=1)
_LOOKED_BACK = 8
"""So many jobs tell how long to rest."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def is_due(
    options: RetrainOptions, news: News, *, last_job_at: datetime | None, now: datetime
) -> JobTrigger | None:
    """What asks for a retraining now, if anything does. Pure.

    Args:
        options: the assistant's rules.
        news: corrections that were approved since the last job; where there are none, nothing is
            due, for the training would repeat itself.
        last_job_at: when the last job of the assistant was asked for.
        now: an aware time.
    """
    if options.after_examples and news.count >= options.after_examples:
        return JobTrigger.THRESHOLD
    moment = last_moment(options, now)
    if moment is None or now - moment > _CATCH_UP:
        return None
    passed = last_job_at is not None and last_job_at >= moment
    in_time = news.first_at is not None and news.first_at <= moment
    return JobTrigger.SCHEDULE if in_time and not passed else None


def last_moment(options: RetrainOptions, now: datetime) -> datetime | None:
    """The newest scheduled time that is not after `now`; None without a schedule.

    A time that a change of clocks skips is an hour later then; one that comes twice counts once.
    """
    zone = ZoneInfo(options.timezone)
    today = now.astimezone(zone).date()
    for back in range(_A_WEEK + 1):
        day = today - timedelta(days=back)
        if WEEKDAYS[day.weekday()] in options.days:
            moment = datetime.combine(day, options.at.replace(tzinfo=zone)).astimezone(now.tzinfo)
            if moment <= now:
                return moment
    return None


def request_due(database: Database, assistants: Iterable[Assistant], *, now: datetime) -> list[Job]:
    """Ask for the retrainings that are due, one per assistant at most; returns them."""
    requested = []
    for assistant in assistants:
        if not assistant.retrain.after_examples and not assistant.retrain.days:
            continue
        with database.read() as session:
            due = _due(session, assistant, now)
        if due is not None:
            with database.write() as session:
                requested += request_if_due(session, assistant, now)
    return requested


def request_if_due(session: Session, assistant: Assistant, now: datetime) -> list[Job]:
    """Look again under the lock: somebody may have asked in the meantime."""
    lock_assistant(session, assistant.name)
    due = _due(session, assistant, now)
    return [jobs.request(session, assistant.name, requested_by=due)] if due is not None else []


def _due(session: Session, assistant: Assistant, now: datetime) -> JobTrigger | None:
    if jobs.active_of(session, assistant.name) is not None:
        return None
    requests = jobs.last_requests(session, assistant.name, most=_LOOKED_BACK)
    last = requests[0] if requests else None
    news = training_data.approved_after(session, assistant.name, last)
    last_at = last.job.created_at if last is not None else None
    due = is_due(assistant.retrain, news, last_job_at=last_at, now=now)
    rests = now < rests_until([request.job for request in requests])
    return None if rests and due is JobTrigger.THRESHOLD else due


def rests_until(newest_first: Sequence[Job]) -> datetime:
    """Until when nothing is asked for by number, for what was asked for so failed of late. Pure.

    An hour after the first failure, twice as long after each further one, a day at most. Where
    something is broken, each new example would else begin another job that fails.
    """
    of_late = takewhile(lambda job: job.state is JobState.FAILED, newest_first)
    failed = [job for job in of_late if job.requested_by in set(JobTrigger)]
    if not failed or failed[0].finished_at is None:
        return _NEVER
    return failed[0].finished_at + min(_LONGEST_REST, _FIRST_REST * (1 << len(failed) - 1))
