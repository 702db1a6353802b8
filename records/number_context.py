"""What the words before a number say that it is. Pure.

A number's form often fits several things; what is said of it decides.
"""

import re

BEFORE = 80
"""So many characters before a number are looked at, at most."""
_OF_ORDERS = (
    r"order|invoice|ticket|case|track\w*|parcel|package|shipment|delivery|ref(?:erence)?|booking"
    r"|reservation|bestell\w*|auftrag\w*|rechnung\w*|vorgang\w*|sendung\w*|paket\w*|buchung\w*"
    r"|pedido|factura|commande|facture|ordine"
)
_OF_OTHERS = (
    r"transaction|payment|customer|client|account|contract|policy|serial|imei|model|product|article"
    r"|item|part|sku|version|build|release|firmware|isbn|ean|upc|code|pin|tan|vin|kunden\w*"
    r"|vertrag\w*|serien\w*|artikel\w*|konto\w*"
)
_IS = (
    r"(?:[\s:#.]{0,3}(?:no|nr|num|number|nummer|id|code|key|n°|nº|is|was|ist|lautet|with|of)){0,3}"
    r"[\s:#.]{0,3}[(\"']?[A-Z]{0,3}[- ]?$"
)
_IS_ORDER = re.compile(rf"\b(?:{_OF_ORDERS}|customer|kunden\w*)\b{_IS}", re.IGNORECASE)
_IS_OTHER = re.compile(rf"\b(?:{_OF_ORDERS}|{_OF_OTHERS})\b{_IS}", re.IGNORECASE)
_REST = re.compile(
    r"(?<!\d)(?!(?:19|20)\d\d )\d{4}[ -]$|\d[.-]$|\b\d \d $"
    r"|\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){0,8}[ -]$",
    re.IGNORECASE,
)
_PHONE = (
    r"\b(?:tele?(?:ph|f)on\w*|phone\w*|tel|mobile?\w*|m[óo]vil|cell\w*|call(?:ing|ed)?|ring|text"
    r"|sms|whats.?app|signal|reach|dial|fax|handy\w*|rufnummer|anruf\w*|ruf\w*|erreich\w*"
    r"|t[ée]l[ée]\w*|portable|celular|hotline)\b"
)
_IS_PHONE = re.compile(
    rf"{_PHONE}[^\d\n?!]{{0,32}}(?:\+?[\d ()/.-]{{6,19}}\d[^\d\n?!.]{{1,32}})?$", re.IGNORECASE
)
"""One other number may stand between: "my phone changed from … to …"."""


def is_an_orders(before: str) -> bool:
    """Whether the number behind these words is said to be an order's, parcel's or customer's."""
    return _IS_ORDER.search(before) is not None


def is_no_phone(before: str) -> bool:
    """Whether it is said to be anything else than a phone number."""
    return _IS_OTHER.search(before) is not None


def is_a_phone(before: str) -> bool:
    """Whether it is said to be one."""
    return _IS_PHONE.search(before) is not None


def is_rest(before: str) -> bool:
    """Whether it is the rest of something longer.

    A group of four that is no year, single digits, or the beginning of an IBAN stand before it.
    """
    return _REST.search(before) is not None
