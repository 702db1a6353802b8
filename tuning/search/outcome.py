"""What a search found, as the plain values that manifest, report and commands show. Pure.

budget_seconds, spent_seconds, prompts (chosen by), chosen (a trial's number, from 1)
recipe       {key: value}: what the chosen recipe has other than the default; empty: nothing
trials[]     {number, values, end, quality, held_out_loss, seconds, cut, replayed, why}
report       {prompts, chosen{quality, low, high, held_out_loss}, default{...}}: on the other half
importances  {key: 0..1}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tuning.search.space import Space
from tuning.search.study import Trial

_CONFIDENCE = 0.95


def outcome(
    trials: Sequence[Trial],
    *,
    best: Trial,
    space: Space,
    looks: Mapping[str, Any],
    prompts: int,
    importances: Mapping[str, float],
    budget: float,
    spent: float,
) -> dict[str, Any]:
    """Everything in one value; `looks` is how the chosen and the default do on the other half."""
    return {
        "budget_seconds": round(budget),
        "spent_seconds": round(spent, 1),
        "prompts": prompts,
        "chosen": best.number + 1,
        "recipe": changes(space, best),
        "trials": [_shown(space, trial) for trial in trials],
        "report": {
            "prompts": looks["chosen"]["prompts"],
            **{name: _with_interval(looks[name]) for name in ("chosen", "default")},
        },
        "importances": dict(importances),
    }


def changes(space: Space, trial: Trial) -> dict[str, Any]:
    """The keys of a trial's recipe that differ from the default's."""
    ours = space.recipe_of(trial.values).model_dump(mode="json")
    default = space.recipe.model_dump(mode="json")
    return {key: value for key, value in ours.items() if value != default[key]}


def _shown(space: Space, trial: Trial) -> dict[str, Any]:
    recipe = space.recipe_of(trial.values).model_dump(mode="json")
    figures = trial.figures or {}
    return {
        "number": trial.number + 1,
        "values": {key: recipe[key] for key in space.knobs},
        "end": str(trial.end),
        "quality": trial.quality,
        "held_out_loss": trial.held_out_loss,
        "seconds": figures.get("seconds"),
        "cut": bool(figures.get("cut")),
        "replayed": figures.get("replayed"),
        "why": trial.why,
    }


def _with_interval(look: Mapping[str, Any]) -> dict[str, Any]:
    from evaluation.intervals import wilson

    count = int(look["prompts"])
    low, high = wilson(round(look["quality"] * count), count, confidence=_CONFIDENCE)
    return {
        "quality": look["quality"],
        "low": round(low, 4),
        "high": round(high, 4),
        "held_out_loss": look.get("held_out_loss"),
    }
