"""How much memory training takes, and what to do where there is less. Pure.

What does not fit is split: a step's examples go through the model in several parts, and the
gradients are summed. Where not even one example fits, activations are computed twice instead.
"""

from dataclasses import dataclass

from records.states import TrainingMethod
from tuning.training.base_model import Architecture
from tuning.training.recipe import Recipe

_MEGABYTE = 1 << 20
_FLOAT, _HALF = 4, 2
_QUANTISED = 0.6  # bytes a parameter in 4 bits: the bits, their scales, what stays in 16
_TRAINED_BYTES = 7 * _FLOAT
"""Weight, gradient, two moments, the numbers at the phase's start and the best, and a spare."""
_ACTIVATIONS_PER_LAYER = 34
"""Numbers kept per token and hidden unit (arXiv 2205.05198, equation 2, no dropout).

That is where inner layers are four times as wide; at 2.5 times, 18 (float32) to 25 were counted.
"""
_SPARE = 0.9
"""Of the free memory, what a plan may count on."""
_SEQUENCES = {
    TrainingMethod.DPO: 2,
    TrainingMethod.SFT_DPO: 2,
}
"""Sequences that one example puts through the model at once with gradients; 1 elsewhere."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a step is cut, and whether activations are computed twice."""

    examples_at_once: int
    checkpointing: bool


def sequences(method: TrainingMethod) -> int:
    """Sequences that one example of a method's largest phase puts through the model."""
    return _SEQUENCES.get(method, 1)


def needed_megabytes(
    recipe: Recipe,
    shape: Architecture,
    *,
    examples: int,
    longest: int,
    half: bool,
    checkpointing: bool = False,
) -> int:
    """Memory for a step with so many examples at once, the longest of `longest` tokens.

    `half`: the base computes in 16 bits. Logits are counted for half of the tokens: prompts have
    none.
    """
    trained = shape.lora_parameters(shape.targets(recipe.target_modules), rank=recipe.rank)
    width = _HALF if half else _FLOAT
    base = shape.parameters * (_QUANTISED if recipe.quantise else width)
    tokens = examples * sequences(recipe.method) * longest
    per_layer = tokens * shape.hidden_size * width
    kept = per_layer * (shape.layers + _ACTIVATIONS_PER_LAYER)
    if not checkpointing:
        kept = per_layer * shape.layers * _ACTIVATIONS_PER_LAYER
    logits = 3 * tokens // 2 * shape.vocabulary * _FLOAT
    return int(base + trained * _TRAINED_BYTES + kept + logits) // _MEGABYTE + 1


def plan(
    recipe: Recipe, shape: Architecture, *, longest: int, half: bool, available_mb: int
) -> Plan:
    """The most examples at once that fit, up to the recipe's batch.

    First the batch is halved, because that costs little; only where one example alone does not fit
    are activations computed twice, and then as many are taken at once as fit so.
    """

    def fits(examples: int, *, checkpointing: bool) -> bool:
        needed = needed_megabytes(
            recipe,
            shape,
            examples=examples,
            longest=longest,
            half=half,
            checkpointing=checkpointing,
        )
        return needed <= available_mb * _SPARE

    wanted = recipe.gradient_checkpointing
    checkpointing = not fits(1, checkpointing=False) if wanted == "auto" else wanted
    examples = recipe.largest_batch
    while examples > 1 and not fits(examples, checkpointing=checkpointing):
        examples = (examples + 1) // 2
    return Plan(examples, checkpointing)
