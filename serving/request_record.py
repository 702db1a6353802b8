"""What is known of one request while it is answered: the fields of its line in the log.

Whatever is set here is logged. It must never hold a message's text, a customer's name or id, a
caller's own name for a conversation, or a key: ids and names that Understudy itself gave only.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from itertools import count
from typing import Any

_KEY = "understudy.request"
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
"""What a client may call its request: no e-mail address, nothing that could break a line."""

_process = os.urandom(5).hex()
_numbers = count(1)


class RequestRecord:
    """One request. A field that nobody sets is not logged: the class holds only defaults."""

    request: str
    """Its id."""
    method: str
    route: str = ""
    """Its path's template; empty where the router knows it."""
    key: str | None = None
    """The name of the API key that it came with."""
    assistant: str | None = None
    conversation: str | None = None
    """Our id of it."""
    turn: str | None = None
    version: str | None = None
    arm: str | None = None
    answer: str | None = None
    """How the answer came about: the turn's status."""
    first_token_ms: float | None = None
    escalated: str | None = None
    """The reason why it went to a person."""
    refused: str | None = None
    """The code of the error that it got in place of what it asked for."""

    def __init__(self, request: str, method: str) -> None:
        """Begin with what is known of any request."""
        self.request = request
        self.method = method

    @property
    def fields(self) -> Mapping[str, Any]:
        """What was set so far."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


current: ContextVar[RequestRecord | None] = ContextVar("request", default=None)
"""The request that this task answers; tasks and threads started for it see it too."""


def begin(scope: Any) -> RequestRecord:
    """Make the record of a request that has just come in.

    To be called in the task that answers it: the record ends with that task's context.
    """
    method = scope["method"]
    record = RequestRecord(request_id(scope["headers"]), method if method in _METHODS else "OTHER")
    scope[_KEY] = record
    current.set(record)
    return record


def record_of(scope: Any) -> RequestRecord:
    """The record of a request; made now where nobody has begun it."""
    record: RequestRecord | None = scope.get(_KEY)
    return record if record is not None else begin(scope)


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The client's own `X-Request-Id` if it is a plain word, else a fresh one."""
    for name, value in headers:
        if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
            return value.decode("latin-1")
    return f"req_{_process}{next(_numbers):08x}"
