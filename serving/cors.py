"""Which web pages of other origins may call: none, unless the settings name them. Pure."""

import re
from collections.abc import Collection, Mapping

Headers = tuple[tuple[bytes, bytes], ...]

_ANY = "*"
_METHODS = b"GET, POST, PUT, PATCH, DELETE"
_READABLE = (
    b"X-Request-ID, X-Understudy-Conversation, X-Understudy-Turn, X-Understudy-Version, "
    b"Retry-After, X-RateLimit-Limit-Requests, X-RateLimit-Remaining-Requests, "
    b"X-RateLimit-Reset-Requests"
)
_PREFLIGHT_SECONDS = b"600"
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}")
"""A list of headers' names."""


def origins_of(setting: str) -> frozenset[str]:
    """The origins that a comma-separated setting names."""
    return frozenset(origin.strip().rstrip("/") for origin in setting.split(",") if origin.strip())


class Cors:
    """Knows the allowed origins, or `*` for all. Cookies are never allowed: callers bring keys."""

    def __init__(self, origins: Collection[str]) -> None:
        """Allow pages of these origins (`https://shop.example`) to call."""
        self._any = _ANY in origins
        self._allowed: Mapping[bytes, Headers] = {
            origin.encode(): _granted(origin.encode()) for origin in origins
        }
        self._refused: Headers = () if self._any or not origins else ((b"vary", b"Origin"),)
        self._to_all = _granted(_ANY.encode())

    @property
    def asked_for(self) -> bool:
        """Whether any origin is allowed."""
        return bool(self._allowed)

    def headers(self, origin: bytes | None) -> Headers:
        """What an answer says to a page of `origin`."""
        if self._any:
            return self._to_all
        return self._allowed.get(origin, self._refused) if origin else self._refused

    def allows(self, origin: bytes) -> bool:
        """Whether pages of that origin may call."""
        return self._any or origin in self._allowed

    def preflight(self, asked: Mapping[bytes, bytes]) -> Headers:
        """What a browser is told before it sends a request; beside `headers`."""
        names = asked.get(b"access-control-request-headers", b"")
        granted = names if _NAMES.fullmatch(names) else b"authorization, content-type"
        return (
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", granted),
            (b"access-control-max-age", _PREFLIGHT_SECONDS),
        )


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks on a page's behalf whether it may send a request."""
    return (
        method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers
    )


def _granted(origin: bytes) -> Headers:
    vary: Headers = () if origin == b"*" else ((b"vary", b"Origin"),)
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _READABLE),
        *vary,
    )
