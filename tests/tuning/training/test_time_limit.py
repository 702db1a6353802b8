"""A training with a time limit ends in time, with the best that it has found until then."""

from pathlib import Path
from typing import Any

import pytest

from records.adapters import read_manifest
from records.errors import ConfigurationError
from tests.tuning.training.test_train import finish, job, start
from tuning.training.job_folder import JobFolder
from tuning.training.recipe import Recipe, resolve


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def state_at(step: int, *, tokens: int = 0) -> Any:
    from tuning.training.checkpoint import State

    nothing: Any = None
    return State(values=nothing, start=nothing, step=step, tokens=tokens)


def news_of(folder: Path, clock: Clock, **recipe: Any) -> Any:
    from tuning.training.news import News

    folder.mkdir(exist_ok=True)
    news = News(JobFolder(folder), recipe=Recipe(**recipe), steps=100, clock=clock)
    news.begin(state_at(0))
    return news


def told(folder: Path) -> list[dict[str, Any]]:
    return JobFolder(folder).read_progress()[0]


def test_time_is_up_when_the_recipes_minutes_are(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock, max_minutes=2)
    clock.now = 119
    assert not news.time_is_up()
    clock.now = 120
    assert news.time_is_up()


def test_without_a_limit_no_time_is_too_long(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock)
    clock.now = 1e9
    assert not news.time_is_up()


def test_time_left_is_never_more_than_the_limit_leaves(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock, max_minutes=1)
    clock.now = 40
    news.tell(state_at(10), phase="answers", loss=1.5)
    assert told(tmp_path)[-1]["seconds_left"] == 20


def test_news_come_about_once_a_second_with_rate_and_losses(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock)
    clock.now = 0.9
    assert not news.due()
    clock.now = 10
    assert news.due()
    news.tell(state_at(10, tokens=5000), phase="pairs", held_out_loss=1.0, held_out_quality=0.5)
    assert not news.due()
    line = told(tmp_path)[-1]
    assert (line["tokens_per_second"], line["seconds_left"], line["elapsed_seconds"]) == (
        500,
        90,
        10,
    )
    assert (line["phase"], line["held_out_quality"], line["steps"]) == ("pairs", 0.5, 100)


def test_no_time_left_is_told_before_two_steps_are_known(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock)
    for done in (0, 1, 2):
        clock.now = 60.0 * done
        news.tell(state_at(done), phase="answers")
    assert [line["seconds_left"] is not None for line in told(tmp_path)] == [False, False, True]


def test_time_before_a_crash_counts(tmp_path: Path) -> None:
    JobFolder(tmp_path).append_progress({"stage": "training", "elapsed_seconds": 50.0})
    clock = Clock()
    news = news_of(tmp_path, clock, max_minutes=1)
    clock.now = 10
    assert news.time_is_up()


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), "soon"])
def test_a_limit_that_is_none_is_refused(minutes: object) -> None:
    with pytest.raises(ConfigurationError, match="max_minutes"):
        resolve({}, {"max_minutes": minutes})


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    assert resolve({}, {"method": "sft"}).method == "sft"
    with pytest.raises(ConfigurationError, match="method: Input should be 'sft'"):
        resolve({}, {"method": "magic"})


@pytest.mark.alone
def test_a_real_run_that_is_cut_leaves_an_adapter_and_says_so(tmp_path: Path) -> None:
    made = job(tmp_path, epochs=100, max_minutes=0.1)
    assert finish(start(made)) == 0
    metrics = read_manifest(made.adapter)["metrics"]
    assert metrics["time_is_up"] is True
    assert metrics["steps"] < metrics["planned_steps"]
    assert metrics["held_out_loss"] is not None
