"""Recipes: defaults, overrides, and what is refused."""

import pytest

from records.errors import AdapterUnservable, ConfigurationError, InvalidInput
from tuning.training.recipe import Recipe, parse_settings, resolve


def test_a_runs_own_settings_win_over_the_assistants_and_those_over_defaults() -> None:
    recipe = resolve({"rank": 8, "epochs": 1}, {"rank": "4", "learning_rate": "1e-3"})
    assert (recipe.rank, recipe.epochs, recipe.learning_rate) == (4, 1.0, 0.001)
    assert recipe.alpha == Recipe().alpha


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"learning_rates": 1e-3}, "learning_rates"),
        ({"rank": 0}, "rank"),
        ({"replay_share": 1}, "replay_share"),
        ({"scheduler": "wavy"}, "scheduler"),
        ({"target_modules": "some-linear"}, "target_modules"),
    ],
)
def test_unknown_keys_and_impossible_values_are_refused(
    overrides: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        resolve({}, overrides)


@pytest.mark.parametrize(
    "key",
    ["use_dora", "lora_bias", "modules_to_save", "trainable_token_indices", "init_lora_weights"],
)
def test_what_the_engine_cannot_serve_is_refused_by_name(key: str) -> None:
    with pytest.raises(AdapterUnservable, match=key):
        resolve({}, {key: True})


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"initialisation": "pissa", "start_from": "champion"}, "begins anew"),
        ({"initialisation": "pissa", "quantise": True}, "quantise: false"),
        ({"judge": "held_out_quality", "held_out_prompts": 0}, "needs held_out_prompts"),
    ],
)
def test_what_does_not_go_together_is_refused(overrides: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        resolve({}, overrides)


def test_a_batch_is_16_by_itself_and_grows_with_accumulation() -> None:
    assert resolve({}, {"batch_size": "auto"}).effective_batch == 16
    assert resolve({}, {"batch_size": 4, "gradient_accumulation": 3}).effective_batch == 12


def test_pissa_is_served_at_twice_its_rank() -> None:
    assert resolve({}, {"initialisation": "pissa", "rank": 8}).served_rank == 16
    assert Recipe(rank=8).served_rank == 8


def test_every_number_has_its_reason() -> None:
    assert all(field.description for field in Recipe.model_fields.values())


def test_settings_of_a_command_line_are_yaml() -> None:
    assert parse_settings(["rank=8", "target_modules=[q_proj, v_proj]", "a=b=c"]) == {
        "rank": 8,
        "target_modules": ["q_proj", "v_proj"],
        "a": "b=c",
    }


@pytest.mark.parametrize("pair", ["rank", "=8", "a=[1"])
def test_a_setting_that_cannot_be_read_is_refused(pair: str) -> None:
    with pytest.raises(InvalidInput):
        parse_settings([pair])
