"""Finding personal data that has a form of its own: addresses and numbers, not names. Pure.

Each pattern begins only where nothing of its kind stands before and is of bounded length, so that
a text of any length is read in time proportional to it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class PersonalData(StrEnum):
    """What was found."""

    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    PHONE = "phone"
    SOCIAL_SECURITY = "social_security"
    IP_ADDRESS = "ip_address"


@dataclass(frozen=True, slots=True)
class Found:
    """Where personal data stands in a text: from `start` up to, not including, `end`."""

    start: int
    end: int
    kind: PersonalData


_LONGEST_IBAN, _SHORTEST_IBAN = 34, 15
_CARD_DIGITS = range(13, 20)
_PHONE_DIGITS = range(8, 16)


def find(text: str) -> list[Found]:
    """What personal data stands in a text, in order and without overlaps.

    IBANs and card numbers must have the right check digits. Where two kinds fit, the one that is
    checked more strictly counts.
    """
    found: list[Found] = []
    taken = bytearray(len(text))
    for kind, pattern, length_of in _KINDS:
        for match in pattern.finditer(text):
            start, length = match.start(), length_of(match[0])
            if length and not any(taken[start : start + length]):
                taken[start : start + length] = b"\1" * length
                found.append(Found(start, start + length, kind))
    return sorted(found, key=lambda one: one.start)


def is_iban(text: str) -> bool:
    """Whether the check digits are right: rearranged, the number is 1 modulo 97 (ISO 13616)."""
    plain = re.sub(r"[ -]", "", text).upper()
    if not _SHORTEST_IBAN <= len(plain) <= _LONGEST_IBAN or not plain.isascii():
        return False
    number = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
    return int(number) % 97 == 1


def is_card(text: str) -> bool:
    """Whether it has a card number's length and its check digit is right (Luhn, ISO/IEC 7812)."""
    digits = _digits(text)
    if len(digits) not in _CARD_DIGITS or len(set(digits)) == 1:
        return False
    doubled = [d if place % 2 == 0 else sum(divmod(2 * d, 10)) for place, d in _from_right(digits)]
    return sum(doubled) % 10 == 0


def _from_right(digits: list[int]) -> Iterator[tuple[int, int]]:
    return enumerate(reversed(digits))


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if c in "0123456789"]


def _iban_length(text: str) -> int:
    """How much of what looks like an IBAN is one: a word behind it may have been taken in."""
    ends = [i for i in range(len(text), 0, -1) if i == len(text) or text[i] in " -"]
    return next((end for end in ends if is_iban(text[:end])), 0)


def _whole(is_one: Callable[[str], bool]) -> Callable[[str], int]:
    return lambda text: len(text) if is_one(text) else 0


def _is_phone(text: str) -> bool:
    """Whether it is written as phone numbers are: with a plus, a zero in front, or in groups."""
    if len(_digits(text)) not in _PHONE_DIGITS or _DATE.fullmatch(text):
        return False
    return text[0] in "+0(" or len(re.findall(r"\d+", text)) in range(3, 7)


def _is_ip_address(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))


_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}.*|\d{1,2}[-./]\d{1,2}[-./]\d{4}.*")
_NUMBER = r"(?<![\w.,+-])"
_END = r"(?![\w])"
_KINDS: tuple[tuple[PersonalData, "re.Pattern[str]", Callable[[str], int]], ...] = (
    (
        PersonalData.EMAIL,
        re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?!\w)"),
        len,
    ),
    (
        PersonalData.IBAN,
        re.compile(r"(?<![^\W_])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,38}(?![^\W_])"),
        _iban_length,
    ),
    (
        PersonalData.CARD,
        re.compile(rf"{_NUMBER}[0-9](?:[ -]?[0-9]){{12,18}}{_END}"),
        _whole(is_card),
    ),
    (
        PersonalData.SOCIAL_SECURITY,
        re.compile(rf"{_NUMBER}(?!000|666|9)[0-9]{{3}}-(?!00)[0-9]{{2}}-(?!0000)[0-9]{{4}}{_END}"),
        len,
    ),
    (
        PersonalData.IP_ADDRESS,
        re.compile(rf"{_NUMBER}[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?!\w|\.\d)"),
        _whole(_is_ip_address),
    ),
    (
        PersonalData.PHONE,
        re.compile(rf"(?<![\w.,-])[+(]{{0,2}}[0-9](?:[ ()/.-]{{0,2}}[0-9]){{7,16}}{_END}"),
        _whole(_is_phone),
    ),
)
