"""Who words questions anew, and how: the settings of augmentation."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr

from records.settings import Settings


class Wording(StrEnum):
    """What words a question anew."""

    MODEL = "model"
    """A model behind an OpenAI-compatible endpoint; by default the champion."""
    RULES = "rules"
    """Typing errors, contractions, politeness, order: what needs no model."""


class AnswerCheck(StrEnum):
    """How it is seen that a new wording still asks for the right answer."""

    NEIGHBOUR = "neighbour"
    """The question that means most nearly the same, of those that are trained on, has it."""
    MODEL = "model"
    """The endpoint is asked."""


class AugmentationSettings(Settings):
    """How questions are worded anew, where a recipe wants it (`augment`)."""

    augment_with: Wording = Field(
        default=Wording.MODEL,
        description="`model`, or `rules` where the champion is too small to paraphrase.",
    )
    augment_url: str = Field(
        default="",
        description="An OpenAI-compatible endpoint, such as https://HOST/v1; default: our engine.",
    )
    augment_model: str = Field(
        default="", description="Its model's name; needed with a URL, default: the champion."
    )
    augment_key: SecretStr | None = Field(default=None, description="Its API key.")
    augment_check: AnswerCheck = Field(
        default=AnswerCheck.NEIGHBOUR,
        description="How it is seen that a wording keeps its right answer.",
    )
    augment_at_once: int = Field(
        default=8, ge=1, le=256, description="Requests to the endpoint at the same time."
    )
    augment_examples: int = Field(
        default=2000, ge=1, description="The newest so many corrections are worded anew, no more."
    )
    augment_languages: str = Field(
        default="German, French, Spanish",
        description="Languages for translation there and back, comma-separated; empty: none.",
    )

    @property
    def augmentation_cache(self) -> Path:
        """What endpoints answered, so that nothing is asked twice."""
        return self.home / "augmentation.sqlite"

    @property
    def pivots(self) -> tuple[str, ...]:
        """The languages for translation there and back."""
        return tuple(name.strip() for name in self.augment_languages.split(",") if name.strip())
