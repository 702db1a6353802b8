"""A recipe: every number of a training run, each with its reason. Unknown keys are refused."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from records.errors import AdapterUnservable, ConfigurationError, InvalidInput
from records.states import TrainingMethod

_UNSERVABLE = {
    "use_dora": "DoRA",
    "bias": "trained biases",
    "lora_bias": "LoRA biases",
    "modules_to_save": "fully trained modules",
    "trainable_token_indices": "trained token embeddings",
    "init_lora_weights": "PiSSA, OLoRA, CorDA or LoftQ initialisation",
}
"""PEFT's features that people may ask for, refused with a better word than "unknown key"."""


class Scheduler(StrEnum):
    """How the learning rate falls over a run."""

    COSINE = "cosine"
    LINEAR = "linear"
    CONSTANT = "constant_with_warmup"


class Precision(StrEnum):
    """The numbers that the base model computes with; the adapter itself is always float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class OnLeak(StrEnum):
    """What to do with approved corrections that are test cases."""

    REFUSE = "refuse"
    DROP = "drop"


class Recipe(BaseModel):
    """How an adapter is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: TrainingMethod = Field(
        default=TrainingMethod.SFT, description="Corrections are right answers; most have no more."
    )
    rank: int = Field(
        default=16, ge=1, description="16 learns new answers, and every engine default serves it."
    )
    alpha: float = Field(
        default=32, gt=0, description="Twice the rank: the usual scale, at which 2e-4 is stable."
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Early stopping and replay guard better, and it costs a CPU a quarter more.",
    )
    target_modules: Literal["all-linear"] | tuple[str, ...] = Field(
        default="all-linear", description="All linear layers learn more than attention alone."
    )
    learning_rate: float = Field(
        default=2e-4, gt=0, lt=1, description="Ten times full fine-tuning's, as LoRA wants."
    )
    epochs: float = Field(
        default=3.0, gt=0, le=100, description="Early stopping ends sooner where more would harm."
    )
    batch_size: int = Field(
        default=16, ge=1, description="Small batches generalise and fit any machine."
    )
    gradient_accumulation: int = Field(
        default=1, ge=1, description="Raise it, and lower batch_size, where memory is short."
    )
    warmup_ratio: float = Field(
        default=0.03, ge=0, lt=1, description="Lets the optimiser's moments settle."
    )
    weight_decay: float = Field(
        default=0.0, ge=0, description="The low rank and the dropout regularise enough."
    )
    scheduler: Scheduler = Field(
        default=Scheduler.COSINE, description="Ends softly, so that the last checkpoints are good."
    )
    max_length: int = Field(
        default=1024,
        ge=8,
        description="In tokens, prompt and answer; the engine's max_model_len caps it.",
    )
    replay_share: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Of all examples, at most this share is replayed: without it, old skills go.",
    )
    replay_limit: int = Field(
        default=20_000, ge=0, description="Keeps a run's time bounded, however long the history."
    )
    topic_cap: int | None = Field(
        default=None,
        ge=1,
        description="At most so many lessons of a topic; unset, because topics that come often "
        "should be known well.",
    )
    recency_half_life_days: float | None = Field(
        default=None,
        gt=0,
        description="A correction this old weighs half; unset, because old facts are mostly true.",
    )
    augment: int = Field(
        default=0, ge=0, le=8, description="Other wordings of each corrected question to add."
    )
    held_out_share: float = Field(
        default=0.1, ge=0, le=0.5, description="Enough for a loss that can be trusted."
    )
    held_out_limit: int = Field(
        default=256, ge=1, description="More would only make each look at held-out loss slower."
    )
    early_stopping_patience: int = Field(
        default=3, ge=1, description="Looks without improvement before training ends."
    )
    checkpoint_steps: int | None = Field(
        default=None,
        ge=1,
        description="Steps between checkpoints, each with a look at held-out loss; by default an "
        "eighth of the run, at most 200.",
    )
    max_minutes: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Training ends then with the best checkpoint so far. Unset, because a run that "
        "is cut by the clock can't be repeated exactly.",
    )
    seed: int = Field(default=7, ge=0, description="Fixed: the same run gives the same adapter.")
    precision: Precision = Field(
        default=Precision.AUTO, description="bfloat16 where a GPU has it, float32 elsewhere."
    )
    start_from: Literal["base"] = Field(
        default="base", description="From the base, so that no error of an old adapter stays."
    )
    on_leak: OnLeak = Field(
        default=OnLeak.REFUSE, description="A correction that is a test case needs a person's eye."
    )

    @property
    def effective_batch(self) -> int:
        """Examples per step of the optimiser."""
        return self.batch_size * self.gradient_accumulation


def resolve(assistant_recipe: Mapping[str, Any], overrides: Mapping[str, Any]) -> Recipe:
    """The recipe of a run: defaults, then the assistant's, then the run's own.

    Raises:
        AdapterUnservable: it asks for something that vLLM could not serve.
        ConfigurationError: an unknown key or an impossible value.
    """
    wanted = {**assistant_recipe, **overrides}
    for key, words in _UNSERVABLE.items():
        if wanted.get(key):
            raise AdapterUnservable(f"vLLM cannot serve {words}; take `{key}` out of the recipe.")
    try:
        return Recipe.model_validate(wanted)
    except ValidationError as error:
        problems = "; ".join(_problem(p["loc"], p["type"], p["msg"]) for p in error.errors())
        raise ConfigurationError(f"The recipe cannot be used: {problems}.") from error


def _problem(location: Sequence[int | str], kind: str, message: str) -> str:
    key = str(location[0]) if location else "recipe"
    if kind == "extra_forbidden":
        return f"{key!r} is no part of a recipe (there are {', '.join(Recipe.model_fields)})"
    return f"{key}: {message}"


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` words of a command line; values are YAML.

    Raises:
        InvalidInput: a word without `=`, or a value that is not YAML.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise InvalidInput(f"--set wants key=value, not {pair!r}.")
        try:
            values[key.strip()] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvalidInput(f"--set {key}: {text!r} cannot be read.") from error
    return values
