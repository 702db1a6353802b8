"""What an assistant's file says under `data:`: how its examples are cleaned before they train."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from records.errors import ConfigurationError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonalDataOptions(_Section):
    """How personal data is taken out of what trains."""

    replace: bool = Field(default=True, description="Put typed placeholders in its place.")
    keep: tuple[str, ...] = Field(
        default=(), description="Types that stay, such as URL where answers link to help pages."
    )
    patterns: dict[str, str] = Field(
        default_factory=dict,
        description="Your own types by name, each a regular expression: `ORDER: 'AB-\\d{6}'`.",
    )
    threshold: float = Field(
        default=0.35, ge=0, le=1, description="How sure a find must be; lower finds more, wrongly."
    )


class LabelNoiseOptions(_Section):
    """Whether corrections that the others disagree with are looked for."""

    look: bool = Field(default=True, description="Show them in the card and in review.")
    folds: int = Field(default=5, ge=2, le=20, description="Parts of the cross-validation.")
    send_back: bool = Field(
        default=False,
        description="Send the clearest ones back to review instead of training on them.",
    )


class DataOptions(_Section):
    """How examples are cleaned. Every step is counted in the dataset's card."""

    minimum_examples: int = Field(
        default=1, ge=1, description="Fewer corrections than this, and a retraining is refused."
    )
    languages: tuple[str, ...] = Field(
        default=(), description="Keep these (ISO 639-1, such as `en`); empty: all."
    )
    personal_data: PersonalDataOptions = PersonalDataOptions()
    label_noise: LabelNoiseOptions = LabelNoiseOptions()
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
    toxic_words: tuple[str, ...] = Field(
        default=(), description="Answers with one of these words or phrases are left out."
    )
    longest_characters: int = Field(
        default=8000, ge=1, description="Longer questions or answers are pasted logs, mostly."
    )
    topic: str = Field(
        default="", description="The key of `slice` that names a topic, for caps and plots."
    )


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
