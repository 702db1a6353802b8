"""Which wordings are good enough: as far from the question as is useful, and no farther. Pure."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from records.likeness import likeness
from records.text import normalise

Vectors = NDArray[np.float32]

LEAST_SIMILARITY, MOST_SIMILARITY = 0.7, 0.98
"""Cosine of the two sentences' vectors: below, it asks something else; above, it teaches nothing.
Of pairs of BANKING77's questions on different topics 0.2 % lie between, of pairs on one topic 27 %
(`benchmarks/tuning/augmentation.py`)."""
_NEARLY_EQUAL = 0.95
"""Share of three-letter groups from which on two wordings are one."""
_LONGEST = 3.0
_FACTS = re.compile(r"[<\[{][A-Z][A-Z_]*(?:[ _]?\d+)?[>\]}]|\d+(?:[.,:/-]\d+)*")
"""Placeholders of personal data, and numbers."""


def text_problem(question: str, wording: str, others: Sequence[str]) -> str | None:
    """Why a wording can't be used, by its letters alone; None where nothing speaks against it."""
    if not normalise(wording):
        return "empty"
    if len(wording) > _LONGEST * len(question) + 40:
        return "much longer"
    if Counter(_FACTS.findall(question)) != Counter(_FACTS.findall(wording)):
        return "other numbers or placeholders"
    if normalise(wording) == normalise(question):
        return "the same words"
    if any(likeness(wording, other) >= _NEARLY_EQUAL for other in others):
        return "like another wording"
    return None


def similarity_problem(similarity: float) -> str | None:
    """Why a wording can't be used, by the cosine of its vector with the question's."""
    if similarity < LEAST_SIMILARITY:
        return "means something else"
    return "hardly different" if similarity > MOST_SIMILARITY else None


def nearest_answers(wordings: Vectors, labelled: Vectors, answers: Sequence[str]) -> list[str]:
    """For each wording what the labelled question nearest in meaning is answered.

    Vectors are of length 1, shapes (wordings, d) and (questions, d); without any labelled question
    nothing is answered.
    """
    if not len(labelled):
        return [""] * len(wordings)
    return [answers[at] for at in np.argmax(wordings @ labelled.T, axis=1)]
