"""Questions that are nearly the same, by their letters. Pure."""

from collections.abc import Iterable
from functools import lru_cache

from records.text import normalise

NEARLY = 0.75
"""Least likeness of questions that are shown together."""
_LONGEST = 600
_REMEMBERED = 16_384


@lru_cache(maxsize=_REMEMBERED)
def shingles(text: str) -> frozenset[str]:
    """The groups of three letters in a text's first words; a shorter text is one group."""
    plain = normalise(text[:_LONGEST])
    return frozenset(plain[i : i + 3] for i in range(max(1, len(plain) - 2))) if plain else _NONE


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
