"""The actor that runs one training on the cluster: begins it, and again after each loss.

It sits on the cluster's head, so that the loss of no other node takes it along, and belongs to the
process that asked for the training, so that it and its workers end with that. Ray Train would begin
again by itself, but can't tell a lost worker from a recipe that fails each time, and waits for
ever for a node that doesn't come back.
"""

import os
import shutil
import threading
from collections.abc import Mapping
from typing import Any

from tuning.ray.host import scratch_of
from tuning.ray.plan import Plan, sizes
from tuning.ray.work import work
from tuning.workflow.stages import Stage

_STUCK = 3
"""So many failures in a row without a new checkpoint between them are no losses."""
_GATHERING_SECONDS = 6 * 3600
"""Longer than the first of a team measures at the end; who dies is noticed by Ray, in seconds."""
_TRAIN_SETTINGS = {
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "1",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
}


class Foreman:
    """Begins a training, hears its workers, and keeps their news until they are asked for."""

    def __init__(self, plan: Plan, *, elapsed_seconds: float) -> None:
        """Prepare; `elapsed_seconds` were spent on this training before."""
        self._plan, self._elapsed = plan, elapsed_seconds
        self._lock = threading.Lock()
        self._news: list[dict[str, Any]] = []
        self._said: list[str] = []
        self._outcome: dict[str, Any] = {}
        self._step, self._workers = 0, plan.workers

    # --- what workers tell ---

    def tell(self, line: Mapping[str, Any]) -> None:
        """Progress, as the local trainer writes it."""
        with self._lock:
            self._news.append({"workers": self._workers, **line})
            self._elapsed = max(self._elapsed, line.get("elapsed_seconds") or 0.0)

    def say(self, text: str) -> None:
        """A line for the training's log."""
        with self._lock:
            self._said.append(text)

    def elapsed(self) -> float:
        """Seconds spent on this training so far."""
        return self._elapsed

    def kept(self, step: int) -> None:
        """A checkpoint is in the store."""
        self._step = max(self._step, step)

    def conclude(self, outcome: Mapping[str, Any]) -> None:
        """The training's end: the adapter's digest, or an error that no new beginning mends."""
        with self._lock:
            self._outcome = self._outcome or dict(outcome)

    # --- what the asking process asks ---

    def news(self) -> tuple[list[dict[str, Any]], list[str]]:
        """What was told, and what was said, since last time."""
        with self._lock:
            news, self._news, said, self._said = self._news, [], self._said, []
        return news, said

    def run(self, me: Any) -> dict[str, Any]:
        """Train to the end; `me` is this actor's handle. Returns what was concluded."""
        os.environ.update(_TRAIN_SETTINGS)
        os.environ["RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"] = str(self._plan.wait_seconds)
        losses = stuck = 0
        while True:
            step = self._step
            error = self._attempt(me)
            if self._outcome:
                return self._outcome
            if error is None:
                return _failed("The cluster's workers ended without an adapter.")
            if _did_not_start(error):
                tried, room = self._workers, self._room()
                self._workers = sizes(self._plan.workers, tried=tried, room=room)
                self.tell({"stage": Stage.CLUSTER})
                continue
            losses, stuck = losses + 1, 0 if self._step > step else stuck + 1
            self.say(f"training was cut off for the {losses}. time: {error}")
            if losses > self._plan.losses or stuck >= _STUCK:
                return _failed(f"Training failed on the cluster {losses} times: {_cause(error)}")
            self._workers = self._plan.workers
            self.tell({"stage": Stage.WORKER_LOST})

    def _attempt(self, me: Any) -> Exception | None:
        """Train with as many workers as are wanted now; the error that ended it."""
        from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
        from ray.train.torch import TorchConfig, TorchTrainer

        own = scratch_of(self._plan) / "ray-train"  # Ray Train wants one; nothing lies there
        trainer = TorchTrainer(
            work,
            train_loop_config={"plan": self._plan, "foreman": me},
            torch_config=TorchConfig(backend=self._plan.gathers_by, timeout_s=_GATHERING_SECONDS),
            scaling_config=ScalingConfig(
                num_workers=self._workers,
                use_gpu=self._plan.gpus > 0,
                resources_per_worker=self._plan.wants,
            ),
            run_config=RunConfig(
                name=self._plan.name,
                storage_path=str(own),
                failure_config=FailureConfig(max_failures=0, controller_failure_limit=0),
            ),
        )
        try:
            trainer.fit()
        except TrainingFailedError as error:
            failure: Exception = error
            return failure
        finally:
            shutil.rmtree(own / self._plan.name, ignore_errors=True)
        return None

    def _room(self) -> int:
        """For how many workers the cluster has resources now, counted over all of it."""
        import ray

        free = ray.available_resources()
        wants = self._plan.wants.items()
        return min(int(free.get(name, 0.0) / amount) for name, amount in wants if amount)


def _did_not_start(error: Exception) -> bool:
    """Whether workers weren't all there in time: a cluster that is busy, small or growing."""
    cause = getattr(error, "controller_failure", None)
    return type(cause).__name__ in (
        "WorkerGroupStartupTimeoutError",
        "WorkerGroupStartupFailedError",
    )


def _failed(message: str) -> dict[str, Any]:
    return {"kind": "TrainingFailed", "message": message}


def _cause(error: Exception) -> str:
    """The last line of what Ray says about a failure: the error itself, after its traceback."""
    failures = getattr(error, "worker_failures", None) or {0: error}
    lines = str(next(iter(failures.values()))).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
