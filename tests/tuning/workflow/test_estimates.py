"""How long a training takes, by the last one that was like it, or by its own first steps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.states import TrainingMethod
from tuning.training.recipe import Recipe
from tuning.workflow.estimates import beside_limit, by_pace, passes, rate, total_tokens

RECIPE = Recipe()


def manifest(**changes: Any) -> dict[str, Any]:
    return {
        "base_hash": "h",
        "device": "cpu",
        "recipe": RECIPE.model_dump(mode="json"),
        "metrics": {"trained_tokens": 1000},
        "training_seconds": 4.0,
        **changes,
    }


def known(*manifests: dict[str, Any], recipe: Recipe = RECIPE, gpu: bool = False) -> float | None:
    return rate(manifests, recipe, base_hash="h", gpu=gpu)


def test_the_newest_training_that_was_like_it_tells_the_rate() -> None:
    assert known(manifest(), manifest(training_seconds=1.0)) == 250
    assert known() is None


@pytest.mark.parametrize(
    "other",
    [
        manifest(base_hash="another"),
        manifest(device="NVIDIA H100"),
        manifest(metrics={}),
        manifest(training_seconds=0),
        manifest(recipe={}),
        manifest(recipe=Recipe(method=TrainingMethod.DPO).model_dump(mode="json")),
        {},
    ],
)
def test_a_training_on_something_else_tells_nothing(other: dict[str, Any]) -> None:
    assert known(other) is None
    assert known(other, manifest()) == 250


def test_another_learning_rate_takes_no_other_time() -> None:
    assert known(manifest(), recipe=Recipe(learning_rate=1e-3, epochs=1)) == 250


def test_how_often_lessons_are_gone_over_follows_the_method() -> None:
    assert passes(Recipe(epochs=3)) == 3
    assert passes(Recipe(method=TrainingMethod.SFT_DPO, epochs=3)) == 5
    assert passes(Recipe(method=TrainingMethod.KTO)) == 2
    assert passes(Recipe(method=TrainingMethod.GRPO)) is None


@given(pairs=st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=50))
def test_tokens_of_a_whole_set_that_was_sampled_whole_are_exact(
    pairs: list[tuple[int, int]],
) -> None:
    characters = sum(length for length, _ in pairs)
    assert total_tokens(characters, pairs) == sum(tokens for _, tokens in pairs)
    assert total_tokens(10 * characters, pairs) == 10 * sum(tokens for _, tokens in pairs)


def test_of_nothing_there_are_no_tokens() -> None:
    assert total_tokens(0, []) == 0


def test_a_trainings_own_pace_is_known_after_its_first_steps() -> None:
    line = {"step": 5, "steps": 100, "elapsed_seconds": 10.0}
    assert by_pace(line) == 200
    assert by_pace({**line, "step": 2}) is None
    assert by_pace({"stage": "loading"}) is None


def test_a_limit_that_is_too_short_is_said_with_what_comes_of_it() -> None:
    assert beside_limit(30, RECIPE) == "Training takes about 30 seconds."
    assert beside_limit(600, Recipe(max_minutes=20)) == "Training takes about 10 minutes."
    words = beside_limit(1200, Recipe(max_minutes=5))
    assert words.startswith("Training takes about 20 minutes, and max_minutes ends it after 5, at")
    assert "about 25% of its steps" in words
