"""Before time is spent: can what the recipe trains be served, and does everything fit?

Pure checks here; `retraining.py` gives them what they look at.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.adapters import ENGINE_RANKS, Limits, check_config
from records.assistant import Assistant
from records.engine import Engine
from records.errors import AdapterUnservable, ConfigurationError, StorageFull
from tuning.training.base_model import Architecture
from tuning.training.chat_tokens import encode_prompt
from tuning.training.memory import Plan, needed_megabytes, plan
from tuning.training.recipe import Precision, Recipe

_MEGABYTE = 1 << 20
_CHECKPOINT_BYTES = 5 * 4  # the adapter now, best and at the start, and the optimiser's two moments
_CHECKPOINTS_ON_DISK = 3
_LEAVE_MORE = (
    ", or leave trainings more of the GPU: raise UNDERSTUDY_TRAINER_MEMORY_SHARE and restart the "
    "engine"
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is expected to need."""

    trained_parameters: int
    memory_mb: int
    disk_mb: int

    def as_json(self) -> dict[str, int]:
        """As plain values."""
        return {
            "trained_parameters": self.trained_parameters,
            "memory_mb": self.memory_mb,
            "disk_mb": self.disk_mb,
        }


def check_rank(recipe: Recipe, assistant: Assistant) -> Limits:
    """The engine's limits, if the recipe keeps to them.

    Raises:
        AdapterUnservable: the recipe's rank is above the engine's.
        ConfigurationError: the engine's own limit is none that vLLM knows.
    """
    most = assistant.engine.max_lora_rank
    if most not in ENGINE_RANKS:
        raise ConfigurationError(
            f"max_lora_rank {most} of assistant {assistant.name!r} is none that vLLM takes: "
            f"{', '.join(map(str, ENGINE_RANKS))}."
        )
    if recipe.served_rank > most:
        raise AdapterUnservable(
            f"The recipe's rank {_rank(recipe)} is above the engine's max_lora_rank {most}: lower "
            "the one, or raise the other and restart the engine."
        )
    return Limits(max_rank=most)


def _rank(recipe: Recipe) -> str:
    if recipe.served_rank == recipe.rank:
        return str(recipe.rank)
    return f"{recipe.rank} (served at {recipe.served_rank} after PiSSA)"


def check_features(config: Mapping[str, Any], *, limits: Limits) -> None:
    """Refuse PEFT features that vLLM cannot serve; `config` is a PEFT configuration as a mapping.

    Raises:
        AdapterUnservable: with the sentence why.
    """
    plain = {key: getattr(value, "value", value) for key, value in config.items()}
    check_config(plain, limits=limits)


async def check_tokens(
    engine: Engine, tokenizer: Any, prompts: Sequence[Sequence[Mapping[str, Any]]], *, model: str
) -> None:
    """Hold the trainer's token ids of some prompts against the engine's.

    Raises:
        ConfigurationError: they differ, so what would be trained is not what is served.
        EngineError: the engine cannot be asked.
    """
    for prompt in prompts:
        ours, theirs = encode_prompt(tokenizer, prompt), await engine.tokenize(model, prompt)
        if ours != theirs:
            at = next(
                (i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]),
                min(len(ours), len(theirs)),
            )
            raise ConfigurationError(
                f"Trainer and engine ({engine.url}) turn the same prompt into different tokens "
                f"(first at position {at}): they use different chat templates or base models. "
                "Restart the engine with the assistant's base_model."
            )


def estimate(
    recipe: Recipe,
    shape: Architecture,
    *,
    longest: int,
    gpu: bool,
    available_mb: int | None = None,
) -> Estimate:
    """Memory and disk that a run needs, roughly; `longest` is the longest example in tokens.

    With `available_mb`, memory is what it needs once its steps are cut to fit that.
    """
    trained = shape.lora_parameters(shape.targets(recipe.target_modules), rank=recipe.rank)
    half = recipe.precision is Precision.BFLOAT16 or (recipe.precision is Precision.AUTO and gpu)
    cut = Plan(recipe.largest_batch, checkpointing=recipe.gradient_checkpointing is True)
    if available_mb is not None:
        cut = plan(recipe, shape, longest=longest, half=half, available_mb=available_mb)
    memory = needed_megabytes(
        recipe,
        shape,
        examples=cut.examples_at_once,
        longest=longest,
        half=half,
        checkpointing=cut.checkpointing,
    )
    disk = trained * _CHECKPOINT_BYTES * _CHECKPOINTS_ON_DISK // _MEGABYTE + 1
    return Estimate(trained, memory, disk)


def check_disk(folder: Path, *, needed_mb: int) -> None:
    """Refuse to start where checkpoints would not fit.

    Raises:
        StorageFull: too little space.
    """
    free_mb = shutil.disk_usage(folder).free // _MEGABYTE
    if free_mb < needed_mb:
        raise StorageFull(
            f"Training needs about {needed_mb} MB in {folder}, and {free_mb} MB are free. Free "
            "some, or move UNDERSTUDY_HOME."
        )


def check_memory(needed: Estimate, *, available_mb: int, gpu: bool = False) -> None:
    """Refuse what would certainly not fit.

    Raises:
        ConfigurationError: with what to change.
    """
    if needed.memory_mb > available_mb:
        raise ConfigurationError(
            f"Training needs about {needed.memory_mb} MB of memory even for one example at a time, "
            f"and {available_mb} MB are left for it: lower max_length, or take a smaller base"
            f"{_LEAVE_MORE if gpu else ''}."
        )


def check_lengths(lengths: Sequence[int], *, longest: int) -> int:
    """How many of the longest examples exceed the limit (the trainer leaves them out, counted).

    Raises:
        ConfigurationError: not one fits.
    """
    too_long = sum(length > longest for length in lengths)
    if lengths and too_long == len(lengths):
        raise ConfigurationError(
            f"No example fits {longest} tokens (the shortest has {min(lengths)}): raise the "
            "recipe's max_length and the engine's max_model_len."
        )
    return too_long
