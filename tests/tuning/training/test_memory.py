"""How a step is cut to fit memory: halved first, computed twice only when one does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.training.base_model import Architecture
from tuning.training.memory import needed_megabytes, plan
from tuning.training.recipe import Recipe

SHAPE = Architecture(
    kind="llama",
    parameters=500_000_000,
    hidden_size=896,
    layers=24,
    vocabulary=150_000,
    linear={"q_proj": ((896, 896),) * 24, "up_proj": ((896, 4864),) * 24},
)


def needed(
    recipe: Recipe, *, examples: int, longest: int = 512, checkpointing: bool = False
) -> int:
    return needed_megabytes(
        recipe, SHAPE, examples=examples, longest=longest, half=True, checkpointing=checkpointing
    )


@given(st.integers(1, 200_000), st.sampled_from([1, 3, 8, 16, 17]))
def test_what_is_planned_fits_or_is_the_least_there_is(available: int, batch: int) -> None:
    recipe = Recipe(batch_size=batch)
    found = plan(recipe, SHAPE, longest=512, half=True, available_mb=available)
    least = found.examples_at_once == 1 and found.checkpointing
    takes = needed(recipe, examples=found.examples_at_once, checkpointing=found.checkpointing)
    assert 1 <= found.examples_at_once <= batch
    assert least or takes <= available
    assert not found.checkpointing or needed(recipe, examples=1) > available * 0.9


def test_with_memory_in_plenty_the_whole_batch_goes_at_once() -> None:
    found = plan(Recipe(), SHAPE, longest=512, half=True, available_mb=10**6)
    assert (found.examples_at_once, found.checkpointing) == (16, False)


def test_a_recipe_may_insist_on_checkpointing_or_forbid_it() -> None:
    insists = Recipe(gradient_checkpointing=True)
    assert plan(insists, SHAPE, longest=512, half=True, available_mb=10**6).checkpointing
    forbids = Recipe(gradient_checkpointing=False)
    assert not plan(forbids, SHAPE, longest=512, half=True, available_mb=10).checkpointing


@pytest.mark.parametrize("method", ["dpo", "sft_dpo"])
def test_methods_that_compare_two_answers_take_more(method: str) -> None:
    assert needed(Recipe(method=method), examples=4) > needed(Recipe(), examples=4)


def test_four_bits_and_half_the_length_take_less() -> None:
    assert needed(Recipe(quantise=True), examples=1) < needed(Recipe(), examples=1)
    assert needed(Recipe(), examples=8, longest=256) < needed(Recipe(), examples=8)
    assert needed(Recipe(), examples=8, checkpointing=True) < needed(Recipe(), examples=8) / 2
