"""A small adapter that fits the demo's base model and that the pretended engine can prove."""

import json
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from records.adapters import CONFIG, MANIFEST, WEIGHTS, adapter_name, base_hash, base_shapes
from records.artifacts import Artifacts
from records.assistant import Assistant

_RANK = 4
_TOKENS = list(range(10, 22))
_START = 4


def logprob(token: int, *, is_base: bool) -> float:
    """What the pretended engine measures of a token."""
    return -1.0 - (token % 7) / 10 - (0.0 if is_base else 0.4)


def publish_adapter(artifacts: Artifacts, assistant: Assistant, *, seed: int) -> str:
    """Put an adapter into the artifact store; returns its name, which is its content's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_file(_weights(assistant, seed), folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps(_config(assistant)))
        version = adapter_name(assistant.name, folder)
        (folder / MANIFEST).write_text(json.dumps(_manifest(assistant)))
        artifacts.publish(folder, f"adapters/{version}")
    return version


def _weights(assistant: Assistant, seed: int) -> dict[str, npt.NDArray[np.float32]]:
    shapes = base_shapes(assistant.base_model) or {}
    layer = min(name for name in shapes if name.endswith("q_proj.weight"))
    wide, narrow = shapes[layer]
    key = f"base_model.model.{layer.removesuffix('.weight')}"
    random = np.random.default_rng(seed)
    return {
        f"{key}.lora_A.weight": random.standard_normal((_RANK, narrow)).astype(np.float32),
        f"{key}.lora_B.weight": random.standard_normal((wide, _RANK)).astype(np.float32),
    }


def _config(assistant: Assistant) -> dict[str, object]:
    return {
        "peft_type": "LORA",
        "r": _RANK,
        "lora_alpha": 2 * _RANK,
        "base_model_name_or_path": Path(assistant.base_model).name,
    }


def _manifest(assistant: Assistant) -> dict[str, object]:
    probe = {
        "token_ids": _TOKENS,
        "start": _START,
        "adapter_logprobs": [logprob(t, is_base=False) for t in _TOKENS[_START:]],
        "base_logprobs": [logprob(t, is_base=True) for t in _TOKENS[_START:]],
    }
    return {
        "base_model": Path(assistant.base_model).name,
        "base_hash": base_hash(assistant.base_model),
        "probes": [probe],
    }
