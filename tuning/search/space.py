"""What a search varies, and within which bounds: around the recipe that would be used without it.

Keys that somebody set for this run stay as they are. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

from records.adapters import ENGINE_RANKS
from records.states import TrainingMethod
from tuning.training.recipe import Initialisation, Recipe, StartFrom

Value = int | float

_RATE_FACTORS = (1 / 3, 10.0)
"""Upwards further: small bases want ten times a large one's rate, and hardly any base wants less.
What diverges costs little: it is left early."""
_LARGEST_RATE = 0.02
_EPOCHS_FACTOR = 2.0
_RANK_FACTOR = 4
_BATCHES = (8, 16, 32)
"""Smaller ones leave a GPU idle; larger ones leave too few steps of so few examples."""
_REPLAY = (0.25, 0.75)
"""Less forgets; more is three accepted answers for each correction, and mostly time."""
_WIDEST_HELD_OUT = 0.2
"""A search chooses by half of what is held out and reports on the other: both must be enough."""

_LEARNS_ANSWERS = (TrainingMethod.SFT, TrainingMethod.SFT_DPO, TrainingMethod.DOCUMENTS)
_PREFERS = (TrainingMethod.DPO, TrainingMethod.SFT_DPO, TrainingMethod.KTO, TrainingMethod.GRPO)


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two others; `log`: by its order of magnitude."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few numbers."""

    of: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """What is varied of a recipe, by key, and the recipe itself as the first trial's values."""

    recipe: Recipe
    knobs: Mapping[str, Range | Choice]

    @property
    def default(self) -> dict[str, Value]:
        """The values by which a trial is the recipe as it is."""
        return {key: _value(self.recipe, key) for key in self.knobs}

    def without(self, key: str) -> "Space":
        """The same, but for what is not worth varying."""
        return Space(self.recipe, {name: knob for name, knob in self.knobs.items() if name != key})

    def recipe_of(self, values: Mapping[str, Value]) -> Recipe:
        """The recipe of a trial: values of the default stay exactly, others are rounded."""
        default = self.default
        changes: dict[str, Any] = {
            key: _rounded(key, value) for key, value in values.items() if value != default.get(key)
        }
        if "rank" in changes:  # the scale of what is learned, alpha / rank, is another matter
            changes["alpha"] = self.recipe.alpha * changes["rank"] / self.recipe.rank
        return self.recipe.model_copy(update=changes)


def space_of(recipe: Recipe, *, fixed: frozenset[str], most_rank: int) -> Space:
    """What to vary of a recipe; `most_rank` is what the engine serves, `fixed` are keys to leave.

    Of a method only that is varied which has a part in it.
    """
    learns, prefers = recipe.method in _LEARNS_ANSWERS, recipe.method in _PREFERS
    knobs: dict[str, Range | Choice] = {}
    if learns:
        knobs["learning_rate"] = _rates(recipe.learning_rate)
    if prefers:
        knobs["preference_learning_rate"] = _rates(recipe.preference_learning_rate)
    if recipe.start_from is StartFrom.BASE:  # else the champion's rank is gone on with
        knobs["rank"] = Choice(_ranks(recipe, most_rank))
    if learns:
        low, high = recipe.epochs / _EPOCHS_FACTOR, min(100.0, recipe.epochs * _EPOCHS_FACTOR)
        knobs["epochs"] = Range(low, high, log=True)
    if recipe.method is not TrainingMethod.GRPO:  # which has its own number of prompts
        knobs["batch_size"] = Choice(tuple(sorted({*_BATCHES, recipe.largest_batch})))
    if recipe.replay_share > 0:  # 0: somebody wants none
        low, high = _REPLAY
        share = recipe.replay_share
        knobs["replay_share"] = Range(min(low, share), max(high, share))
    kept = {key: knob for key, knob in knobs.items() if key not in fixed and _varies(knob)}
    return Space(recipe, kept)


def widest(space: Space) -> Recipe:
    """The recipe for what all trials share: the dataset with the most replay, the largest need."""
    changes: dict[str, Any] = {}
    for key, knob in space.knobs.items():
        if key in ("rank", "batch_size", "replay_share"):
            changes[key] = max(knob.of) if isinstance(knob, Choice) else knob.high
    if "batch_size" in changes and space.recipe.batch_size == "auto":
        changes.pop("batch_size")  # what is too large for memory is split
    held_out = max(space.recipe.held_out_share, _WIDEST_HELD_OUT)
    return space.recipe.model_copy(update={**changes, "held_out_share": held_out})


def _rates(centre: float) -> Range:
    low, high = (centre * factor for factor in _RATE_FACTORS)
    return Range(low, max(centre, min(_LARGEST_RATE, high)), log=True)


def _ranks(recipe: Recipe, most: int) -> tuple[int, ...]:
    """Powers of two around the recipe's rank, as far as the engine serves them."""
    twice = 2 if recipe.initialisation is Initialisation.PISSA else 1
    limit = min(most, max(ENGINE_RANKS)) // twice
    powers = takewhile(lambda rank: rank <= recipe.rank * _RANK_FACTOR, (2**n for n in count(2)))
    near = {rank for rank in powers if recipe.rank / _RANK_FACTOR <= rank <= limit}
    return tuple(sorted({*near, recipe.rank}))


def _varies(knob: Range | Choice) -> bool:
    return len(knob.of) > 1 if isinstance(knob, Choice) else knob.low < knob.high


def _value(recipe: Recipe, key: str) -> Value:
    if key == "batch_size":
        return recipe.largest_batch
    value: Value = getattr(recipe, key)
    return value


def _rounded(key: str, value: Value) -> Value:
    """As somebody would write it into a recipe."""
    if key.endswith("learning_rate"):
        return float(f"{value:.2g}")
    if key in ("epochs", "replay_share"):
        return round(float(value), 2)
    return value
