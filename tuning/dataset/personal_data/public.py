"""What is no secret though it has a form of personal data: the team's own, and mailboxes. Pure."""

import re
from collections.abc import Iterable

from tuning.dataset.personal_data.kinds import Find, Kind
from tuning.dataset.personal_data.same_value import Value
from tuning.dataset.personal_data.web_addresses import host_of, is_anybodys

_ROLES = """
    abuse accounts admin billing care claims complaints contact customercare customerservice
    customersupport datenschutz feedback hello help helpdesk hi hilfe hotline info kontakt
    kundenservice mail marketing news newsletter no-reply noreply office orders postmaster press
    privacy sales security service shop support team webmaster
"""
_ROLE = frozenset(_ROLES.split())
"""Mailboxes of a function, not of a person (after RFC 2142)."""
_HOST = re.compile(r"(?:[\w-]{1,63}\.)+\w{2,24}")


def is_public(value: Value) -> bool:
    """Whether it may be anybody's: a page without a user, query or code, a mailbox as support@."""
    if value.kind == Kind.URL:
        return is_anybodys(value.text)
    return value.kind == Kind.EMAIL and value.plain.partition("@")[0] in _ROLE


def is_own(value: Value, entries: Iterable[str]) -> bool:
    """Whether a team named it as its own: the value itself, or the host of a page.

    A page is the team's own only as far as nobody is named in its address.
    """
    return any(_is_entry(value, entry) for entry in entries)


def _is_entry(value: Value, entry: str) -> bool:
    if value.kind == Kind.URL and _HOST.fullmatch(entry):
        host, own = host_of(value.text), entry.casefold().removeprefix("www.")
        return (host == own or host.endswith(f".{own}")) and is_anybodys(value.text, is_own=True)
    return value.is_same(Value.of(Find(0, len(entry), value.kind, 1.0), entry))
