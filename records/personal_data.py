"""Finding personal data that has a form of its own: addresses and numbers, not names. Pure.

Texts are read as a person reads them: digits of any script are digits, any dash is a dash, and what
is invisible isn't there. Each pattern is of bounded length and begins where nothing of its kind
stands before, so that a text of any length is read in time proportional to it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv6Address

from records.account_numbers import card_length, iban_length, is_card, is_iban
from records.phone_numbers import phone_length
from records.plain_letters import plain_letters

__all__ = ["Found", "PersonalData", "find", "is_card", "is_iban"]


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


_HINT = re.compile(
    r"[\d@\uff20\ufe6b]|\b(?:dot|punkt)\b|[\[({<]\s?(?:at|ät)\s?[\])}>]", re.IGNORECASE
)
"""Texts without any of these hold nothing that is found here."""


def find(text: str) -> list[Found]:
    """What personal data stands in a text, in order and without overlaps.

    IBANs and card numbers must have the right check digits. Where two kinds fit, the one that is
    checked more strictly counts.
    """
    if not _HINT.search(text):
        return []
    plain, places = plain_letters(text)
    found: list[Found] = []
    taken = bytearray(len(plain))
    digits = len(_DIGIT.findall(plain))
    for form in _FORMS:
        if digits < form.fewest_digits or not form.needs.search(plain):
            continue
        for start, length in _matches(form, plain):
            if not any(taken[start : start + length]):
                taken[start : start + length] = b"\1" * length
                end = places[start + length - 1] + 1
                found.append(Found(places[start], end, form.kind))
    return sorted(found, key=lambda one: one.start)


Length = Callable[["re.Match[str]"], int]
"""How much of what matches, from its start, is of a kind; 0: nothing."""
_WORD = re.compile(r"\W*\w+")
_DIGIT, _ANYTHING = re.compile("[0-9]"), re.compile("")


@dataclass(frozen=True, slots=True)
class _Form:
    """A form in which a kind is written; texts without what it needs aren't searched for it."""

    kind: PersonalData
    pattern: "re.Pattern[str]"
    length_of: Length
    fewest_digits: int = 0
    needs: "re.Pattern[str]" = _ANYTHING


def _matches(form: _Form, text: str) -> Iterator[tuple[int, int]]:
    """Where each match starts and how long it is; what is none may hold one a word further on."""
    at = 0
    while (match := form.pattern.search(text, at)) is not None:
        start, end = match.span()
        length = form.length_of(match)
        if length:
            yield start, length
            at = start + length
        else:
            word = _WORD.match(text, start, end)
            at = word.end() if word else end


def _whole(match: "re.Match[str]") -> int:
    return len(match[0])


def _spelled_length(match: "re.Match[str]") -> int:
    """An address in words: "at" alone is a word as any, if no "dot" follows."""
    if _AT_ALONE.search(match[0]) and not _DOT_SPELLED.search(match[0]):
        return 0
    return len(match[0])


def _social_security_length(match: "re.Match[str]") -> int:
    """With hyphens it is one by its form, else if it is said to be one."""
    is_one = match[0].count("-") == 2 or _SOCIAL_SECURITY.search(_before(match))
    return len(match[0]) if is_one else 0


def _ip_length(match: "re.Match[str]") -> int:
    """An address of the fourth version, unless a version number of something is spoken of."""
    if any(int(part) > _LARGEST_BYTE for part in _BYTE.findall(match[0])):
        return 0
    return 0 if _VERSION.search(_before(match)) else len(match[0])


def _ip6_length(match: "re.Match[str]") -> int:
    """An address of the sixth version; a colon at its end belongs to the sentence."""
    found = match[0] if match[0].endswith("::") else match[0].rstrip(":")
    if sum(letter != ":" for letter in found) < _FEWEST_IP6_DIGITS:
        return 0
    try:
        IPv6Address(found)
    except AddressValueError:
        return 0
    return len(found)


def _before(match: "re.Match[str]") -> str:
    return match.string[max(0, match.start() - _BEFORE) : match.start()]


_BEFORE = 40
"""Characters before a find in which a word may say what it is."""
_BYTE = re.compile("[0-9]+")
_LARGEST_BYTE, _FEWEST_IP6_DIGITS = 255, 6
_SOCIAL_SECURITY = re.compile(r"\bssn\b|social.?security|\bsocial\b", re.IGNORECASE)
_VERSION = re.compile(
    r"\b(?:version(?:en)?|release|build|firmware|driver|update|patch|treiber)\b[^.!?\n]{0,16}$",
    re.IGNORECASE,
)
_AT_ALONE = re.compile(r"\s(?:at|ät)\s", re.IGNORECASE)


