"""Whether two finds are the same person's same thing, however each was written. Pure."""

import re
from dataclasses import dataclass
from typing import Self

from records.plain_letters import plain_letters
from tuning.dataset.personal_data.kinds import Find, Kind

_NUMBERS = frozenset({Kind.PHONE, Kind.CARD, Kind.SOCIAL_SECURITY})
_CODES = frozenset({Kind.IBAN, Kind.NATIONAL_ID, Kind.MAC_ADDRESS})
_FEWEST_DIGITS = 7
"""So many last digits in common make two phone numbers the same, ..."""
_COUNTRY_DIGITS = range(4)
"""... if the longer one has a country's code before them."""
_AT = re.compile(r"\s*[\[({<]\s?(?:at|ät|@)\s?[\])}>]\s*|\s(?:at|ät)\s|\s*@\s*")
_DOT = re.compile(r"\s*[\[({<]\s?(?:dot|punkt|\.)\s?[\])}>]\s*|\s(?:dot|punkt)\s|\s*\.\s*")
_EXTENSION = re.compile(r"[,; ]*(?:x|ext|dur)")


@dataclass(frozen=True, slots=True)
class Value:
    """What a find says: its type, its words, and the form in which they are compared."""

    kind: str
    text: str
    plain: str

    @classmethod
    def of(cls, find: Find, text: str) -> Self:
        """The value of a find in a text."""
        words = text[find.start : find.end]
        return cls(find.kind, words, _plain(find.kind, words))

    def is_same(self, other: "Value") -> bool:
        """Whether both mean the same.

        A phone number with a country's code and one without are, and so are a whole name and a
        part of it: who is called Anna Smith is Mrs Smith. A number is the same whatever it is
        taken for.
        """
        if self.kind != other.kind:
            return {self.kind, other.kind} <= _NUMBERS and self.plain == other.plain
        if self.plain == other.plain:
            return True
        if self.kind == Kind.PHONE:
            return _is_end_of(self.plain, other.plain) or _is_end_of(other.plain, self.plain)
        if self.kind == Kind.NAME:
            words, others = set(self.plain.split()), set(other.plain.split())
            return bool(words) and bool(others) and (words <= others or others <= words)
        return False


def _plain(kind: str, text: str) -> str:
    """The same for all ways to write the same thing."""
    plain = plain_letters(text)[0].casefold()
    if kind == Kind.EMAIL:
        return _DOT.sub(".", _AT.sub("@", plain))
    if kind in _NUMBERS:
        return _number(_EXTENSION.split(plain, maxsplit=1)[0]) or plain
    if kind == Kind.URL:
        return re.sub(r"^(?:\w+://)?(?:www\.)?", "", plain).rstrip("/")
    if kind in _CODES:
        return "".join(filter(str.isalnum, plain)) or plain
    return " ".join(re.findall(r"[^\s,;]+", plain))


def _number(text: str) -> str:
    """A number's digits, without the zero that is dialled at home: `+49 (0)170` is `+49 170`."""
    return "".join(filter(str.isdigit, text.replace("(0)", ""))).lstrip("0")


def _is_end_of(short: str, long: str) -> bool:
    is_longer_by_a_code = len(long) - len(short) in _COUNTRY_DIGITS
    return len(short) >= _FEWEST_DIGITS and is_longer_by_a_code and long.endswith(short)
