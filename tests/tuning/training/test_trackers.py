"""Curves for trackers: by setting, offline, and a sentence where a package is absent."""

import importlib.util
from pathlib import Path

import pytest

from records.errors import ConfigurationError
from tuning.training.trackers import Trackers, read_trackers


def test_none_is_needed() -> None:
    assert read_trackers(" , ") == ()
    nothing = Trackers((), folder=None, project="support", run="job_1", settings={})
    nothing.log({"loss": 1.0}, step=1)
    nothing.close()


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="there are trackio, tensorboard, mlflow, wandb"):
        read_trackers("tensorboard, visdom")


def test_a_package_that_is_not_installed_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pip install wandb"):
        read_trackers("wandb")


@pytest.mark.slow
def test_tensorboard_gets_the_curves(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trackers = Trackers(
        ("tensorboard",),
        folder=tmp_path,
        project="support",
        run="job_1",
        settings={"rank": 4, "target_modules": ["q_proj"], "method": "sft"},
    )
    for step in (1, 2):
        trackers.log({"held_out_loss": 3.0 - step}, step=step)
    trackers.close()
    events = EventAccumulator(str(tmp_path / "tensorboard" / "support" / "job_1"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("held_out_loss")] == [(1, 2.0), (2, 1.0)]
