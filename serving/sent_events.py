"""Server-sent events as bytes. Pure."""

from typing import Any

import orjson

HEARTBEAT = b":\n\n"
"""A comment: it keeps proxies from closing a quiet stream, and tells of a client that is gone."""


def event(name: str, data: Any, *, cursor: str | None = None) -> bytes:
    """One event; `cursor` is what a client sends as `Last-Event-ID` to go on after it.

    JSON holds no raw line breaks, so that the data is one line.
    """
    head = f"id: {cursor}\nevent: {name}\ndata: " if cursor else f"event: {name}\ndata: "
    return head.encode() + orjson.dumps(data) + b"\n\n"


def retry(milliseconds: int) -> bytes:
    """How long a client waits before it connects again."""
    return b"retry: %d\n\n" % milliseconds
