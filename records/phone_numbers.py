"""Telling phone numbers from dates, amounts, versions and the numbers of orders. Pure.

By their form alone they can't always be told, so words before a number count too: "order
555-123-4567" is none, "call 5551234567" is one.
"""

import re

_BEFORE, _AFTER = 48, 24
"""Characters before and after a number in which a word may say what it is."""
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
_IS_PHONE = re.compile(
    r"\b(?:tele?(?:ph|f)on\w*|phone\w*|tel|mobile?\w*|m[óo]vil|cell\w*|call(?:ing|ed)?|ring|text|sms"
    r"|whats.?app|signal|reach|dial|fax|handy\w*|rufnummer|anruf\w*|ruf\w*|erreich\w*|t[ée]l[ée]\w*"
    r"|portable|celular|hotline)\b[^\d\n?!]{0,32}$",
    re.IGNORECASE,
)
_IS_OTHER = re.compile(
    r"\b(?:order|invoice|ticket|case|track\w*|parcel|package|shipment|delivery|ref(?:erence)?|booking"
    r"|reservation|transaction|payment|customer|client|account|contract|policy|serial|imei|model"
    r"|product|article|item|part|sku|version|build|release|firmware|isbn|ean|upc|code|pin|tan|vin"
    r"|bestell\w*|auftrag\w*|rechnung\w*|vorgang\w*|sendung\w*|paket\w*|kunden\w*|vertrag\w*"
    r"|serien\w*|artikel\w*|buchung\w*|konto\w*|pedido|factura|commande|facture|ordine)\b"
    r"(?:[\s:#.]{0,3}(?:no|nr|num|number|nummer|id|code|key|n°|nº|is|was|ist|lautet|with|of))"
    r"{0,3}[\s:#.]{0,3}[(\"']?[A-Z]{0,3}[- ]?$",
    re.IGNORECASE,
)
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
_REST_OF_A_NUMBER = re.compile(
    r"(?<!\d)(?!(?:19|20)\d\d )\d{4}[ -]$|\d[.-]$|\b\d \d $"
    r"|\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){0,8}[ -]$",
    re.IGNORECASE,
)
"""Before it: a group of four but a year, single digits, or the beginning of an IBAN."""
_NORTH_AMERICAN = re.compile(
    r"1?\W{0,2}[2-9]\d{2}\W{1,2}\d{3}[ .-]\d{4}|1[ .-]?[2-9]\d{2}[ .-]?\d{3}[ .-]\d{4}"
)


def is_rest_of_a_number(before: str) -> bool:
    """Whether what follows these words is the rest of something longer that they begin."""
    return _REST_OF_A_NUMBER.search(before) is not None


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
    before = text[max(0, start - _BEFORE) : start]
    if _DATE.fullmatch(found) or _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(text, end):
        return False
    if _IS_PHONE.search(before) or _MY_PHONE.match(text, end, end + _AFTER):
        return True
    if is_rest_of_a_number(before) or _IS_OTHER.search(before):
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
