"""Answers with words that no customer should read. Pure.

Customers' own words are kept: an assistant must know what to say to an angry one. So is a rejected
answer, which training leads away from.
"""

from collections.abc import Callable, Iterable

from records.text import normalise
from tuning.dataset.examples import TrainingExample
from tuning.dataset.steps.learned_turns import unlearn
from tuning.dataset.steps.step import Dropped

_NEVER_SAID = (
    "idiot",
    "idiots",
    "idiotic",
    "moron",
    "morons",
    "imbecile",
    "dumbass",
    "shut up",
    "get lost",
    "go to hell",
    "screw you",
    "are you stupid",
    "you are stupid",
    "you re stupid",
)


def toxicity(words: Iterable[str]) -> Callable[[str], bool]:
    """A function that says whether a text holds one of the built-in or the given words or phrases.

    They are compared as whole words in the normal form of `records.text.normalise`, so letter
    case, punctuation and wide letters make no difference, and "class" holds no shorter word.
    """
    phrases = {f" {plain} " for word in (*_NEVER_SAID, *words) if (plain := normalise(word))}

    def is_toxic(text: str) -> bool:
        padded = f" {normalise(text)} "
        return any(phrase in padded for phrase in phrases)

    return is_toxic


def keep_civil(
    example: TrainingExample, is_toxic: Callable[[str], bool]
) -> TrainingExample | Dropped:
    """The example, unless its answer is toxic; earlier such answers are not learned."""
    if is_toxic(example.answer):
        return Dropped("toxic answer")
    return unlearn(example, is_toxic)
