"""Curves for the trackers that people use, written on this machine; none is needed.

(Accelerate's adapters do the work.)
"""

import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from records.errors import ConfigurationError


class Tracker(StrEnum):
    """A tracker's name, which is also its package's."""

    TRACKIO = "trackio"
    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"
    WANDB = "wandb"


def read_trackers(setting: str) -> tuple[Tracker, ...]:
    """The trackers of a comma-separated setting.

    Raises:
        ConfigurationError: an unknown name, or a package that is not installed.
    """
    names = [name.strip() for name in setting.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Tracker)]
    if unknown:
        raise ConfigurationError(
            f"UNDERSTUDY_REPORT_TO names {', '.join(unknown)}; there are "
            f"{', '.join(Tracker)} (several with commas, or nothing)."
        )
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    if absent:
        raise ConfigurationError(
            f"UNDERSTUDY_REPORT_TO wants {', '.join(absent)}, which is not installed: "
            f"`.venv/bin/python -m pip install {' '.join(absent)}`, or take it out."
        )
    return tuple(Tracker(name) for name in names)


class Trackers:
    """A run's curves, in each tracker that is wanted."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        folder: Path | None,
        project: str,
        run: str,
        settings: Mapping[str, Any],
    ) -> None:
        """Begin a run in each; `folder` holds what they write, `settings` is what it was run with.

        Raises:
            ConfigurationError: an unknown name, or a package that is not installed.
        """
        wanted = read_trackers(",".join(names))
        self._open: list[Any] = []
        if not wanted or folder is None:
            return
        for name in wanted:
            place = folder / name
            place.mkdir(parents=True, exist_ok=True)
            tracker = _OPENERS[name](place, project, run)
            tracker.start()
            tracker.store_init_configuration(
                {key: value for key, value in settings.items() if isinstance(value, _PLAIN)}
            )
            self._open.append(tracker)

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        """Add a point to each curve."""
        for tracker in self._open:
            tracker.log(dict(values), step=step)

    def close(self) -> None:
        """Write what is left."""
        for tracker in self._open:
            tracker.finish()
        self._open = []


_PLAIN = (bool, int, float, str)


def _tensorboard(folder: Path, project: str, run: str) -> Any:
    from accelerate.tracking import TensorBoardTracker

    return TensorBoardTracker(f"{project}/{run}", folder)


def _wandb(folder: Path, project: str, run: str) -> Any:
    from accelerate.tracking import WandBTracker

    return WandBTracker(project, name=run, dir=str(folder), mode="offline")


def _trackio(folder: Path, project: str, run: str) -> Any:
    os.environ.setdefault("TRACKIO_DIR", str(folder))
    from accelerate.tracking import TrackioTracker

    return TrackioTracker(project, name=run)


def _mlflow(folder: Path, project: str, run: str) -> Any:
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    from accelerate.tracking import MLflowTracker

    return MLflowTracker(project, logging_dir=str(folder / "artifacts"), run_name=run)


_OPENERS: Mapping[Tracker, Callable[[Path, str, str], Any]] = {
    Tracker.TENSORBOARD: _tensorboard,
    Tracker.WANDB: _wandb,
    Tracker.TRACKIO: _trackio,
    Tracker.MLFLOW: _mlflow,
}
