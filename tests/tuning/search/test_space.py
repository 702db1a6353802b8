"""What a search varies: around the recipe, within what can be trained and served."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.states import TrainingMethod
from tuning.search.space import Choice, Range, Space, Value, space_of, widest
from tuning.training.recipe import Initialisation, Recipe, StartFrom

NOTHING: frozenset[str] = frozenset()
recipes = st.builds(
    Recipe,
    method=st.sampled_from(TrainingMethod),
    rank=st.sampled_from([1, 4, 8, 12, 16, 64]),
    learning_rate=st.floats(1e-6, 0.9),
    epochs=st.floats(0.1, 100),
    replay_share=st.floats(0, 0.95),
    batch_size=st.one_of(st.just("auto"), st.integers(1, 512)),
)


def drawn(space: Space, at: float) -> Mapping[str, Value]:
    """Values of which each is that far, 0..1, into its knob."""
    return {
        key: knob.of[min(len(knob.of) - 1, int(at * len(knob.of)))]
        if isinstance(knob, Choice)
        else knob.low + at * (knob.high - knob.low)
        for key, knob in space.knobs.items()
    }


@given(recipes, st.floats(0, 1))
def test_the_default_is_the_recipe_itself_and_all_else_is_one(recipe: Recipe, at: float) -> None:
    space = space_of(recipe, fixed=NOTHING, most_rank=64)
    assert space.recipe_of(space.default) == recipe
    for key, knob in space.knobs.items():
        value = space.default[key]
        inside = value in knob.of if isinstance(knob, Choice) else knob.low <= value <= knob.high
        assert inside
    tried = space.recipe_of(drawn(space, at))
    assert Recipe.model_validate(tried.model_dump()) == tried
    assert tried.rank <= max(64, recipe.rank)


@given(recipes, st.floats(0, 1))
def test_what_all_trials_share_is_enough_for_each(recipe: Recipe, at: float) -> None:
    space = space_of(recipe, fixed=NOTHING, most_rank=64)
    shared, tried = widest(space), space.recipe_of(drawn(space, at))
    assert shared.replay_share >= tried.replay_share - 0.005  # which is rounded
    assert shared.rank >= tried.rank
    assert shared.held_out_share >= recipe.held_out_share


def test_what_a_run_sets_itself_is_not_varied() -> None:
    fixed = frozenset({"rank", "learning_rate"})
    assert not fixed & space_of(Recipe(), fixed=fixed, most_rank=32).knobs.keys()


def test_rank_keeps_its_scale_and_to_what_the_engine_serves() -> None:
    space = space_of(Recipe(rank=16, alpha=32), fixed=NOTHING, most_rank=32)
    assert space.knobs["rank"] == Choice((4, 8, 16, 32))
    tried = space.recipe_of({**space.default, "rank": 8})
    assert (tried.rank, tried.alpha) == (8, 16)
    pissa = Recipe(initialisation=Initialisation.PISSA)
    assert space_of(pissa, fixed=NOTHING, most_rank=32).knobs["rank"] == Choice((4, 8, 16))


def test_a_champions_adapter_is_gone_on_with_at_its_rank() -> None:
    recipe = Recipe(start_from=StartFrom.CHAMPION)
    assert "rank" not in space_of(recipe, fixed=NOTHING, most_rank=64).knobs


def test_without_replay_none_is_tried() -> None:
    space = space_of(Recipe(replay_share=0), fixed=NOTHING, most_rank=16)
    assert "replay_share" not in space.knobs
    assert widest(space).replay_share == 0


@pytest.mark.parametrize(
    ("method", "varied"),
    [
        (TrainingMethod.SFT, {"learning_rate", "epochs", "batch_size", "rank", "replay_share"}),
        (
            TrainingMethod.KTO,
            {"preference_learning_rate", "batch_size", "rank", "replay_share"},
        ),
        (TrainingMethod.GRPO, {"preference_learning_rate", "rank", "replay_share"}),
    ],
)
def test_only_what_a_method_uses_is_varied(method: TrainingMethod, varied: set[str]) -> None:
    space = space_of(Recipe(method=method), fixed=NOTHING, most_rank=32)
    assert set(space.knobs) == varied


def test_rates_stay_where_training_is_sane() -> None:
    knob = space_of(Recipe(learning_rate=0.03), fixed=NOTHING, most_rank=16).knobs["learning_rate"]
    assert isinstance(knob, Range)
    assert knob.high == 0.03
    knob = space_of(Recipe(learning_rate=0.004), fixed=NOTHING, most_rank=16).knobs["learning_rate"]
    assert isinstance(knob, Range)
    assert knob.high == 0.02
