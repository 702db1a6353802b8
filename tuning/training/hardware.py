"""What this machine's accelerator can do: device, native bfloat16, free memory. Looks, never sets.

The first two decide what an adapter's bytes are; they depend on the machine alone, not on its load.
"""

import os
from pathlib import Path

import torch

from records.errors import ConfigurationError
from tuning.training.recipe import Precision, Recipe

_MEGABYTE = 1 << 20
_NATIVE_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""What Linux calls processors that multiply bfloat16: Intel and AMD, and ARM."""


def device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def device_name() -> str:
    """For people."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def precision(recipe: Recipe) -> torch.dtype:
    """The numbers that the frozen base computes with while it is trained on."""
    if recipe.precision is Precision.AUTO:
        return torch.bfloat16 if multiplies_bfloat16() else torch.float32
    return torch.bfloat16 if recipe.precision is Precision.BFLOAT16 else torch.float32


def multiplies_bfloat16() -> bool:
    """Whether bfloat16 is native here; emulated, it is slower than float32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        flags = next(
            line
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith(("flags", "Features"))
        )
    except (OSError, StopIteration):
        return False
    return not _NATIVE_BFLOAT16.isdisjoint(flags.split())


def free_megabytes() -> int:
    """Memory that a model may still take: the GPU's, or what Linux calls available."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0]) // _MEGABYTE
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) // 1024
    except (OSError, StopIteration):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MEGABYTE


def check_quantisable() -> None:
    """Refuse QLoRA where it cannot run.

    Raises:
        ConfigurationError: no CUDA, or no bitsandbytes.
    """
    if not torch.cuda.is_available():
        raise ConfigurationError(
            "quantise: true (QLoRA) needs a CUDA GPU, and this machine has none: take it out of "
            "the recipe; a base that is small enough for a CPU trains in full precision."
        )
    try:
        import bitsandbytes  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ConfigurationError(
            "quantise: true (QLoRA) needs the package bitsandbytes: install it, or set "
            "quantise: false."
        ) from error
