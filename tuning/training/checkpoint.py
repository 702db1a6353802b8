"""Where a run is, on disk: enough to go on as if nothing had happened."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tuning.training.job_folder import JobFolder

_FILE = "state.pt"


@dataclass(slots=True)
class State:
    """Where a run is. Vectors are adapters, as `Flat` has them."""

    values: Tensor
    start: Tensor
    """The adapter before this phase."""
    phase: int = 0
    step: int = 0
    """Steps done of this phase."""
    steps_before: int = 0
    """Steps done of earlier phases."""
    optimiser: dict[str, Any] = field(default_factory=dict)
    best: Tensor | None = None
    best_score: tuple[float, ...] | None = None
    best_step: int | None = None
    looks_since_best: int = 0
    tokens: int = 0
    """Trained on so far."""
    at_once: int = 0
    """Examples that go through the model together."""
    checkpointing: bool = False
    loss_sum: float = 0.0
    loss_steps: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False
    time_is_up: bool = False

    @property
    def total_step(self) -> int:
        """Steps done of the whole run."""
        return self.steps_before + self.step


def save(state: State, folder: JobFolder) -> Path:
    """Write a checkpoint; the one before it stays until this one is whole.

    Raises:
        OSError, RuntimeError: it cannot be written.
    """
    checkpoint = folder.checkpoints / f"checkpoint-{state.total_step}"
    checkpoint.mkdir(parents=True, exist_ok=True)
    kept = {name: getattr(state, name) for name in State.__slots__}
    torch.save(kept, checkpoint / _FILE)
    folder.mark_complete(checkpoint)
    folder.keep_last_checkpoints()
    return checkpoint


def load(folder: JobFolder, *, device: torch.device) -> State | None:
    """The newest checkpoint's state, if it is as it was written; None where a run begins."""
    checkpoint = folder.last_checkpoint()
    if checkpoint is None:
        return None
    kept = torch.load(checkpoint / _FILE, map_location=device, weights_only=True)
    return State(**kept)
