"""Comparing texts: the normal form that counts as equal, and token-F1; a time in words."""

import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"\w+", re.UNICODE)


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation, in Unicode's NFKC form."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def normalise(text: str) -> str:
    """The form in which two texts count as the same: their words, joined by single spaces."""
    return " ".join(words(text))


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of word precision and recall, counting repeats (as in SQuAD; 0..1).

    Two empty texts agree (1.0); one empty text shares nothing (0.0).
    """
    given, wanted = Counter(words(answer)), Counter(words(reference))
    if not given and not wanted:
        return 1.0
    shared = (given & wanted).total()
    if shared == 0:
        return 0.0
    return 2 * shared / (given.total() + wanted.total())


def time_words(seconds: float) -> str:
    """A length of time for terminals and reports, such as `1 min 05 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
