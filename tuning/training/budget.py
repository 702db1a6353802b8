"""What a training may take of a GPU that others use too."""

import torch

_MEGABYTE = 1 << 20


def keep_within(memory_mb: int | None) -> None:
    """Let this process take no more of its GPU's memory; None: whatever is free.

    The engine beside it keeps what is its own then, and a training that wants more sees its own
    memory short, for which it halves its batches. On a CPU nothing is held back: the plan of a step
    keeps to it.
    """
    if memory_mb is None or not torch.cuda.is_available():
        return
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, memory_mb * _MEGABYTE / total))
