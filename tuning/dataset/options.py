"""What an assistant's file says under `data:`: how its examples are cleaned before they train."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from records.errors import ConfigurationError
from records.patterns import pattern_of
from tuning.dataset.personal_data.own_types import check_kept, own_patterns


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonalDataOptions(_Section):
    """How personal data is taken out of what trains."""

    replace: bool = Field(default=True, description="Put typed placeholders in its place.")
    keep: tuple[str, ...] = Field(
        default=(), description="Types that stay, such as URL where answers link to help pages."
    )
    own: tuple[str, ...] = Field(
        default=(),
        description="What is yours and stays: hosts of your help pages (`help.alder.example`), "
        "your addresses and numbers. What the system prompt holds stays anyway.",
    )
    learn_copies: bool = Field(
        default=False,
        description="Also learn answers that repeat the customer's data, with its placeholder: "
        "a model may then say the placeholder to a customer.",
    )
    patterns: dict[str, str] = Field(
        default_factory=dict,
        description="Your own types by name, each a regular expression: `ORDER: 'AB-\\d{6}'`.",
    )
    threshold: float = Field(
        default=0.35, ge=0, le=1, description="How sure a find must be; lower finds more, wrongly."
    )

    @model_validator(mode="after")
    def _usable(self) -> Self:
        check_kept(self.keep, own_patterns(self.patterns))
        return self


class Features(StrEnum):
    """By what questions are compared, where the others' answers are looked at."""

    AUTO = "auto"
    """By sentences from 100 to 3,000 examples, by words where there are fewer or more."""
    WORDS = "words"
    """Words and groups of letters: 20,000 in seconds."""
    SENTENCES = "sentences"
    """A model of what sentences mean: better with few examples, about 100 a second and core."""


class LabelNoiseOptions(_Section):
    """Whether corrections that the others disagree with are looked for."""

    look: bool = Field(default=True, description="Show them in the card.")
    features: Features = Field(
        default=Features.AUTO,
        description="How questions are compared: `words` is fast, `sentences` finds more among "
        "few; `auto`: sentences from 100 to 3,000 examples.",
    )
    least: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Lead of the other answer among the most similar questions, as a share of "
        "their votes, from which an example is doubted; less finds more, wrongly.",
    )
    send_back: bool = Field(
        default=False,
        description="Send the clearest ones back to review instead of training on them.",
    )


class DataOptions(_Section):
    """How examples are cleaned. Every step is counted in the dataset's card."""

    minimum_examples: int = Field(
        default=1, ge=1, description="Fewer corrections than this, and a retraining is refused."
    )
    most_sent_back: int = Field(
        default=200,
        ge=0,
        description="So many contradicting examples go back to review in one run, at most; the "
        "others are only left out of its dataset.",
    )
    languages: tuple[str, ...] = Field(
        default=(), description="Keep these (ISO 639-1, such as `en`); empty: all."
    )
    personal_data: PersonalDataOptions = PersonalDataOptions()
    label_noise: LabelNoiseOptions = LabelNoiseOptions()
    kept_apart: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="About this share of accepted answers is never trained on, but asked in every "
        "evaluation (200 at most), to see what was forgotten; from 500 accepted answers on.",
    )
    near_duplicates: float = Field(
        default=0.8,
        gt=0.3,
        le=1,
        description="Share of three-letter sequences in common (Jaccard) from which two questions "
        "are nearly the same; 1: only equal ones.",
    )
    boilerplate: tuple[str, ...] = Field(
        default=(), description="Answers that say nothing (regular expressions for a whole answer)."
    )
    signatures: tuple[str, ...] = Field(
        default=(), description="Regular expressions for lines that end a message, such as names."
    )
    html: bool = Field(
        default=True,
        description="Turn HTML into the text it shows; false where customers ask about HTML.",
    )
    toxic_words: tuple[str, ...] = Field(
        default=(), description="Answers with one of these words or phrases are left out."
    )
    longest_characters: int = Field(
        default=8000, ge=1, description="Longer questions or answers are pasted logs, mostly."
    )
    topic: str = Field(
        default="", description="The key of `slice` that names a topic, for caps and plots."
    )

    @field_validator("boilerplate", "signatures")
    @classmethod
    def _readable(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            pattern_of(pattern)
        return patterns


def resolve_data(section: Mapping[str, Any]) -> DataOptions:
    """The options of an assistant's `data:` section.

    Raises:
        ConfigurationError: an unknown key or an impossible value.
    """
    try:
        return DataOptions.model_validate(section)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in ("data", *problem["loc"]))
        raise ConfigurationError(
            f"The assistant's {where} cannot be used: {problem['msg']}."
        ) from (error)
