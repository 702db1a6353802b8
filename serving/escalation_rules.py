"""What customers write that goes to a person before any model is asked. Pure.

Phrases are whole words, compared without letter case and punctuation. A topic is a few examples of
how customers put it: a question belongs to it that shares enough of their letters (the cosine of
counts of letter triples), which survives typos and another order of words, but knows no meaning.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from records.assistant import EscalationOptions, PolicyRule
from records.patterns import pattern_of
from records.states import EscalationReason

_MOST_READ = 4_000
"""Characters of a question that are looked at: no pattern may cost more for a longer one."""
_SHOWN = 60
_NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Handover:
    """Why a person must answer, and what the customer reads."""

    reason: EscalationReason
    cause: str
    sentence: str = ""
    """Empty: the assistant's usual one."""


class EscalationRules:
    """One assistant's phrases and rules, ready to be applied."""

    def __init__(self, options: EscalationOptions) -> None:
        """Read what the assistant's file says."""
        self._phrases = [(words_of(phrase), phrase) for phrase in options.phrases]
        self._rules = [_Rule(rule) for rule in options.rules]

    def find(self, question: str) -> Handover | None:
        """The first phrase or rule that applies; None where the model may answer."""
        if not self._phrases and not self._rules:
            return None
        question = question[:_MOST_READ]
        words = words_of(question)
        for phrase, shown in self._phrases:
            if phrase in words:
                cause = f"The customer asked for a person (“{shown[:_SHOWN]}”)."
                return Handover(EscalationReason.CUSTOMER, cause)
        for rule in self._rules:
            if rule.applies(question, words):
                return rule.handover
        return None


def words_of(text: str) -> str:
    """A text as lower-case words between single spaces, with one at each end."""
    return f" {_NOT_A_WORD.sub(' ', text.casefold()).strip()} "


def likeness(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Cosine of two counts, 0..1; 0 where one of them is empty."""
    shared = sum(count * other[key] for key, count in one.items() if key in other)
    length = math.sqrt(_square(one) * _square(other))
    return shared / length if length else 0.0


def triples(words: str) -> Counter[str]:
    """How often each three letters in a row occur."""
    return Counter(words[i : i + 3] for i in range(len(words) - 2))


def _square(counts: Mapping[str, int]) -> int:
    return sum(count * count for count in counts.values())


class _Rule:
    """A policy rule, compiled."""

    def __init__(self, rule: PolicyRule) -> None:
        self._pattern = pattern_of(rule.pattern) if rule.pattern else None
        self._examples: Sequence[Counter[str]] = [triples(words_of(text)) for text in rule.like]
        self._likeness = rule.likeness
        cause = f"The rule “{rule.name}” asks for a person."
        self.handover = Handover(EscalationReason.POLICY, cause, rule.sentence)

    def applies(self, question: str, words: str) -> bool:
        if self._pattern is not None:
            return self._pattern.is_in(question)
        asked = triples(words)
        return any(likeness(asked, example) >= self._likeness for example in self._examples)
