"""How a recipe was found, in words and as a picture."""

from pathlib import Path
from typing import Any

import pytest

from evaluation.search_plot import draw_search
from evaluation.search_wording import alt_text, sentences, to_keep, trial_rows


def trial(number: int, quality: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "number": number,
        "values": {"learning_rate": 0.0002 * number, "rank": 16},
        "end": "whole",
        "quality": quality,
        "held_out_loss": 1.0,
        "seconds": 61.0,
        "cut": False,
        "replayed": 10,
        "why": "",
        **changes,
    }


def found(**changes: Any) -> dict[str, Any]:
    share = {"quality": 0.7, "low": 0.6, "high": 0.8, "held_out_loss": 1.0}
    return {
        "budget_seconds": 1200,
        "spent_seconds": 1100.0,
        "prompts": 120,
        "chosen": 2,
        "recipe": {"learning_rate": 0.0004},
        "trials": [
            trial(1, 0.6),
            trial(2, 0.72),
            trial(3, 0.4, end="pruned", seconds=20.0),
            trial(4, None, end="failed", why="The loss is nan."),
            trial(5, 0.65, cut=True),
        ],
        "report": {"prompts": 118, "chosen": share, "default": {**share, "quality": 0.61}},
        "importances": {"rank": 0.2, "learning_rate": 0.8},
        **changes,
    }


def test_the_table_has_each_trial_with_its_end_and_its_recipe() -> None:
    rows = trial_rows(found())
    assert rows[0][0] == "Trial"
    assert rows[1] == ("1 (default)", "0.600", "1 min 01 s", "learning_rate 0.0002, rank 16")
    assert rows[2][0] == "2 (chosen)"
    assert [row[1] for row in rows[3:]] == [
        "0.400 left early",
        "– failed",
        "0.650 cut by the clock",
    ]


def test_of_many_trials_the_best_and_the_default_are_shown() -> None:
    trials = [trial(number, number / 100) for number in range(1, 60)]
    rows = trial_rows(found(trials=trials, chosen=59))
    assert len(rows) <= 32
    assert rows[1][0] == "1 (default)"
    assert rows[-1][0] == "59 (chosen)"


def test_what_is_said_rests_on_the_half_that_nothing_was_chosen_by() -> None:
    tried, by = sentences(found())
    assert tried == (
        "5 recipes were tried in 18 min 20 s of 20 min 00 s. Trial 2 was the best: "
        "learning_rate 0.0004."
    )
    assert "On the 118 held-out questions that no recipe was chosen by" in by
    assert "70.0 % [60.0, 80.0] right, the default recipe 61.0 %" in by
    assert "of the 120 that it was chosen by, and flatter it" in by
    assert to_keep(found()) == (
        "To train so from now on, put into the assistant's `recipe`: learning_rate: 0.0004"
    )


def test_where_nothing_is_better_nothing_is_to_be_changed() -> None:
    nothing = found(chosen=1, recipe={})
    assert "None was better than the default." in sentences(nothing)[0]
    assert to_keep(nothing) is None
    assert trial_rows(nothing)[1][0] == "1 (default, chosen)"


def test_the_picture_has_its_words() -> None:
    words = alt_text(found())
    assert "trial 1 0.60, trial 2 0.72, trial 5 0.65; 1 left early" in words
    assert "What mattered: learning_rate 80%, rank 20%." in words
    assert "Too few trials" in alt_text(found(importances={}))


@pytest.mark.parametrize("importances", [{}, {"rank": 0.2, "learning_rate": 0.8}])
def test_it_is_drawn_whatever_is_known(tmp_path: Path, importances: dict[str, float]) -> None:
    path = tmp_path / "search.png"
    draw_search(found(importances=importances), path)
    assert path.read_bytes().startswith(b"\x89PNG")