_DOT_SPELLED = re.compile(r"\W(?:dot|punkt)\W", re.IGNORECASE)
_NUMBER = r"(?<![\w.,+-])"
_LOCAL = r"(?<!\w)(?<!\w[.%+'-])[\w%+][\w.%+'-]{0,63}+"
_AT = r"(?:\s?[\[({<]\s?(?:at|ät|@)\s?[\])}>]\s?|\s(?:at|ät)\s|[ \n]{0,2}@[ \n]{0,2})"
_DOT_WORD = r"(?:\s?[\[({<]\s?(?:dot|punkt|\.)\s?[\])}>]\s?|\s(?:dot|punkt)\s)"
_TOP = r"(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?!\w)"
_POINT = r"(?:\.|\s?[\[(]\.[\])]\s?|\s\.\s)"
_CHECKED = r"(?<![^\W_])"
_SPELLED = re.compile(
    r"\b(?:dot|punkt)\b|[\[({<]\s?(?:at|ät|@|\.)\s?[\])}>]|\s@|@\s|@\S{1,64}\s\.", re.IGNORECASE
)


_SEPARATORS = r"[ ()\[\]/.-]{0,3}"


def _phone(begins: str, fewest: int) -> "re.Pattern[str]":
    """Digits in groups, as many as a phone number may have, and perhaps an extension."""
    return re.compile(
        rf"(?<![\w#=&@])(?<![\w][.,/+-]){begins}(?:{_SEPARATORS}[0-9]){{{fewest},16}}+"
        rf"(?!\w|{_SEPARATORS}[0-9])"
        r"(?:,? ?(?:x|ext\.?|extension|durchwahl) ?[0-9]{1,5}(?!\w))?",
        re.IGNORECASE,
    )


_FORMS = (
    _Form(
        PersonalData.EMAIL,
        re.compile(rf"{_LOCAL}@(?:[\w-]{{1,63}}\.){{1,8}}{_TOP}", re.IGNORECASE),
        _whole,
        needs=re.compile("@"),
    ),
    _Form(
        PersonalData.EMAIL,
        re.compile(
            rf"{_LOCAL}(?:{_DOT_WORD}\w[\w-]{{0,30}}){{0,3}}{_AT}"
            rf"(?:[\w-]{{1,63}}(?:\s?\.|{_DOT_WORD})){{1,4}}\s?{_TOP}",
            re.IGNORECASE,
        ),
        _spelled_length,
        needs=_SPELLED,
    ),
    _Form(
        PersonalData.IBAN,
        re.compile(
            rf"(?:{_CHECKED}|(?<=IBAN))[A-Z][ -]?[A-Z](?:[ .\n-]{{0,2}}[0-9]){{2}}"
            r"(?:[ .\n-]{0,2}[A-Z0-9]){11,30}",
            re.IGNORECASE,
        ),
        iban_length,
        fewest_digits=2,
    ),
    _Form(
        PersonalData.CARD,
        re.compile(
            rf"{_CHECKED}(?:[0-9]{{4}}([ -])[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{4}}(?:\1[0-9]{{3}})?"
            r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}|[0-9]{13,19})(?!\w)"
        ),
        card_length,
        fewest_digits=13,
    ),
    _Form(
        PersonalData.CARD,
        re.compile(
            rf"{_CHECKED}(?<![0-9][ .-])[0-9](?:[ .\n-]{{0,2}}[0-9]){{12,18}}(?!\w|[ .-]?[0-9])"
        ),
        card_length,
        fewest_digits=13,
    ),
    _Form(
        PersonalData.SOCIAL_SECURITY,
        re.compile(
            rf"{_NUMBER}(?!000|666|9)[0-9]{{3}}[ \n-]?(?!00)[0-9]{{2}}[ \n-]?(?!0000)[0-9]{{4}}"
            r"(?!\w|[ -][0-9])"
        ),
        _social_security_length,
        fewest_digits=9,
    ),
    _Form(
        PersonalData.IP_ADDRESS,
        re.compile(rf"{_NUMBER}[0-9]{{1,3}}(?:{_POINT}[0-9]{{1,3}}){{3}}(?!\w|\.\d)"),
        _ip_length,
        fewest_digits=4,
    ),
    _Form(
        PersonalData.IP_ADDRESS,
        re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?!\w|:\w)"),
        _ip6_length,
        needs=re.compile(":[0-9A-Fa-f]{0,4}:"),
    ),
    _Form(
        PersonalData.PHONE,
        _phone(rf"[(\[]{{0,2}}(?:\+|0)(?:{_SEPARATORS}[0-9]){{1,6}}[ -]?\n[ -]?[0-9]", 5),
        phone_length,
        fewest_digits=8,
        needs=re.compile(r"[0-9] ?[)\]-]?\n[ -]?[0-9]"),
    ),
    _Form(PersonalData.PHONE, _phone(r"[+(\[]{0,3}[0-9]", 6), phone_length, fewest_digits=7),
)
