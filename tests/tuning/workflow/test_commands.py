"""`understudy jobs`: what was asked for, how far it is, what it took."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from records import jobs
from records.database import Database
from records.errors import NotFound
from records.jobs import Price, Spent
from records.states import JobState
from tuning.settings import WorkerSettings
from tuning.workflow.commands import jobs_, spent_words

Run = Callable[..., Result]


@pytest.fixture
def run(settings: WorkerSettings, store: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(settings.home))
    return lambda *arguments: CliRunner().invoke(jobs_, arguments)


def finished(store: Database, assistant: str = "support") -> str:
    with store.write() as session:
        job = jobs.request(session, assistant, requested_by="tester")
        price = Price(3.6, "EUR")
        jobs.advance(session, job.id, stage="training", dataset_id="ds-1")
        jobs.spend(session, job.id, step="snapshot", spent=Spent(5.5), price=price)
        jobs.spend(session, job.id, step="train", spent=Spent(200, 190), price=price)
        jobs.expect(session, job.id, training_seconds=180)
        jobs.finish(session, job.id, state=JobState.FAILED, error="No engine answers.")
        return job.id


def test_without_a_job_the_next_step_is_named(run: Run) -> None:
    assert "understudy retrain" in run().output


def test_jobs_are_listed_the_newest_first_with_state_stage_and_what_they_took(
    run: Run, store: Database
) -> None:
    first, other = finished(store), finished(store, "sales")
    with store.write() as session:
        running = jobs.request(session, "support", requested_by="threshold").id
        jobs.advance(session, running, stage="waiting for the accelerator")
    head, *rows = run().output.splitlines()
    assert head.split() == ["job", "assistant", "asked", "for", "by", "state", "stage", "took"]
    assert [row.split()[0] for row in rows] == [running, other, first]
    assert rows[0].rstrip().endswith("threshold  running  waiting for the accelerator")
    assert rows[2].endswith("3 min 26 s, accelerator 3 min 10 s, 0.19 EUR")
    assert len(run("--assistant", "sales").output.splitlines()) == 2
    assert len(run("--most", "1").output.splitlines()) == 2


def test_a_job_is_shown_with_what_each_step_took(run: Run, store: Database) -> None:
    shown = run("show", finished(store)).output
    assert "error: No engine answers." in shown
    assert "dataset_id: ds-1" in shown
    assert "training was expected to take 3 min 00 s" in shown
    assert "train     200.0 s  190.0 s" in shown
    assert shown.rstrip().endswith("in all: 3 min 26 s, accelerator 3 min 10 s, 0.19 EUR")


def test_the_same_is_there_for_programs(run: Run, store: Database) -> None:
    job_id = finished(store)
    (listed,) = json.loads(run("--json").output)
    assert listed == json.loads(run("show", job_id, "--json").output)
    assert listed["spent"]["steps"]["train"]["accelerator_seconds"] == 190


def test_an_unknown_job_is_a_sentence(run: Run) -> None:
    assert isinstance(run("show", "job_none").exception, NotFound)


def test_what_was_not_noted_is_not_said() -> None:
    assert spent_words({}) == ""
    assert spent_words({"seconds": 5.0, "accelerator_seconds": 0.0}) == "5 s"
