"""The one place where a recipe becomes a PEFT model: only what vLLM serves in the end."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from records.adapters import CONFIG, read_manifest
from records.errors import AdapterUnservable
from tuning.training.recipe import Initialisation, Recipe

_PISSA = "pissa_niter_16"
"""By a randomised decomposition: seconds where the whole takes minutes, and as good (the paper)."""
_MUST_MATCH = {"r": "rank", "lora_alpha": "alpha", "use_rslora": "use_rslora"}


def lora_config(recipe: Recipe) -> Any:
    """PEFT's `LoraConfig` to train a recipe with."""
    pissa = recipe.initialisation is Initialisation.PISSA
    return _config(recipe, init_lora_weights=_PISSA if pissa else True)


def served_config(recipe: Recipe) -> Any:
    """PEFT's `LoraConfig` of the adapter that comes out: plain LoRA, at twice PiSSA's rank."""
    config = _config(recipe, init_lora_weights=True)
    config.r = recipe.served_rank
    return config


def attach(base: Any, recipe: Recipe, *, start_adapter: Path | None) -> Any:
    """The base with the adapter to train: a fresh one, or the champion's to go on from.

    Raises:
        AdapterUnservable: the champion's adapter has another rank, scale or layers.
    """
    from peft import PeftModel, get_peft_model

    if start_adapter is None:
        return get_peft_model(base, lora_config(recipe))
    check_continues(recipe, start_adapter, layers=_layers(base, recipe))
    return PeftModel.from_pretrained(base, str(start_adapter), is_trainable=True)


def check_continues(
    recipe: Recipe,
    adapter: Path,
    *,
    layers: frozenset[str] | None = None,
    base_hash: str | None = None,
) -> None:
    """Refuse to go on from an adapter that the recipe does not describe.

    `layers`: the last parts of the names of those that the recipe trains; `base_hash`: the base's.
    Each is checked where it is given.

    Raises:
        AdapterUnservable: with the settings that would fit.
    """
    if base_hash is not None and read_manifest(adapter).get("base_hash") != base_hash:
        raise AdapterUnservable(
            f"start_from: champion goes on from {adapter.name}, which was trained on another base "
            "model: set start_from: base."
        )
    config: Mapping[str, Any] = json.loads((adapter / CONFIG).read_text())
    wanted = {ours: (getattr(recipe, ours), config[peft]) for peft, ours in _MUST_MATCH.items()}
    differing = {ours: theirs for ours, (own, theirs) in wanted.items() if own != theirs}
    if differing:
        fitting = ", ".join(f"{name}: {json.dumps(value)}" for name, value in differing.items())
        raise AdapterUnservable(
            f"start_from: champion goes on from {adapter.name}, which has {fitting}: set the "
            "recipe so, or start_from: base."
        )
    theirs = frozenset(name.rpartition(".")[2] for name in config["target_modules"])
    if layers is not None and layers != theirs:
        raise AdapterUnservable(
            f"start_from: champion goes on from {adapter.name}, which is on the layers "
            f"{', '.join(sorted(theirs))}: set target_modules so, or start_from: base."
        )


def _layers(base: Any, recipe: Recipe) -> frozenset[str]:
    """The last parts of the names of the layers that a recipe trains."""
    from torch import nn

    wanted = recipe.target_modules
    if not isinstance(wanted, str):
        return frozenset(name.rpartition(".")[2] for name in wanted)
    head = base.get_output_embeddings()
    return frozenset(
        name.rpartition(".")[2]
        for name, module in base.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    )


def _config(recipe: Recipe, *, init_lora_weights: Any) -> Any:
    from peft import LoraConfig

    modules = recipe.target_modules
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=recipe.use_rslora,
        init_lora_weights=init_lora_weights,
        target_modules=modules if isinstance(modules, str) else list(modules),
        bias="none",
        task_type="CAUSAL_LM",
    )
