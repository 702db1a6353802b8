"""Retraining that nobody asks for: due when it should be, and never twice."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from records import jobs
from records.assistant import Assistant, RetrainOptions
from records.database import Database
from records.hours import WEEKDAYS
from records.ids import utc_now
from records.states import ExampleSource, ExampleState, JobState, JobTrigger
from records.tables import Dataset, DatasetExample, Example, Job
from records.training_data import News
from tests.records.at_once import at_once
from tests.tuning.build import lessons, teach
from tuning.workflow.automatic import is_due, last_moment, request_due, request_if_due

MONDAY = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
ON_MONDAYS = RetrainOptions(days=("monday",), at=time(3, 0))
LONG_AGO = News(1, MONDAY - timedelta(days=30))
NOTHING = News(0, None)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(("count", "due"), [(0, None), (49, None), (50, "threshold")])
def test_enough_newly_approved_examples_ask_for_a_retraining(count: int, due: str | None) -> None:
    options = RetrainOptions(after_examples=50)
    news = News(count, MONDAY if count else None)
    assert is_due(options, news, last_job_at=None, now=MONDAY) == due


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (MONDAY - MINUTE, None),
        (MONDAY, "schedule"),
        (MONDAY + 6 * HOUR, "schedule"),
        (MONDAY + 6 * HOUR + MINUTE, None),
        (MONDAY + DAY, None),
    ],
)
def test_a_schedule_is_due_at_its_time_and_for_some_hours_after(
    now: datetime, due: str | None
) -> None:
    assert is_due(ON_MONDAYS, LONG_AGO, last_job_at=None, now=now) == due


def test_a_scheduled_retraining_with_nothing_new_is_left_out() -> None:
    now = MONDAY + HOUR
    assert is_due(ON_MONDAYS, NOTHING, last_job_at=None, now=now) is None
    later = News(3, MONDAY + MINUTE)
    assert is_due(ON_MONDAYS, later, last_job_at=None, now=now) is None


def test_a_retraining_after_the_scheduled_time_stands_for_it() -> None:
    now = MONDAY + HOUR
    assert is_due(ON_MONDAYS, LONG_AGO, last_job_at=MONDAY, now=now) is None
    assert is_due(ON_MONDAYS, LONG_AGO, last_job_at=MONDAY - MINUTE, now=now) == "schedule"


def test_a_schedule_keeps_to_its_own_time_zone_and_its_change_of_clocks() -> None:
    options = RetrainOptions(days=("sunday",), at=time(2, 30), timezone="Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")
    skipped = last_moment(options, datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert skipped == datetime(2026, 3, 29, 3, 30, tzinfo=berlin)
    twice = last_moment(options, datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_without_days_no_time_comes() -> None:
    assert last_moment(RetrainOptions(), MONDAY) is None


@given(
    hours=st.lists(st.integers(0, 24 * 28), min_size=1, max_size=60),
    days=st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    at=st.times(),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Chatham"]),
)
def test_however_a_clock_jumps_no_scheduled_time_counts_twice(
    hours: list[int], days: set[str], at: time, zone: str
) -> None:
    options = RetrainOptions.model_validate({"days": tuple(days), "at": at, "timezone": zone})
    asked: list[datetime] = []
    moments = []
    for hour in hours:
        now = MONDAY + timedelta(hours=hour)
        last = max(asked, default=None)
        if is_due(options, LONG_AGO, last_job_at=last, now=now):
            asked.append(now)
            moments.append(last_moment(options, now))
    assert len(moments) == len(set(moments))


@given(minutes=st.integers(0, 60 * 24 * 365))
def test_the_last_scheduled_time_is_at_most_a_week_ago(minutes: int) -> None:
    now = MONDAY + timedelta(minutes=minutes)
    moment = last_moment(ON_MONDAYS, now)
    assert moment is not None
    assert timedelta() <= now - moment < timedelta(days=7)
    assert moment.weekday() == 0


# --- by the records ---


def with_rules(assistant: Assistant, **rules: object) -> Assistant:
    options = RetrainOptions.model_validate(rules)
    return assistant.model_copy(update={"retrain": options})


def asked(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Job.requested_by).order_by(Job.created_at)))


def test_a_threshold_asks_once_and_counts_anew_after_each_job(
    database: Database, assistant: Assistant
) -> None:
    small = with_rules(assistant, after_examples=3)
    teach(database, lessons(2))
    assert request_due(database, [small], now=utc_now()) == []
    teach(database, lessons(3))
    (job,) = request_due(database, [small], now=utc_now())
    assert request_due(database, [small], now=utc_now()) == []
    with database.write() as session:
        jobs.advance(session, job.id, stage="collecting examples")
        jobs.finish(session, job.id, state=JobState.FAILED, error="No engine answers.")
    assert request_due(database, [small], now=utc_now()) == []
    teach(database, [(f"Another {n}?", "Yes.") for n in range(3)])
    assert len(request_due(database, [small], now=utc_now() + 2 * HOUR)) == 1
    assert asked(database) == ["threshold", "threshold"]


def fail(database: Database, job: Job) -> None:
    with database.write() as session:
        jobs.finish(session, job.id, state=JobState.FAILED, error="No GPU.")


def test_a_job_that_fails_is_not_asked_for_again_though_the_approver_has_a_fast_clock(
    database: Database, assistant: Assistant
) -> None:
    teach(database, lessons(1))
    with database.write() as session:
        session.scalars(select(Example)).one().decided_at = utc_now() + 5 * MINUTE
    small = with_rules(assistant, after_examples=1)
    for hours in range(0, 200, 10):
        for job in request_due(database, [small], now=utc_now() + hours * HOUR):
            fail(database, job)
    assert asked(database) == ["threshold"]


def test_what_fails_again_and_again_is_tried_less_and_less_often(
    database: Database, assistant: Assistant
) -> None:
    small, rested = with_rules(assistant, after_examples=1), []
    for number in range(8):
        teach(database, [(f"Question {number}?", "Yes.")])
        hours = next(h for h in range(40) if request_due(database, [small], now=in_hours(h)))
        with database.read() as session:
            (job,) = jobs.active(session)
        fail(database, job)
        rested.append(hours)
    assert rested == [0, 2, 3, 5, 9, 17, 25, 25]


def in_hours(hours: int) -> datetime:
    return utc_now() + hours * HOUR - MINUTE * (hours > 0)


def test_a_training_that_ends_well_ends_the_rest(database: Database, assistant: Assistant) -> None:
    small = with_rules(assistant, after_examples=1)
    teach(database, lessons(1))
    fail(database, request_due(database, [small], now=utc_now())[0])
    with database.write() as session:
        job = jobs.request(session, "support", requested_by="U0OLGA")
        jobs.finish(session, job.id, state=JobState.SUCCEEDED)
    teach(database, [("Another?", "Yes.")])
    assert len(request_due(database, [small], now=utc_now())) == 1


def test_what_a_job_took_in_though_it_was_approved_after_its_request_is_no_news(
    database: Database, assistant: Assistant
) -> None:
    with database.write() as session:
        job = jobs.request(session, "support", requested_by="U0OLGA")
    teach(database, lessons(1))
    with database.write() as session:
        session.add(Dataset(id="ds-1", assistant="support", content_hash="h", path="p", card={}))
        session.flush()
        example = session.scalars(select(Example.id)).one()
        session.add(DatasetExample(dataset_id="ds-1", example_id=example, split="train"))
        jobs.advance(session, job.id, stage="training", dataset_id="ds-1")
        jobs.finish(session, job.id, state=JobState.SUCCEEDED)
    small = with_rules(assistant, after_examples=1)
    assert request_due(database, [small], now=utc_now()) == []
    teach(database, [("Another?", "Yes.")])
    assert len(request_due(database, [small], now=utc_now())) == 1


def test_a_job_that_somebody_cancelled_is_not_asked_for_again_at_once(
    database: Database, assistant: Assistant
) -> None:
    small = with_rules(assistant, after_examples=3)
    teach(database, lessons(3))
    (job,) = request_due(database, [small], now=utc_now())
    with database.write() as session:
        jobs.cancel(session, job.id, actor="U0OLGA")
    assert request_due(database, [small], now=utc_now()) == []


def add(database: Database, source: ExampleSource, key: str) -> None:
    with database.write() as session:
        session.add(
            Example(
                assistant="support",
                key=key,
                source=source,
                prompt=[],
                chosen="Yes.",
                state=ExampleState.APPROVED,
                created_by="somebody",
                decided_at=utc_now(),
            )
        )


@pytest.mark.parametrize("source", list(ExampleSource))
def test_the_teams_words_are_news_and_customers_words_are_none(
    database: Database, assistant: Assistant, source: ExampleSource
) -> None:
    add(database, source, "1")
    wanted = request_due(database, [with_rules(assistant, after_examples=1)], now=utc_now())
    assert len(wanted) == (0 if source.is_customers_word else 1)


def test_what_customers_say_later_asks_for_no_second_retraining(
    database: Database, assistant: Assistant
) -> None:
    small = with_rules(assistant, after_examples=1)
    add(database, ExampleSource.DOCUMENT, "1")
    (job,) = request_due(database, [small], now=utc_now())
    with database.write() as session:
        jobs.finish(session, job.id, state=JobState.SUCCEEDED)
    for number, source in enumerate(s for s in ExampleSource if s.is_customers_word):
        add(database, source, f"said {number}")
    assert request_due(database, [small], now=utc_now()) == []


def test_each_assistant_counts_for_itself_and_none_waits_for_another(
    database: Database, assistant: Assistant
) -> None:
    small = with_rules(assistant, after_examples=3)
    sales = small.model_copy(update={"name": "sales"})
    quiet = small.model_copy(update={"name": "quiet"})
    teach(database, lessons(3))
    teach(database, [(f"What does {n} cost?", "Nine.") for n in range(3)], assistant="sales")
    teach(database, [("Hello?", "Hello.")], assistant="quiet")
    due = request_due(database, [small, quiet, sales], now=utc_now())
    assert sorted(job.assistant for job in due) == ["sales", "support"]
    fail(database, due[0])
    teach(database, [("One more?", "Yes.")], assistant="quiet")
    teach(database, [("And more?", "Yes.")], assistant="quiet")
    (third,) = request_due(database, [small, quiet, sales], now=utc_now())
    assert third.assistant == "quiet"


def test_while_a_job_runs_none_is_asked_for(database: Database, assistant: Assistant) -> None:
    teach(database, lessons(5))
    with database.write() as session:
        jobs.request(session, "support", requested_by="U0OLGA")
    assert request_due(database, [with_rules(assistant, after_examples=1)], now=utc_now()) == []


def test_of_two_who_look_at_once_one_asks(database: Database, assistant: Assistant) -> None:
    teach(database, lessons(5))
    small, now = with_rules(assistant, after_examples=1), utc_now()
    second = at_once(
        database,
        lambda session: request_if_due(session, small, now),
        lambda session: request_if_due(session, small, now),
    )
    assert second == []
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_a_schedule_asks_by_the_records(database: Database, assistant: Assistant) -> None:
    teach(database, lessons(1))
    now = utc_now() + HOUR
    weekday = WEEKDAYS[now.weekday()]
    daily = with_rules(assistant, days=[weekday], at=now.time().replace(tzinfo=None))
    (job,) = request_due(database, [daily], now=now)
    assert job.requested_by == JobTrigger.SCHEDULE
