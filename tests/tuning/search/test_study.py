"""Trials on disk: suggestions that a restart does not change, and pruning."""

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from tuning.search.space import Value, space_of
from tuning.search.study import LOOKS, Study, Trial, TrialEnd
from tuning.training.recipe import Recipe

SPACE = space_of(Recipe(), fixed=frozenset({"batch_size"}), most_rank=16)


def quality(values: Mapping[str, Value]) -> float:
    return 0.9 - 0.1 * abs(math.log10(values["learning_rate"]) + 3)


def tried(study: Study) -> Trial:
    trial = study.begin()
    study.end(trial.number, TrialEnd.WHOLE, quality=quality(trial.values), held_out_loss=1.0)
    return study.trial(trial.number)


def test_the_same_seed_suggests_the_same_however_often_it_is_opened_anew(tmp_path: Path) -> None:
    at_once = Study(tmp_path / "a.sqlite", SPACE, seed=7)
    first = [tried(at_once) for _ in range(6)]
    again = [tried(Study(tmp_path / "b.sqlite", SPACE, seed=7)) for _ in range(6)]
    assert first == again
    assert first[0].values == SPACE.default
    other = Study(tmp_path / "c.sqlite", SPACE, seed=8)
    assert [tried(other) for _ in range(2)][1] != first[1]


def test_a_trial_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    study = Study(tmp_path / "study.sqlite", SPACE, seed=7)
    tried(study)
    begun = study.begin()
    study.look(begun.number, part=3, quality=0.4)
    found = Study(tmp_path / "study.sqlite", SPACE, seed=7).begin()
    assert (found.number, found.values, found.quality) == (begun.number, begun.values, 0.4)


def test_a_trial_whose_looks_are_worse_than_most_is_to_be_left_but_never_the_first(
    tmp_path: Path,
) -> None:
    study = Study(tmp_path / "study.sqlite", SPACE, seed=7)
    for level in (0.2, 0.6, 0.7, 0.8):
        trial = study.begin()
        for part in range(1, LOOKS + 1):
            assert not study.look(trial.number, part=part, quality=level * part / LOOKS)
        study.end(trial.number, TrialEnd.WHOLE, quality=level)
    lagging = study.begin().number
    assert not study.look(lagging, part=1, quality=0.0)  # too early to say
    assert study.look(lagging, part=4, quality=0.1)
    study.end(lagging, TrialEnd.PRUNED)
    assert study.trial(lagging).quality == 0.1
    assert study.trial(lagging).end is TrialEnd.PRUNED


def test_what_mattered_is_told_once_enough_ran_to_their_end(tmp_path: Path) -> None:
    study = Study(tmp_path / "study.sqlite", SPACE, seed=7)
    for _ in range(3):
        tried(study)
    assert study.importances() == {}
    for _ in range(4):
        tried(study)
    shares = study.importances()
    assert set(shares) == set(SPACE.knobs)
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
