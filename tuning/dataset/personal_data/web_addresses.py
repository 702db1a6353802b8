"""Addresses on the web, and whether one may be anybody's. Pure, but for a list read once."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tuning.dataset.personal_data.kinds import Find, Kind

_SURE, _LIKELY, _MAYBE = 0.9, 0.6, 0.4
_WITH_SCHEME = re.compile(
    r"(?<![\w@])(?:(?:h(?:tt|xx)ps?|ftp)://|www\.)(?=[^\s<>\"'])[^\s<>\"]{1,2000}", re.IGNORECASE
)
_BARE = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{0,62}(?:\.|\[\.\])){1,5}[a-z]{2,24}(?![\w@-]|\.\w)(/[^\s<>\"]{0,2000})?",
    re.IGNORECASE,
)
_ENDINGS = (
    "py sh md rs pl so zip mov js ts cc cs ps ai im am is it at in to me be no do my us pm id"
)
_VERSION = re.compile(r"v?\d+\.")
_FILES = frozenset(_ENDINGS.split())
"""Last parts of a bare name that are endings of files, or words where a space was forgotten."""
_ENDS_SENTENCE = ".,;:!?'…”’*"


def find_web_addresses(text: str) -> list[Find]:
    """The addresses in a text, without the punctuation that follows them."""
    finds = []
    if "/" in text or "www." in text.lower():
        finds += [_find(text, m.start(), m.end(), _SURE) for m in _WITH_SCHEME.finditer(text)]
    if "." in text:
        finds += _bare(text)
    return finds


def host_of(address: str) -> str:
    """The host that an address names, in lower case without `www.`; empty for none."""
    return (_split(address).hostname or "").removeprefix("www.")


def is_anybodys(address: str, *, is_own: bool = False) -> bool:
    """Whether nothing in an address could be about one person.

    That is: no user, no query (on a team's own host: none with a code), and no part that looks like
    a code: 24 or more characters, or eight or more with digits in them.
    """
    parts = _split(address)
    said = f"{parts.path}/{parts.query}/{parts.fragment}"
    if "@" in f"{parts.netloc}{said}" or not parts.netloc:
        return False
    if not is_own and (parts.query or "=" in parts.fragment):
        return False
    return not any(_is_code(piece) for piece in re.split(r"[/_.~=&+-]", said))


def _is_code(piece: str) -> bool:
    has_digit = any(map(str.isdigit, piece))
    return len(piece) >= (_SHORT_CODE if has_digit else _LONG_CODE)


_LONG_CODE, _SHORT_CODE = 24, 8


def _split(address: str) -> SplitResult:
    full = address if "://" in address else f"https://{address}"
    try:
        parts = urlsplit(full)
        _ = parts.hostname
    except ValueError:  # brackets that hold no address
        return SplitResult("", "", full, "", "")
    return parts


def _find(text: str, start: int, end: int, score: float) -> Find:
    while end > start + 1 and (text[end - 1] in _ENDS_SENTENCE or _is_unopened(text, start, end)):
        end -= 1
    return Find(start, end, Kind.URL, score)


def _is_unopened(text: str, start: int, end: int) -> bool:
    """Whether the last character is a bracket that was opened before the address began."""
    closing = text[end - 1]
    opening = {")": "(", "]": "[", "}": "{"}.get(closing)
    if opening is None:
        return False
    return text.count(closing, start, end) > text.count(opening, start, end)


def _bare(text: str) -> Iterator[Find]:
    """Names of hosts that end as hosts do, in lower case if no path follows them."""
    for match in _BARE.finditer(text):
        host, path = re.sub(r"[\[\]]|/.*", "", match[0].lower()), match[1]
        last = host.rsplit(".", 1)[1]
        if not path and (last in _FILES or not match[0].islower() or _VERSION.match(host)):
            continue
        if last == _FOR_EXAMPLES or _suffixes()(host).suffix:
            yield _find(text, match.start(), match.end(), _LIKELY if path else _MAYBE)


_FOR_EXAMPLES = "example"
"""Reserved for documentation (RFC 2606), so in no list."""


@cache
def _suffixes() -> Any:
    """The list of public suffixes that comes with tldextract, which must not fetch a newer one."""
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)
