"""A training with a time limit ends in time, with the best that it has found until then."""

from pathlib import Path
from types import SimpleNamespace
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


def step(news: Any, number: int, *, steps: int = 100, held_out: bool = True) -> SimpleNamespace:
    """What the trainer is told at the end of a step."""
    control = SimpleNamespace(should_training_stop=False, should_save=False, should_evaluate=False)
    state = SimpleNamespace(global_step=number, max_steps=steps)
    arguments = SimpleNamespace(eval_strategy="steps" if held_out else "no")
    news.on_step_end(arguments, state, control)
    return control


def news_of(folder: Path, clock: Clock, **recipe: Any) -> Any:
    from tuning.training.news import News

    folder.mkdir(exist_ok=True)
    news = News(
        JobFolder(folder), tokens=[10] * 200, recipe=Recipe(batch_size=2, **recipe), clock=clock
    )
    news.on_train_begin(None, SimpleNamespace(global_step=0, max_steps=100), None)
    return news


def test_when_its_time_is_up_a_training_measures_keeps_and_ends(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock, max_minutes=2)
    clock.now = 119
    assert not step(news, 10).should_training_stop
    clock.now = 120
    control = step(news, 11)
    assert (control.should_training_stop, control.should_save, control.should_evaluate) == (
        True,
        True,
        True,
    )
    assert news.time_is_up
    assert not step(news_of(tmp_path, clock, max_minutes=2), 11, held_out=False).should_evaluate


def test_without_a_limit_no_time_is_too_long(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock)
    clock.now = 1e9
    assert not step(news, 50).should_training_stop
    assert not news.time_is_up


def test_a_run_that_ends_by_itself_did_not_run_out_of_time(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock, max_minutes=1)
    clock.now = 61
    assert not step(news, 100).should_training_stop
    assert not news.time_is_up


def test_time_left_is_never_more_than_the_limit_leaves(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock, max_minutes=1)
    clock.now = 40
    step(news, 10)
    lines, _ = JobFolder(tmp_path).read_progress()
    assert lines[-1]["seconds_left"] == 20


def test_no_time_left_is_told_before_two_steps_are_known(tmp_path: Path) -> None:
    clock = Clock()
    news = news_of(tmp_path, clock)
    for done in (1, 2):
        clock.now = 60.0 * done
        step(news, done)
    lines, _ = JobFolder(tmp_path).read_progress()
    assert [line["seconds_left"] is not None for line in lines] == [False, False, True]


def test_time_before_a_crash_counts(tmp_path: Path) -> None:
    JobFolder(tmp_path).append_progress({"stage": "training", "elapsed_seconds": 50.0})
    clock = Clock()
    news = news_of(tmp_path, clock, max_minutes=1)
    clock.now = 10
    assert step(news, 12).should_training_stop


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
