"""A recipe: every number of a training run, each with its reason. Unknown keys are refused."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from records.errors import AdapterUnservable, ConfigurationError, InvalidInput
from records.states import TrainingMethod
from tuning.recipes.named import layered

_UNSERVABLE = {
    "use_dora": "DoRA",
    "bias": "trained biases",
    "lora_bias": "LoRA biases",
    "modules_to_save": "fully trained modules",
    "trainable_token_indices": "trained token embeddings",
    "init_lora_weights": "OLoRA, CorDA or LoftQ initialisation (PiSSA: `initialisation: pissa`)",
}
"""PEFT's features that people may ask for, refused with a better word than "unknown key"."""

_AUTO_BATCH = 16


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


class Initialisation(StrEnum):
    """Where an adapter's numbers begin."""

    PLAIN = "plain"
    """A at random, B zero: the model as it was."""
    PISSA = "pissa"
    """The base's principal directions (arXiv 2404.02948); served as LoRA of twice the rank."""


class StartFrom(StrEnum):
    """Which adapter training goes on from."""

    BASE = "base"
    CHAMPION = "champion"


class Judge(StrEnum):
    """By what held-out measure the best checkpoint is kept and training ends early."""

    AUTO = "auto"
    LOSS = "held_out_loss"
    QUALITY = "held_out_quality"


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
    use_rslora: bool = Field(
        default=False,
        description="Scale by alpha/sqrt(rank), so that high ranks learn as fast as low ones "
        "(arXiv 2312.03732); at rank 16 the usual scale does.",
    )
    initialisation: Initialisation = Field(
        default=Initialisation.PLAIN,
        description="pissa converges sooner and serves at twice the rank: a limit to mind.",
    )
    quantise: bool = Field(
        default=False,
        description="QLoRA: the base in 4 bits while training, on CUDA only; for bases that do "
        "not fit otherwise, because it is slower.",
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
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        default="auto",
        description="Examples per step; auto: 16, because small batches generalise. What memory "
        "does not hold at once is split, with the same result.",
    )
    gradient_accumulation: int = Field(
        default=1, ge=1, description="So many batches make one step of the optimiser."
    )
    gradient_checkpointing: Literal["auto"] | bool = Field(
        default="auto",
        description="Halves memory for a third more time: only where one example would not fit.",
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
    held_out_prompts: int = Field(
        default=64,
        ge=0,
        description="Held-out prompts that are answered and scored at each look; 0: none. 64 cost "
        "about as much as ten steps.",
    )
    judge: Judge = Field(
        default=Judge.AUTO,
        description="auto: held-out loss where answers are learned; held-out quality for the "
        "preference methods, which make answers better while that loss rises.",
    )
    preference_learning_rate: float = Field(
        default=5e-5,
        gt=0,
        lt=1,
        description="For dpo, kto and grpo: they push an adapter that can answer already.",
    )
    preference_epochs: float = Field(
        default=1.0, gt=0, le=100, description="More passes over pairs make answers degenerate."
    )
    preference_beta: float = Field(
        default=0.1,
        gt=0,
        description="How dear it is to leave what was said before (dpo, kto): the papers' value.",
    )
    preference_answer_weight: float = Field(
        default=0.2,
        ge=0,
        description="In dpo, the weight of the right answer's own loss (arXiv 2404.19733): without "
        "it, right answers may become less likely as long as wrong ones do so faster.",
    )
    document_epochs: float = Field(
        default=1.0, gt=0, le=100, description="Passes over documents; facts, not wording, matter."
    )
    grpo_steps: int = Field(
        default=30, ge=1, description="Steps of the optimiser; each writes its answers anew."
    )
    grpo_group: int = Field(
        default=8, ge=2, description="Answers per prompt; their mean is what each is held against."
    )
    grpo_prompts: int = Field(default=8, ge=1, description="Prompts per step.")
    grpo_temperature: float = Field(
        default=1.0, gt=0, description="At 1 the answers are the model's own distribution."
    )
    grpo_divergence: float = Field(
        default=0.04,
        ge=0,
        description="Weight of the distance from the model at the start (the paper's value).",
    )
    seed: int = Field(default=7, ge=0, description="Fixed: the same run gives the same adapter.")
    precision: Precision = Field(
        default=Precision.AUTO,
        description="bfloat16 where the GPU or the CPU multiplies it natively (half as long again "
        "as float32 otherwise), float32 elsewhere.",
    )
    start_from: StartFrom = Field(
        default=StartFrom.BASE,
        description="base, so that no error of an old adapter stays; champion goes on from what "
        "is served, with its rank and layers.",
    )
    on_leak: OnLeak = Field(
        default=OnLeak.REFUSE, description="A correction that is a test case needs a person's eye."
    )

    @property
    def largest_batch(self) -> int:
        """Examples that go through the model at once, where memory allows it."""
        return _AUTO_BATCH if self.batch_size == "auto" else self.batch_size

    @property
    def effective_batch(self) -> int:
        """Examples per step of the optimiser."""
        return self.largest_batch * self.gradient_accumulation

    @property
    def served_rank(self) -> int:
        """The rank of the adapter that is served: PiSSA's two halves make one of twice the rank."""
        return self.rank * 2 if self.initialisation is Initialisation.PISSA else self.rank

    @model_validator(mode="after")
    def _possible(self) -> Self:
        pissa = self.initialisation is Initialisation.PISSA
        if pissa and self.start_from is StartFrom.CHAMPION:
            raise ValueError("initialisation: pissa begins anew; it can't start_from the champion")
        if pissa and self.quantise:
            raise ValueError("initialisation: pissa needs the base's own numbers; quantise: false")
        if self.judge is Judge.QUALITY and not self.held_out_prompts:
            raise ValueError("judge: held_out_quality needs held_out_prompts")
        return self


def resolve(assistant_recipe: Mapping[str, Any], overrides: Mapping[str, Any]) -> Recipe:
    """The recipe of a run: defaults, then the named one, the assistant's own keys, the run's own.

    Raises:
        AdapterUnservable: it asks for something that vLLM could not serve.
        ConfigurationError: an unknown key, an impossible value, or no recipe of that name.
    """
    wanted = layered(assistant_recipe, overrides)
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
    return f"{key}: {message}" if location else message.removeprefix("Value error, ")


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
