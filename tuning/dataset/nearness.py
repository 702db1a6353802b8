"""Which prompts are nearly the same, found without comparing each with each.

Candidates by MinHash bands (Broder 1997; Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*,
3.4), verified by the share of three-letter groups in common, as `records/likeness.py` counts it.
Bands alone would call four times as many the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from records.likeness import LONGEST, groups
from records.messages import Message
from records.text import normalise

_PERMUTATIONS = 128
"""Longer signatures would find hardly more: what they propose is verified anyway."""
_FOUND = 0.98
"""Least chance that a pair just alike enough is proposed."""
_SEED = 7
_NEGATIONS = (
    "no not never none nothing cannot t without nor nicht nie kein keine keinen ohne ne pas jamais "
    "sans nunca ningún sin não nem sem non geen niet"
)
"""`t` is what is left of `can't` in the normal form."""
_TELLING = re.compile(rf"\b(?:\w*\d\w*|{'|'.join(_NEGATIONS.split())})\b")

Hashes = NDArray[np.uint64]
Signatures = NDArray[np.uint32]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """What is compared of a prompt, in the normal form of `records/text.py`."""

    last: str
    """The customer's last message: what is asked."""
    talk: str | None = None
    """All messages, the last one first; None where there is no other."""

    @cached_property
    def groups(self) -> frozenset[str]:
        """Three-letter groups of the whole talk."""
        return self.last_groups if self.talk is None else groups(self.talk)

    @cached_property
    def last_groups(self) -> frozenset[str]:
        """Three-letter groups of what is asked."""
        return groups(self.last)

    @cached_property
    def telling(self) -> frozenset[str]:
        """Words that change what is asked though they are a letter or two."""
        return telling(self.last)


def asked(prompt: Sequence[Message]) -> Asked:
    """What is compared of a prompt; of an empty one nothing is."""
    if not prompt:
        return Asked("")
    last = _plain(prompt[-1].content)
    if len(prompt) == 1:
        return Asked(last)
    return Asked(last, _plain("\n".join(message.content for message in reversed(prompt))))


def _plain(text: str) -> str:
    return normalise(text[:LONGEST])


def telling(plain: str) -> frozenset[str]:
    """Words of a normalised text that turn its meaning: numbers and negations."""
    return frozenset(_TELLING.findall(plain))


def nearly_same(one: Asked, other: Asked, *, least: float) -> bool:
    """Whether two prompts ask nearly the same.

    What is asked, and the whole talk, have at least the share `least` (0..1) of three-letter groups
    in common, and the same numbers and negations: "two days" is not "3 days", and "declined" not
    "not declined". A prompt without any letters is like none.
    """
    alike = _share(one.last_groups, other.last_groups) >= least
    if one.talk is not None or other.talk is not None:
        alike = alike and _share(one.groups, other.groups) >= least
    return alike and one.telling == other.telling


def says_the_same(one: str, other: str, *, least: float) -> bool:
    """Whether two answers say the same: alike as prompts must be, or of the same words."""
    ours, theirs = normalise(one), normalise(other)
    if ours == theirs:
        return bool(ours) or one.strip() == other.strip()
    return _share(groups(ours), groups(theirs)) >= least and telling(ours) == telling(theirs)


def _share(ours: frozenset[str], theirs: frozenset[str]) -> float:
    if not ours or not theirs:
        return 0.0
    shared = len(ours & theirs)
    return shared / (len(ours) + len(theirs) - shared)


@dataclass(frozen=True, slots=True)
class Bands:
    """How signatures are cut: prompts that agree on all rows of one band are candidates."""

    number: int
    rows: int

    @property
    def width(self) -> int:
        """Places of a signature."""
        return self.number * self.rows

    @property
    def names(self) -> list[str]:
        """The columns that hold them."""
        return [f"band_{index}" for index in range(self.number)]


def bands_for(least: float) -> Bands | None:
    """The bands with the fewest false candidates that still find pairs `least` alike.

    A pair that is s alike agrees on one of b bands of r rows with probability 1 - (1 - s^r)^b.
    None where only equal prompts count, for which keys are enough.
    """
    if least >= 1:
        return None
    for rows in range(_PERMUTATIONS, 0, -1):
        number = _PERMUTATIONS // rows
        if 1 - (1 - least**rows) ** number >= _FOUND:
            return Bands(number, rows)
    raise ValueError(f"{least} is too little to be found")


def band_hashes(prompts: Sequence[Asked], bands: Bands) -> Hashes:
    """A row of `bands.number` hashes for each prompt, the same on every machine."""
    return hashes_of(signatures(prompts, bands), bands)


def signatures(prompts: Sequence[Asked], bands: Bands) -> Signatures:
    """A row of `bands.width` least hashes for each prompt.

    Two prompts agree in a place of it with the probability that is their likeness.
    """
    from rensa import RMinHash

    if not prompts:
        return np.empty((0, bands.width), np.uint32)
    values, offsets = _flat_groups([one.last if one.talk is None else one.talk for one in prompts])
    found = RMinHash.digest_matrix_from_flat_token_hashes(
        _mixed(values), offsets, bands.width, _SEED
    )
    return np.array(found.to_rows(), np.uint32)


def hashes_of(found: Signatures, bands: Bands) -> Hashes:
    """The hashes of the bands of signatures."""
    cut = found.astype(np.uint64).reshape(-1, bands.number, bands.rows)
    hashes = np.zeros(cut.shape[:2], np.uint64)
    for row in range(bands.rows):
        hashes = _mixed(hashes ^ cut[:, :, row])
    return hashes


def plausible(ones: NDArray[np.uint8], others: NDArray[np.uint8], *, least: float) -> Truths:
    """Whether pairs may be `least` alike, by how many places of their signatures agree.

    Of each place a byte is enough. A pair that is `least` alike is refused once in 30,000 times
    (four standard deviations of the binomial share); nearly all that are proposed by chance are.
    """
    width = ones.shape[1]
    margin = 4 * (least * (1 - least) / width) ** 0.5
    agreeing: NDArray[np.intp] = (ones == others).sum(axis=1)
    return np.asarray(agreeing >= (least - margin) * width)


def _flat_groups(texts: Sequence[str]) -> tuple[Hashes, Hashes]:
    """The groups of all texts, one number each, and where each text's begin in that row.

    As `likeness.groups` cuts them, each as often as it occurs: three letters of 21 bits make one
    number, without any hashing. Texts stand apart by two zeros, so that a short one is a group.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    joined = "\0\0".join(texts) + "\0\0\0\0"
    letters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(
        np.uint64
    )
    numbers = letters[:-2] | letters[1:-1] << np.uint64(21) | letters[2:] << np.uint64(42)
    begins = np.cumsum(lengths + 2) - (lengths + 2)
    counts = np.where(lengths == 0, 0, np.maximum(1, lengths - 2))
    ends = np.cumsum(counts)
    places = np.repeat(begins - (ends - counts), counts) + np.arange(ends[-1])
    return numbers[places], np.append(0, ends).astype(np.uint64)


def _mixed(numbers: Hashes) -> Hashes:
    """Numbers whose bits all depend on all (the end of splitmix64; Steele, Lea, Flood 2014)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
