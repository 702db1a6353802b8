"""Answers that say nothing, such as "please wait". Pure.

An answer counts only as a whole: "Please wait two days, then ask your bank" says something. A
handoff is kept whatever it says, since the lesson is that a person must answer.
"""

from collections.abc import Callable, Iterable

from records.patterns import pattern_of
from records.text import normalise
from tuning.dataset.examples import TrainingExample
from tuning.dataset.steps.learned_turns import unlearn
from tuning.dataset.steps.step import Dropped

_SAYS_NOTHING = frozenset(
    {
        "please wait",
        "please wait a moment",
        "one moment",
        "one moment please",
        "just a moment",
        "just a moment please",
        "one second",
        "hold on",
        "hold on please",
        "please hold",
        "let me check",
        "let me check that for you",
        "let me look into that",
        "let me look into this for you",
        "i will check",
        "i ll check",
        "i ll get back to you",
        "i will get back to you",
        "we will get back to you",
        "we will get back to you shortly",
        "looking into it",
        "checking",
        "see above",
        "see below",
        "see attachment",
        "as discussed",
        "done",
        "fixed",
        "resolved",
        "closed",
        "ticket closed",
        "no answer",
        "no response",
        "n a",
        "na",
        "none",
        "null",
        "tbd",
        "todo",
        "test",
        "asdf",
    }
)
"""In the normal form of `records.text.normalise`."""


def boilerplate(patterns: Iterable[str]) -> Callable[[str], bool]:
    """A function that says whether an answer says nothing.

    Args:
        patterns: The team's own, each a regular expression for a whole answer.

    Raises:
        ValueError: one is no regular expression.
    """
    theirs = [pattern_of(pattern) for pattern in patterns]

    def says_nothing(answer: str) -> bool:
        plain = answer.strip()
        if not plain:
            return False
        return normalise(plain) in _SAYS_NOTHING or any(one.is_all_of(plain) for one in theirs)

    return says_nothing


def keep_saying(
    example: TrainingExample, says_nothing: Callable[[str], bool]
) -> TrainingExample | Dropped:
    """The example, unless its answer says nothing; earlier such answers are not learned."""
    if not example.should_escalate and says_nothing(example.answer):
        return Dropped("answer says nothing")
    return unlearn(example, says_nothing)
