"""What a job takes: added up over steps and attempts, priced, and never lost with the news."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import jobs
from records.database import Database
from records.errors import StorageUnavailable
from records.ids import utc_now
from records.jobs import Price, Spent
from records.states import JobState
from records.tables import Job
from tuning.workflow.spending import Meter
from tuning.workflow.stages import Stage
from tuning.workflow.telling import Telling


def requested(database: Database) -> str:
    with database.write() as session:
        return jobs.request(session, "support", requested_by="U1").id


def job_of(database: Database, job_id: str) -> Job:
    with database.read() as session:
        return jobs.get(session, job_id)


@given(laps=st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 4), st.booleans()), max_size=20))
def test_a_meter_loses_and_doubles_nothing(laps: list[tuple[float, int, bool]]) -> None:
    now = seconds = held = noted_seconds = noted_held = 0.0
    accelerators = 0
    meter = Meter("train", clock=lambda: now)
    for passed, wanted, note in laps:
        now += passed
        seconds, held = seconds + passed, held + passed * accelerators
        meter.hold(wanted)
        accelerators = wanted
        if note:
            read = meter.read()
            meter.take_off(read)
            noted_seconds += read.seconds
            noted_held += read.accelerator_seconds
    rest = meter.read()
    assert noted_seconds + rest.seconds == pytest.approx(seconds)
    assert noted_held + rest.accelerator_seconds == pytest.approx(held)


def test_steps_and_attempts_add_up_with_their_cost(sqlite: Database) -> None:
    job_id, price = requested(sqlite), Price(7.2, "EUR")
    for step, spent in [
        ("snapshot", Spent(10)),
        ("train", Spent(100, 90)),
        ("train", Spent(60, 60)),
    ]:
        with sqlite.write() as session:
            jobs.spend(session, job_id, step=step, spent=spent, price=price)
    assert job_of(sqlite, job_id).spent == {
        "seconds": 170,
        "accelerator_seconds": 150,
        "steps": {
            "snapshot": {"seconds": 10, "accelerator_seconds": 0},
            "train": {"seconds": 160, "accelerator_seconds": 150},
        },
        "cost": 0.3,
        "currency": "EUR",
    }


def test_without_a_price_no_cost_is_told(sqlite: Database) -> None:
    job_id = requested(sqlite)
    with sqlite.write() as session:
        jobs.spend(session, job_id, step="train", spent=Spent(1, 1), price=Price(0, "EUR"))
        jobs.expect(session, job_id, training_seconds=12.34)
        jobs.spend(session, job_id, step="train", spent=Spent(1, 1))
    spent = job_of(sqlite, job_id).spent
    assert "cost" not in spent
    assert (spent["seconds"], spent["expected_training_seconds"]) == (2, 12.3)


def test_a_clock_that_was_set_back_makes_no_job_end_before_it_began(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for how in ("finish", "cancel"):
        job_id = requested(sqlite)
        with sqlite.write() as session:
            jobs.advance(session, job_id, stage=Stage.TRAINING)
            with monkeypatch.context() as patch:
                patch.setattr(jobs, "utc_now", lambda: utc_now() - timedelta(days=1))
                if how == "finish":
                    jobs.finish(session, job_id, state=JobState.FAILED, error="x")
                else:
                    jobs.cancel(session, job_id, actor="U1")
        ends.append(job_of(sqlite, job_id))
    assert all(job.started_at and job.finished_at >= job.started_at for job in ends)


def test_news_of_one_stage_come_once_a_second_and_a_new_stage_at_once(sqlite: Database) -> None:
    job_id, telling = requested(sqlite), Telling(sqlite)
    telling.tell(job_id, Stage.WAITING)
    for step in range(50):
        telling.tell(job_id, Stage.TRAINING, {"step": step})
    job = job_of(sqlite, job_id)
    assert (job.stage, job.progress) == ("training", {"step": 0})
    assert job.revision == 2


def test_news_that_cannot_be_told_fail_nothing_and_results_do(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, telling = requested(sqlite), Telling(sqlite)

    def gone(*_: object, **__: object) -> None:
        raise StorageUnavailable("gone")

    with telling.metered(job_id, "train"):
        with monkeypatch.context() as patch:
            patch.setattr(jobs, "advance", gone)
            telling.tell(job_id, Stage.TRAINING)
            with pytest.raises(StorageUnavailable):
                telling.note(job_id, Stage.DATASET, dataset_id="ds-1")
        telling.note(job_id, Stage.TRAINING)
    assert job_of(sqlite, job_id).spent["steps"].keys() == {"train"}
