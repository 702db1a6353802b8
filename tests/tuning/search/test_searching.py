"""A search from its first trial to the job's adapter, on a clock that a stand-in trainer moves."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from records.errors import ConfigurationError, StorageFull, TrainingFailed
from tests.tuning.search.playing import LOADING_SECONDS, PARTS, Killed, Playing, rows, spec_of
from tuning.dataset.rows import HELD_OUT, TRAIN, write_rows
from tuning.search.searching import search
from tuning.search.space import Space, space_of
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Recipe

BUDGET = 500.0
DEFAULT = Recipe()


@dataclass(frozen=True)
class Finished:
    """A search that nothing disturbed."""

    folder: Path
    playing: Playing
    took: float
    found: dict[str, Any]


def space(recipe: Recipe = DEFAULT) -> Space:
    return space_of(recipe, fixed=frozenset({"rank", "batch_size", "epochs"}), most_rank=16)


def run(spec: Spec, tmp_path: Path, playing: Playing, budget: float = BUDGET) -> dict[str, Any]:
    folder = JobFolder(tmp_path / "job")
    adapter = search(folder, spec, space=space(spec.recipe), budget=budget, means=playing.means())
    assert adapter == folder.adapter
    found: dict[str, Any] = json.loads((adapter / "manifest.json").read_text())["search"]
    return found


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return spec_of(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder, playing = tmp_path_factory.mktemp("finished"), Playing()
    began = playing.now
    found = run(spec_of(folder), folder, playing)
    return Finished(folder, playing, playing.now - began, found)


def test_the_first_trial_is_the_default_recipe_and_the_best_ones_adapter_is_kept(
    finished: Finished,
) -> None:
    found, job = finished.found, finished.folder / "job"
    first = finished.playing.trained[0].model_dump(exclude={"max_minutes", "held_out_prompts"})
    assert first == DEFAULT.model_dump(exclude={"max_minutes", "held_out_prompts"})
    best = max(found["trials"], key=lambda one: one["quality"] * (one["end"] == "whole"))
    assert found["chosen"] == best["number"] != 1
    assert found["recipe"]["learning_rate"] == best["values"]["learning_rate"]
    assert float((job / "adapter" / "weights").read_text()) == best["values"]["learning_rate"]
    assert found["report"]["chosen"]["quality"] > found["report"]["default"]["quality"]
    assert (job / "adapter" / "search.png").read_bytes().startswith(b"\x89PNG")
    assert not (job / "trials").exists()
    assert finished.playing.looked_again == [{"chosen", "default"}]


def test_the_budget_is_kept_and_what_is_left_is_too_little_for_another(finished: Finished) -> None:
    assert finished.took <= BUDGET
    assert finished.found["spent_seconds"] == pytest.approx(finished.took, abs=0.2)
    assert BUDGET - finished.took < 0.6 * 3 * finished.playing.epoch_seconds + 3 * LOADING_SECONDS
    assert len(finished.playing.trained) == len(finished.found["trials"]) >= 4


def test_it_tells_which_trial_of_about_how_many_and_the_best_so_far(finished: Finished) -> None:
    told = finished.playing.told
    first, later = told[0], told[-2]
    assert (first["stage"], first["trial"]) == ("searching", 1)
    assert first["trials"] is first["best"] is None
    assert later["trial"] <= later["trials"] <= len(finished.playing.trained) + 1
    assert later["best"] == pytest.approx(0.9, abs=0.2)
    left = [line["seconds_left"] for line in told if "seconds_left" in line]
    assert left == sorted(left, reverse=True)


def test_a_default_that_is_longer_than_the_budget_is_cut_and_is_the_only_trial(
    spec: Spec, tmp_path: Path
) -> None:
    playing = Playing(epoch_seconds=1000)
    found = run(spec, tmp_path, playing, budget=900)
    assert [one["cut"] for one in found["trials"]] == [True]
    assert found["chosen"] == 1
    assert found["recipe"] == {}
    assert playing.looked_again == [{"chosen"}]


@pytest.mark.parametrize(
    "dies_in",
    [
        pytest.param((1, 3), marks=pytest.mark.slow),
        (2, 1),
        pytest.param((4, PARTS), marks=pytest.mark.slow),
    ],
)
def test_a_killed_search_goes_on_and_ends_as_it_would_have(
    spec: Spec, tmp_path: Path, finished: Finished, dies_in: tuple[int, int]
) -> None:
    killed = Playing(dies_in=dies_in)
    with pytest.raises(Killed):
        run(spec, tmp_path, killed)
    killed.now += 7200  # nobody worked: this costs nothing of the budget
    found = run(spec, tmp_path, killed)
    tried, undisturbed = ([one["values"] for one in f["trials"]] for f in (found, finished.found))
    count = min(len(tried), len(undisturbed))
    assert tried[:count] == undisturbed[:count]
    assert len(killed.trained) == len(tried)  # no trial was begun twice
    assert found["spent_seconds"] <= BUDGET


def test_a_finished_search_is_not_done_again(spec: Spec, tmp_path: Path) -> None:
    playing = Playing()
    run(spec, tmp_path, playing, budget=100)
    trained = len(playing.trained)
    run(spec, tmp_path, playing, budget=100)
    assert len(playing.trained) == trained


@pytest.mark.slow
def test_a_trial_that_lags_behind_the_others_is_left_early(spec: Spec, tmp_path: Path) -> None:
    found = run(spec, tmp_path, Playing(), budget=1500)
    ends = [one["end"] for one in found["trials"]]
    pruned = [one for one in found["trials"] if one["end"] == "pruned"]
    assert "pruned" in ends
    assert ends[0] == "whole"
    whole = [one["seconds"] for one in found["trials"] if one["end"] == "whole"]
    assert max(one["seconds"] for one in pruned) < max(whole)


def test_a_recipe_that_cannot_be_trained_costs_its_trial_alone(spec: Spec, tmp_path: Path) -> None:
    def diverges(recipe: Recipe) -> Exception | None:
        too_high = recipe.learning_rate > 5e-4
        return TrainingFailed("The loss is nan at step 3.") if too_high else None

    found = run(spec, tmp_path, Playing(fails=diverges))
    failed = [one for one in found["trials"] if one["end"] == "failed"]
    assert failed
    assert {one["why"] for one in failed} == {"The loss is nan at step 3."}


@pytest.mark.parametrize("error", [TrainingFailed("no examples"), StorageFull("no space")])
def test_what_stops_the_default_recipe_or_any_other_ends_the_search(
    spec: Spec, tmp_path: Path, error: Exception
) -> None:
    with pytest.raises(type(error)):
        run(spec, tmp_path, Playing(fails=lambda _: error))


def test_where_no_recipe_is_better_the_default_is_kept(spec: Spec, tmp_path: Path) -> None:
    found = run(spec, tmp_path, Playing(quality=lambda _: 0.7), budget=300)
    assert len(found["trials"]) > 1
    assert found["chosen"] == 1
    assert found["recipe"] == {}


def test_replay_is_not_varied_where_there_is_none(spec: Spec, tmp_path: Path) -> None:
    write_rows(spec.dataset_folder / TRAIN, rows(100, 0))
    found = run(spec, tmp_path, Playing(), budget=150)
    assert set(found["trials"][0]["values"]) == {"learning_rate"}


def test_too_little_held_out_is_refused_before_anything_is_trained(
    spec: Spec, tmp_path: Path
) -> None:
    write_rows(spec.dataset_folder / HELD_OUT, rows(10, 10, start=1000))
    playing = Playing()
    with pytest.raises(ConfigurationError, match="held_out_share"):
        run(spec, tmp_path, playing)
    assert playing.trained == []
