"""Telling phone numbers from dates, amounts, versions and the numbers of orders. Pure.

By their form alone they can't always be told, so words before a number count too: "order
555-123-4567" is none, "call 5551234567" is one.
"""

import re

from records.number_context import BEFORE, is_a_phone, is_no_phone, is_rest

_AFTER = 24
"""So many characters after a number may say what it is."""
_INTERNATIONAL = range(8, 16)
"""Digits with the country's code (ITU-T E.164), the plus or zeros before it not counted."""
_ABROAD_DIGITS = range(10, 18)
"""The same with the two zeros before it."""
_NATIONAL = range(9, 14)
"""Digits with the zero before the area's code."""
_GROUPED = range(8, 13)
"""Digits of a number without either, in at least three groups."""
_SAID = range(7, 14)
"""Digits of a number that is said to be one."""
_MY_PHONE = re.compile(
    r"\W{0,3}(?:is|ist|\() ?(?:my|mein\w*|the)? ?(?:phone|mobile|cell|handy)", re.I
)
_MONEY_BEFORE = re.compile(r"(?:[$€£¥₹]|\b(?:EUR|USD|GBP|CHF|INR|JPY))\s?$", re.IGNORECASE)
_MONEY_AFTER = re.compile(
    r",\d|\s?(?:[$€£¥₹%]|(?:EUR|USD|GBP|CHF|euros?|dollars?|kg|km|ms|bytes?|[kmg]b)\b)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)\d{2}([-./ ]?)(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d).*"
    r"|\d{1,2}([-./ ])\d{1,2}\2(?:19|20)\d{2}(?!\d).*",
    re.DOTALL,
)
_DECIMAL = re.compile(r"\d+\.\d+")
_EXTENSION = re.compile(r"[,; ]*(?:x|ext|dur)", re.IGNORECASE)
_ABROAD = re.compile(r"[(\[]?00[1-9]")
_AREA = re.compile(r"[(\[]?0[)\]\n ]?[1-9]")
_NORTH_AMERICAN = re.compile(
    r"1?\W{0,2}[2-9]\d{2}\W{1,2}\d{3}[ .-]\d{4}|1[ .-]?[2-9]\d{2}[ .-]?\d{3}[ .-]\d{4}"
)


def phone_length(match: "re.Match[str]") -> int:
    """How much of what are digits and separators is a phone number; 0: nothing."""
    return len(match[0]) if _is_phone(match.string, *match.span()) else 0


def _is_phone(text: str, start: int, end: int) -> bool:
    """By its form, by what is said before and after it, or by both."""
    found = _EXTENSION.split(text[start:end], maxsplit=1)[0]
    digits = sum(map(str.isdigit, found))
    if found.lstrip("([").startswith("+"):
        return digits in _INTERNATIONAL
    is_abroad = bool(_ABROAD.match(found))
    if digits not in (_ABROAD_DIGITS if is_abroad else _SAID):
        return False
    before = text[max(0, start - BEFORE) : start]
    if _DATE.fullmatch(found) or _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(text, end):
        return False
    if is_no_phone(before):
        return False
    if is_a_phone(before) or _MY_PHONE.match(text, end, end + _AFTER):
        return True
    if is_rest(before):
        return False
    return is_abroad or _has_form(found, digits)


def _has_form(found: str, digits: int) -> bool:
    """Whether a number that nothing is said of is written as phone numbers are."""
    if _DECIMAL.fullmatch(found):
        return False
    if _AREA.match(found):
        return digits in _NATIONAL
    if _NORTH_AMERICAN.fullmatch(found):
        return True
    return digits in _GROUPED and _has_groups(found)


def _has_groups(found: str) -> bool:
    """Three to six groups with one kind of separator, as people read a number out."""
    groups = re.findall(r"\d+", found)
    between = set(re.sub(r"[()]", "", re.sub(r"\d|^\(|\) ?", "", found)))
    if found.startswith("("):
        return len(groups) in range(2, 6) and len(groups[0]) in range(2, 6)
    if len(groups) not in range(3, 7) or len(between) > 1 or "." in between:
        return False
    sizes = [len(group) for group in groups]
    return min(sizes) > 1 and set(sizes) != {4} and groups[0][0] != "0"
