"""Where a text mentions values again that are known from elsewhere in its conversation. Pure.

"My name is Anna Smith" gives a name away; "Anna, please wait" alone would not.
"""

import re
from collections.abc import Iterable, Iterator

from tuning.dataset.personal_data.kinds import Find, Kind
from tuning.dataset.personal_data.same_value import Value

_SCORE = 0.5
_FEWEST_CHARACTERS = 4
"""Of less a repetition may be chance."""
_FEWEST_LETTERS = 3
_ALSO_WORDS = """
    amber april art august autumn bill bob chance chase christian dawn dean don drew earnest faith
    frank gene grace grant guy harmony heath hope hunter ivy jack joy june king lance mark mason
    max may miles mike norm olive page parker pat penny pierce ray rich rob rocky rose ruby
    sterling sue summer sunny tony violet wade ward will young
    bank berg braun frei gross gut klein lang kurz neu weiss schwarz
"""
_ALSO_WORD = frozenset(_ALSO_WORDS.split())
"""Names that are words as well: alone they count only where a name is announced."""


def find_repeats(text: str, values: Iterable[Value]) -> list[Find]:
    """Each mention of a value in a text, as whole words and with the value's type."""
    return [find for value in values for find in _mentions(text, value)]


def _mentions(text: str, value: Value) -> Iterator[Find]:
    flags = re.NOFLAG if value.kind == Kind.NAME else re.IGNORECASE
    for words in dict.fromkeys(_ways_to_say(value)):
        for match in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text, flags):
            yield Find(match.start(), match.end(), value.kind, _SCORE)


def _ways_to_say(value: Value) -> Iterator[str]:
    if value.kind == Kind.NAME:
        parts = value.text.split()
        if len(parts) > 1:
            yield value.text
        yield from (part for part in parts if _is_a_name_alone(part))
    elif len(value.text) >= _FEWEST_CHARACTERS:
        yield value.text
        digits = "".join(filter(str.isdigit, value.text))
        if value.kind in (Kind.PHONE, Kind.CARD, Kind.SOCIAL_SECURITY):
            yield digits


def _is_a_name_alone(word: str) -> bool:
    is_long = sum(map(str.isalpha, word)) >= _FEWEST_LETTERS
    return is_long and word[0].isupper() and word.lower() not in _ALSO_WORD
