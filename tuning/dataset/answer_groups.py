"""Answers that say the same, in other words or with other punctuation, as groups. Pure."""

from collections.abc import Sequence

from records.text import normalise
from tuning.dataset.nearness import Asked, band_hashes, bands_for, says_the_same

_LEAST = 0.85
"""Share of three-letter groups in common from which two answers are one."""


def answer_groups(answers: Sequence[str]) -> list[int]:
    """For each answer the number of its group, counted from 0 in the order of first appearance.

    Two answers are one group where they say the same (`nearness.says_the_same`), or where a third
    says the same as both.
    """
    firsts: dict[str, str] = {}
    for answer in answers:
        firsts.setdefault(_key(answer), answer)
    leaders = _joined(list(firsts.values()))
    of_key = dict(zip(firsts, leaders, strict=True))
    numbers: dict[int, int] = {}
    return [numbers.setdefault(of_key[_key(answer)], len(numbers)) for answer in answers]


def _key(answer: str) -> str:
    return normalise(answer) or answer.strip()


def _joined(distinct: Sequence[str]) -> list[int]:
    """The place of each one's first like, by candidates from bands that are then verified."""
    leaders = list(range(len(distinct)))
    bands = bands_for(_LEAST)
    assert bands is not None
    hashes = band_hashes([Asked(normalise(answer)) for answer in distinct], bands)
    for column in hashes.T:
        seen: dict[int, int] = {}
        for at, band in enumerate(column.tolist()):
            other = seen.setdefault(band, at)
            one, two = _leader(leaders, at), _leader(leaders, other)
            if one != two and says_the_same(distinct[at], distinct[other], least=_LEAST):
                leaders[max(one, two)] = min(one, two)
    return [_leader(leaders, at) for at in range(len(leaders))]


def _leader(leaders: list[int], at: int) -> int:
    while leaders[at] != at:
        leaders[at] = leaders[leaders[at]]
        at = leaders[at]
    return at
