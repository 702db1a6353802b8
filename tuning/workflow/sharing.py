"""One accelerator for the engine that serves and for trainings: how much memory is whose.

The worker looks at a GPU through NVIDIA's own program: to look through torch would take half a
gigabyte of the GPU for as long as the worker lives.
"""

import os
import subprocess
from dataclasses import dataclass

_MEGABYTE = 1 << 20
_LOOK = ("nvidia-smi", "--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits")
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the accelerator, or of the machine where it trains on CPU; in megabytes."""

    total_mb: int
    free_mb: int

    def share_mb(self, share: float) -> int | None:
        """What a training may take in all; None, for a share of 0: all that is free."""
        return int(self.total_mb * share) if share else None

    def left_mb(self, share: float) -> int:
        """What a training can count on now."""
        most = self.share_mb(share)
        return self.free_mb if most is None else min(most, self.free_mb)


def has_gpu() -> bool:
    """Whether trainings run on a GPU; asks the driver alone, where it can."""
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    import torch

    return bool(torch.cuda.is_available())


def memory() -> Memory:
    """What there is, and what is free."""
    if has_gpu():
        found = _gpu_memory()
        if found is not None:
            return found
    from tuning.training import hardware

    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MEGABYTE
    return Memory(total, hardware.free_megabytes())


def _gpu_memory() -> Memory | None:
    """The memory of the GPU that torch would take first; None where that program isn't there."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip() or "0"
    try:
        done = subprocess.run(
            [*_LOOK, f"--id={chosen}"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return read_memory(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def read_memory(said: str) -> Memory:
    """The program's answer: `81559, 80994`, in mebibytes.

    Raises:
        ValueError: it is something else.
    """
    total, free = said.strip().splitlines()[0].split(",")
    return Memory(int(total), int(free))
