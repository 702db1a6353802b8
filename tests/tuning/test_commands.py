"""The command `retrain`: what it asks for, what it shows, how it ends."""

import json
from collections.abc import Sequence

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from records.cli import main
from records.database import Database
from records.errors import AdapterUnservable, ConfigurationError, Conflict, InvalidInput
from records.tables import Job
from tuning.main import retrain
from tuning.settings import WorkerSettings
from tuning.workflow.watching import describe


@pytest.fixture
def run(
    settings: WorkerSettings, store: Database, monkeypatch: pytest.MonkeyPatch
) -> "type[Command]":
    monkeypatch.setenv("UNDERSTUDY_HOME", str(settings.home))
    monkeypatch.setenv("UNDERSTUDY_ASSISTANTS", str(settings.assistants))
    monkeypatch.setenv("UNDERSTUDY_ENGINE_URLS", settings.engine_urls)
    return Command


class Command:
    """Runs the command in this process."""

    def __new__(cls, *arguments: str) -> Result:  # type: ignore[misc]
        return CliRunner().invoke(retrain, arguments)


def test_a_request_carries_its_changes_of_the_recipe(run: type[Command], store: Database) -> None:
    done = run("--no-wait", "--json", "--no-replay", "--set", "rank=8")
    assert done.exit_code == 0
    with store.read() as session:
        job = session.scalars(select(Job)).one()
    assert json.loads(done.stdout) == {"job_id": job.id}
    assert job.options == {"recipe": {"rank": 8, "replay_share": 0}}


def test_a_request_carries_a_named_recipe_and_a_budget(run: type[Command], store: Database) -> None:
    assert run("--no-wait", "--recipe", "sft_dpo", "--budget", "1h30m").exit_code == 0
    with store.read() as session:
        job = session.scalars(select(Job)).one()
    assert job.options == {"recipe": {"from": "sft_dpo"}, "budget_seconds": 5400}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("--budget", "20 minutes"), InvalidInput), (("--recipe", "best"), ConfigurationError)],
)
def test_what_is_no_budget_or_recipe_is_refused_before_a_job_is_made(
    run: type[Command], store: Database, arguments: Sequence[str], error: type[Exception]
) -> None:
    assert isinstance(run(*arguments).exception, error)
    with store.read() as session:
        assert session.scalars(select(Job)).all() == []


def test_a_second_request_is_refused_while_the_first_waits(run: type[Command]) -> None:
    run("--no-wait")
    assert isinstance(run("--no-wait").exception, Conflict)


def test_an_impossible_recipe_is_refused_before_a_job_is_made(
    run: type[Command], store: Database
) -> None:
    assert isinstance(run("--set", "use_dora=true").exception, AdapterUnservable)
    with store.read() as session:
        assert session.scalars(select(Job)).all() == []


def test_without_a_worker_the_job_runs_here_and_its_error_ends_the_command_with_1(
    run: type[Command],
) -> None:
    done = run("--json")
    assert done.exit_code == 1
    result = json.loads(done.stdout)
    assert result["state"] == "failed"
    assert "no approved correction" in result["error"]


@pytest.mark.parametrize(
    ("stage", "progress", "line"),
    [
        ("queued", {}, "queued"),
        (
            "training",
            {"step": 3, "steps": 9, "loss": 1.23456, "tokens_per_second": 6100, "seconds_left": 95},
            "training: 3/9, loss 1.235, 6,100 tokens/s, 1 min 35 s left",
        ),
        (
            "evaluating",
            {"done": 10, "total": 20, "answers_per_second": 8.25, "seconds_left": 4.0},
            "evaluating: 10/20, 8.2 answers/s, 4 s left",
        ),
    ],
)
def test_progress_is_one_line_with_rate_and_time_left(
    stage: str, progress: dict[str, object], line: str
) -> None:
    assert describe(stage, progress) == line


def test_a_search_says_which_trial_of_about_how_many_it_is_at() -> None:
    progress = {"trial": 3, "trials": 8, "best": 0.7143, "step": 1, "steps": 4}
    assert describe("searching", progress) == (
        "searching: trial 3 of about 8, best 0.714 so far, 1/4"
    )
    assert describe("searching", {"trial": 1, "trials": None}) == "searching: trial 1"


@pytest.mark.parametrize("arguments", [("retrain", "--help"), ("worker", "--help")])
def test_help_is_there_without_settings(
    arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["understudy", *arguments])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "Usage" in capsys.readouterr().out
