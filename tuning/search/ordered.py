"""The search that a job asks for, if it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from records.assistant import Assistant
from tuning.recipes.named import FROM
from tuning.search.space import Space, space_of
from tuning.training.recipe import Recipe

BUDGET = "budget_seconds"
"""The key of a job's options that asks for a search."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is varied, and for how many seconds."""

    space: Space
    budget: float


def search_of(options: Mapping[str, Any], assistant: Assistant, recipe: Recipe) -> Search | None:
    """The search that a job's options ask for; what the job itself sets is not varied."""
    budget = options.get(BUDGET)
    if not isinstance(budget, int | float):
        return None
    fixed = frozenset(options.get("recipe") or {}) - {FROM}
    space = space_of(recipe, fixed=fixed, most_rank=assistant.engine.max_lora_rank)
    return Search(space, float(budget))
