"""Adapters on disk: their names, their manifest, and what makes one unfit to be served.

vLLM loads many broken adapters without a word (wrong base, narrower layers, NaN) and some bring it
down later; so everything is checked here first, from the files alone.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.artifacts import content_hash
from records.errors import AdapterTampered, AdapterUnservable, ConfigurationError

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
MANIFEST = "manifest.json"

ENGINE_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes for --max-lora-rank."""

_HASH_DIGITS = 12
_SERVABLE_INITS = {True, False, None, "gaussian", "eva", "orthogonal"}
_REFUSED_FEATURES = {
    "use_dora": "DoRA",
    "lora_bias": "LoRA biases",
    "modules_to_save": "modules_to_save",
    "trainable_token_indices": "trainable token indices",
    "layer_replication": "layer replication",
    "megatron_config": "Megatron layers",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine can serve."""

    max_rank: int


def adapter_name(assistant: str, folder: Path) -> str:
    """The name an adapter's served bytes give it, such as `support-3f9c2a71d0e4`."""
    digest = content_hash(folder, names=(WEIGHTS, CONFIG))
    return f"{assistant}-{digest[:_HASH_DIGITS]}"


def verify(folder: Path, *, name: str) -> None:
    """Hold an adapter's files against its name.

    Raises:
        AdapterTampered: a file is missing or has changed.
    """
    missing = [file for file in (WEIGHTS, CONFIG, MANIFEST) if not (folder / file).is_file()]
    if missing:
        raise AdapterTampered(f"Adapter {name} is incomplete: {', '.join(missing)} is missing.")
    found = adapter_name(name.rpartition("-")[0], folder)
    if found != name:
        raise AdapterTampered(
            f"Adapter {name} was changed on disk (its content is now {found}). It is not served; "
            "retrain, or restore the folder from a backup."
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an adapter.

    Raises:
        AdapterTampered: absent or not JSON.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise AdapterTampered(f"{folder / MANIFEST} cannot be read: {error}.") from error
    return manifest


def check_servable(folder: Path, *, base_model: str, base_hash: str, limits: Limits) -> None:
    """Refuse an adapter that the engine could not serve rightly.

    Raises:
        AdapterUnservable: with the sentence why.
    """
    config = json.loads((folder / CONFIG).read_text())
    check_config(config, limits=limits)
    manifest = read_manifest(folder)
    if manifest.get("base_hash") != base_hash:
        raise AdapterUnservable(
            f"{folder.name} was trained on another base model ({manifest.get('base_model')}) than "
            f"the one that is served ({base_model})."
        )
    _check_weights(folder / WEIGHTS, shapes=base_shapes(base_model))


def check_config(config: Mapping[str, Any], *, limits: Limits) -> None:
    """Refuse PEFT features that vLLM cannot serve; `config` is `adapter_config.json` as read.

    Raises:
        AdapterUnservable: with the sentence why.
    """
    if config.get("peft_type") != "LORA":
        raise AdapterUnservable(f"Only LoRA can be served, not {config.get('peft_type')}.")
    for key, words in _REFUSED_FEATURES.items():
        if config.get(key):
            raise AdapterUnservable(f"vLLM cannot serve {words}; train without `{key}`.")
    if config.get("bias", "none") != "none":
        raise AdapterUnservable('vLLM cannot serve trained biases; train with `bias: "none"`.')
    init = config.get("init_lora_weights", True)
    if init not in _SERVABLE_INITS:
        raise AdapterUnservable(f"vLLM cannot serve adapters initialised by {init!r}.")
    rank = max([config["r"], *(config.get("rank_pattern") or {}).values()])
    if rank > limits.max_rank:
        raise AdapterUnservable(
            f"Rank {rank} is above the engine's --max-lora-rank {limits.max_rank}."
        )


def _check_weights(path: Path, *, shapes: Mapping[str, tuple[int, ...]] | None) -> None:
    import numpy as np
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as weights:
            names = list(weights.keys())
            for name in names:
                tensor = weights.get_tensor(name)
                if not np.isfinite(tensor).all():
                    raise AdapterUnservable(f"{path.parent.name}: {name} holds NaN or infinity.")
                if shapes is not None:
                    _check_shape(name, tensor.shape, shapes)
    except (OSError, SafetensorError) as error:
        raise AdapterUnservable(f"{path} is not a readable safetensors file: {error}.") from error
    if not names:
        raise AdapterUnservable(f"{path.parent.name} holds no weights.")


def _check_shape(name: str, shape: tuple[int, ...], base: Mapping[str, tuple[int, ...]]) -> None:
    target = name.removeprefix("base_model.model.")
    module, _, side = target.partition(".lora_")
    wanted = base.get(f"{module}.weight")
    if wanted is None:
        raise AdapterUnservable(f"{name}: the base model has no layer {module}.")
    if side.startswith("embedding_"):
        fits = shape[1 if side.startswith("embedding_A") else 0] == (
            wanted[0] if side.startswith("embedding_A") else wanted[1]
        )
    else:
        fits = shape[1] == wanted[1] if side.startswith("A") else shape[0] == wanted[0]
    if not fits:
        raise AdapterUnservable(
            f"{name} has shape {list(shape)}, which does not fit the base's {list(wanted)}."
        )


def base_shapes(base_model: str) -> dict[str, tuple[int, ...]] | None:
    """Shapes of the base model's weights by name; None where its weights are not on this disk."""
    files = sorted(Path(base_model).glob("*.safetensors"))
    if not files:
        return None
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(length))
        for name, entry in header.items():
            if name != "__metadata__":
                shapes[name] = tuple(entry["shape"])
    if "lm_head.weight" not in shapes and "model.embed_tokens.weight" in shapes:
        shapes["lm_head.weight"] = shapes["model.embed_tokens.weight"]  # tied
    return shapes


_BASE_FILES = ("*.safetensors", "*.json", "*.jinja")


@functools.cache
def base_hash(base_model: str) -> str:
    """What identifies a base model: the hash of its files, or of its hub name.

    Raises:
        ConfigurationError: a folder without a model's configuration.
    """
    folder = Path(base_model)
    if not folder.is_dir():
        import hashlib

        return hashlib.sha256(f"hub:{base_model}".encode()).hexdigest()
    if not (folder / "config.json").is_file():
        raise ConfigurationError(f"{folder} holds no model: config.json is missing.")
    names = {file.name for pattern in _BASE_FILES for file in folder.glob(pattern)}
    return content_hash(folder, names=tuple(names))
