"""Numbers of bank accounts and payment cards: their lengths and check digits. Pure."""

import re
from collections.abc import Iterator

from records.number_context import BEFORE, is_an_orders, is_rest

_LONGEST_IBAN, _SHORTEST_IBAN = 34, 15
_IBAN_LENGTHS = {
    15: "NO", 16: "BE BI", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
    24: "AD CZ DZ ES MD PK RO SA SE SK TN VG", 25: "AO CV LY MZ PT ST", 26: "IS TR",
    27: "BF CF CG CM FR GA GR IT MC MG MR SM DJ BI", 28: "AL AZ BJ BY CI CY DO GT HN HU LB ML NI PL"
    " SN SV TG", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
"""Characters of an IBAN and the countries with so many (ISO 13616's registry, and experimental)."""
_LENGTHS_OF: dict[str, list[int]] = {}
for _length, _countries in _IBAN_LENGTHS.items():
    for _country in _countries.split():
        _LENGTHS_OF.setdefault(_country, []).append(_length)
_NO_LETTERS = "AT BA BE CR CZ DE DK EE ES FI FO GL HR HU IL IS LT ME NO PL PT RS SE SI SK"
_ALL_DIGITS = frozenset(_NO_LETTERS.split())
"""Countries whose account numbers have no letters: words behind one are none of it."""
_CARD_DIGITS = range(13, 20)
_OTHER_GROUPS = ([4, 6, 5], [4, 6, 4])
"""American Express and Diners Club."""
_BEFORE_A_LAST_GROUP = re.compile(r".*(?=[ -][0-9]{3}$)", re.DOTALL)
_LONGER_AFTER = re.compile(r"[ -][0-9]{4}(?![0-9])")
"""A group of four behind what could be a card: it is a part of something longer."""
_ISSUERS: tuple[tuple["re.Pattern[str]", frozenset[int]], ...] = (
    (re.compile(r"4"), frozenset({13, 16, 19})),  # Visa
    (re.compile(r"5[1-5]|2(?:2[2-9]|[3-6]|7[01]|720)"), frozenset({16})),  # Mastercard
    (re.compile(r"3[47]"), frozenset({15})),  # American Express
    (re.compile(r"30[0-5]|3[689]"), frozenset({14, 16, 19})),  # Diners Club
    (re.compile(r"35"), frozenset({16, 17, 18, 19})),  # JCB
    (re.compile(r"6"), frozenset({16, 17, 18, 19})),  # Discover, UnionPay, RuPay, Maestro
    (re.compile(r"5[0678]"), frozenset({13, 15, 16, 18, 19})),  # Maestro
)
"""First digits of card numbers by network, and how many digits its numbers have."""


def is_iban(text: str) -> bool:
    """Whether the check digits are right: rearranged, the number is 1 modulo 97 (ISO 13616)."""
    plain = re.sub(r"[ -]", "", text).upper()
    if not _SHORTEST_IBAN <= len(plain) <= _LONGEST_IBAN or not plain.isascii():
        return False
    if not plain.isalnum():
        return False
    number = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
    return int(number) % 97 == 1


def iban_length(match: "re.Match[str]") -> int:
    """How much of what looks like an IBAN is one, by its country's length; 0: nothing."""
    text, start, end = match.string, match.start(), match.end()
    places = [at for at in range(start, end) if text[at].isalnum()]
    country = (text[places[0]] + text[places[1]]).upper()
    for length in _LENGTHS_OF.get(country, ()):
        if length > len(places):
            continue
        after = places[length - 1] + 1
        if text[after : after + 1].isalnum():
            continue
        number = "".join(text[at] for at in places[:length])
        if is_iban(number) and (country not in _ALL_DIGITS or number[4:].isdigit()):
            return after - start
    return 0


def is_card(text: str) -> bool:
    """Whether it has a card number's length and its check digit is right (Luhn, ISO/IEC 7812)."""
    digits = _digits(text)
    if len(digits) not in _CARD_DIGITS or len(set(digits)) == 1:
        return False
    doubled = [d if place % 2 == 0 else sum(divmod(2 * d, 10)) for place, d in _from_right(digits)]
    return sum(doubled) % 10 == 0


def card_length(match: "re.Match[str]") -> int:
    """How much of what looks like a card's number is one; 0: nothing.

    Its first digits must be a network's, too: one in ten numbers has a right check digit. A last
    group may be something else, such as the code on the card's back. Without groups it may also be
    an order's number, if that is said.
    """
    before = match.string[max(0, match.start() - BEFORE) : match.start()]
    found = match[0]
    if is_rest(before) or _LONGER_AFTER.match(match.string, match.end()):
        return 0
    if found.isdigit() and is_an_orders(before):
        return 0
    shorter = _BEFORE_A_LAST_GROUP.match(found)
    for candidate in (found, shorter[0] if shorter else ""):
        if is_card(candidate) and _has_issuer(candidate) and _has_groups(candidate):
            return len(candidate)
    return 0


def _has_groups(text: str) -> bool:
    """Whether the digits are grouped as on cards: all alike but for a last shorter one, or so."""
    sizes = [len(group) for group in re.findall("[0-9]+", text)]
    return sizes in _OTHER_GROUPS or (len({*sizes[:-1]}) <= 1 and sizes[-1] <= sizes[0])


def _has_issuer(text: str) -> bool:
    digits = "".join(map(str, _digits(text)))
    return any(first.match(digits) and len(digits) in lengths for first, lengths in _ISSUERS)


def _from_right(digits: list[int]) -> Iterator[tuple[int, int]]:
    return enumerate(reversed(digits))


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if c in "0123456789"]
