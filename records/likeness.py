"""Questions that are nearly the same, by their letters. Pure.

The bounds were found on the 9,999 questions of BANKING77, each compared with each
(`benchmarks/likeness.py`): of the pairs that are 0.75 alike 96 % ask about one topic, of those that
are 0.5 alike 84 %, of those that are 0.4 alike 74 %. So 0.75 by itself says that two questions are
nearly the same, and a different answer is then worth a warning. Where people gave the very same
answer to both, 0.5 is enough: "Where can I change my PIN" and "Where could I change my PIN".
"""

from collections.abc import Iterable
from functools import lru_cache

from records.text import normalise

NEARLY = 0.75
"""Least likeness of questions that are shown together, whatever their answers."""
AGREEING = 0.5
"""Least likeness of questions that are shown together where their right answers are the same."""
LONGEST = 600
"""Characters of a text that are looked at; what comes later seldom says what it is about."""
_REMEMBERED = 16_384


@lru_cache(maxsize=_REMEMBERED)
def shingles(text: str) -> frozenset[str]:
    """The groups of three letters in a text's first words; a shorter text is one group."""
    return groups(normalise(text[:LONGEST]))


def groups(plain: str) -> frozenset[str]:
    """The groups of three letters in a normalised text; a shorter one is one group."""
    if not plain:
        return _NONE
    return frozenset([plain[i : i + 3] for i in range(max(1, len(plain) - 2))])  # faster as a list


_NONE: frozenset[str] = frozenset()


def likeness(one: str, other: str) -> float:
    """Share of groups of three letters that two texts have in common (Jaccard, 0..1).

    Texts without any letters are like nothing but themselves.
    """
    ours, theirs = shingles(one), shingles(other)
    if not ours or not theirs:
        return float(one == other)
    shared = len(ours & theirs)
    return shared / (len(ours) + len(theirs) - shared)


def nearest(text: str, others: Iterable[tuple[str, str]], *, least: float = NEARLY) -> list[str]:
    """Ids of `(id, text)` pairs that are nearly the same, the most alike first."""
    size = len(shingles(text))
    found = [
        (likeness(text, other), name)
        for name, other in others
        if least * size <= len(shingles(other)) <= size / least
    ]
    near = [(-share, name) for share, name in found if share >= least]
    return [name for _, name in sorted(near)]
