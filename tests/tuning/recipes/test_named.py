"""Recipes by name: all can be used, each number has its reason, and what lies over what."""

import re
from pathlib import Path

import pytest

from records.assistant import read_assistant
from records.errors import ConfigurationError
from tests.tuning.build import write_assistant
from tuning.recipes.named import FOLDER, layered, names, read_named, to_carry
from tuning.training.recipe import Recipe, resolve

ALL = names()
OWN = Path("own.yaml")


@pytest.mark.parametrize("name", ALL)
def test_a_recipe_can_be_used_and_an_unknown_key_in_it_could_not(name: str) -> None:
    keys = read_named(name)
    assert resolve({"from": name}, {}) == Recipe.model_validate(keys)
    with pytest.raises(ConfigurationError, match="learning_rates"):
        resolve({"from": {**keys, "learning_rates": 1}}, {})


@pytest.mark.parametrize("name", ALL)
def test_each_number_has_its_reason(name: str) -> None:
    lines = (FOLDER / f"{name}.yaml").read_text().splitlines()
    assert lines[0].startswith("# ")
    settings = [line for line in lines if re.match(r"\w+:", line) and "method:" not in line]
    assert settings
    assert [line for line in settings if len(line.partition(" # ")[2]) < 10] == []


def test_the_ones_that_are_promised_are_there() -> None:
    promised = {"sft", "sft_dpo", "kto", "documents", "grpo", "small_cpu", "single_gpu"}
    assert promised <= set(ALL)


def test_defaults_then_the_named_then_the_assistants_own_then_the_runs() -> None:
    own = {"from": "small_cpu", "epochs": 4, "rank": 8}
    recipe = resolve(own, {"rank": 4})
    assert (recipe.learning_rate, recipe.epochs, recipe.rank) == (0.002, 4, 4)
    assert recipe.max_length == Recipe().max_length
    other = resolve(own, {"from": "kto"})
    assert (other.method, other.learning_rate, other.epochs) == ("kto", Recipe().learning_rate, 4)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'fast'.*sft_dpo"):
        resolve({"from": "fast"}, {})


@pytest.mark.parametrize("content", ["- rank", "rank: [", "from: sft\nrank: 4"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / OWN
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"own\.yaml"):
        read_named(str(path))


def test_a_file_of_ones_own_is_carried_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / OWN
    path.write_text("rank: 4 # mine\n")
    carried = to_carry(str(path))
    path.unlink()
    assert layered({"rank": 8, "epochs": 2}, {"from": carried}) == {"rank": 8, "epochs": 2}
    assert resolve({}, {"from": carried}).rank == 4
    assert to_carry("sft") == "sft"


def test_an_assistants_file_names_one_beside_it(tmp_path: Path) -> None:
    folder = write_assistant(tmp_path / "assistants", recipe={"from": "own.yaml"})
    (folder / OWN).write_text("rank: 4\n")
    assert resolve(read_assistant(folder / "support.yaml").recipe, {}).rank == 4
