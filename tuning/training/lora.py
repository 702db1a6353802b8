"""The one place where a recipe becomes PEFT's configuration: only features that vLLM serves."""

from typing import Any

from tuning.training.recipe import Recipe


def lora_config(recipe: Recipe) -> Any:
    """PEFT's `LoraConfig` for a recipe."""
    from peft import LoraConfig

    modules = recipe.target_modules
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        bias="none",
        task_type="CAUSAL_LM",
    )
