"""Runs inside vLLM's worker on the CPU and mends LoRA there: requests without an adapter stay bare.

vLLM 0.32's PyTorch operations take the adapter's index -1 (none) for the last slot, so that in a
batch with other adapters the base model answers with one of them (vLLM #48421, open). The engine's
command names this module in `--worker-extension-cls`; nothing else may import it.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any

_OPERATIONS = ("bgmv_shrink", "bgmv_expand", "bgmv_expand_slice")
_PACKAGE = "vllm.lora.ops.torch_ops"
_USERS = (f"{_PACKAGE}.lora_ops", _PACKAGE, "vllm.lora.punica_wrapper.punica_cpu")

Operation = Callable[..., Any]


class _WorkerExtension:
    """Adds nothing to the worker; that vLLM asks for it is what counts."""


def __getattr__(name: str) -> Any:
    """Mend when vLLM asks for `WorkerExtension`, before its worker loads the model."""
    if name != "WorkerExtension":
        raise AttributeError(name)
    mend()
    return _WorkerExtension


def mend() -> None:
    """Replace the operations wherever vLLM has a name for them.

    Raises:
        AttributeError, ImportError: another vLLM than the one this was made for; it must not start.
    """
    modules = [importlib.import_module(name) for name in _USERS]
    for operation in _OPERATIONS:
        mended = bare_rows_left_alone(getattr(modules[0], operation))
        for module in modules:
            getattr(module, operation)
            setattr(module, operation, mended)


def bare_rows_left_alone(operation: Operation) -> Operation:
    """The operation with zeros as input of rows without an adapter, which adds nothing to them."""
    if hasattr(operation, "__wrapped__"):
        return operation

    @functools.wraps(operation)
    def mended(
        inputs: Any, weights: Any, output: Any, indices: Any, *more: Any, **named: Any
    ) -> Any:
        bare = (indices < 0).unsqueeze(-1)
        return operation(inputs.masked_fill(bare, 0), weights, output, indices, *more, **named)

    return mended
