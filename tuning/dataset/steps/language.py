"""Examples in languages that the assistant doesn't serve.

Only what is decidedly in another language is dropped: a short text, or one that could be several
languages', is kept.
"""

from collections.abc import Callable, Collection
from functools import cache, lru_cache
from typing import Any

from records.errors import ConfigurationError
from records.messages import Role
from tuning.dataset.examples import TrainingExample
from tuning.dataset.steps.step import Dropped

_FEWEST_LETTERS = 20
"""Shorter texts are told apart too badly: "cancel order" is English by .11."""
_SURE = 0.8
_REMEMBERED = 4096
_LONGEST_CHARACTERS = 1000
"""More makes the guess no better and costs time in proportion."""

Guess = Callable[[str], str | None]


@cache
def language_guess() -> Guess:
    """A function that gives a text's language (ISO 639-1), or None where it is undecided.

    It remembers what it was asked lately: answers repeat, and the card asks what a step asked.
    """
    identifier = _identifier()

    @lru_cache(maxsize=_REMEMBERED)
    def guess(text: str) -> str | None:
        if sum(map(str.isalpha, text)) < _FEWEST_LETTERS:
            return None
        language, share = identifier.classify(text[:_LONGEST_CHARACTERS])
        return str(language) if share >= _SURE and language != _NO_LANGUAGE else None

    return guess


def check_languages(wanted: Collection[str]) -> None:
    """Refuse a language that the identifier can't tell.

    Raises:
        ConfigurationError: naming it.
    """
    unknown = sorted(set(wanted) - set(_identifier().labels))
    if unknown:
        raise ConfigurationError(
            f"The assistant's data.languages names {', '.join(unknown)}, which cannot be told: use "
            "two-letter codes of ISO 639-1, such as en or de."
        )


def keep_languages(
    example: TrainingExample, guess: Guess, *, wanted: Collection[str]
) -> TrainingExample | Dropped:
    """The example, unless its last question or its answer is in a language not wanted."""
    asked = [m.content for m in example.prompt if m.role is Role.CUSTOMER][-1:]
    for what, text in (*(("question", text) for text in asked), ("answer", example.answer)):
        language = guess(text)
        if language is not None and language not in wanted:
            return Dropped(f"{what} in {language}")
    return example


_NO_LANGUAGE = "zxx"
"""The identifier's word for what is no language."""


@cache
def _identifier() -> Any:
    """The identifier, read once a process: it takes a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
