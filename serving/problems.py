"""How errors reach a client: OpenAI's error shape with its status codes. The one translation.

What a client is told never holds what an engine, a database or an exception said: that may name
hosts, files or other people's words. It goes to the log, under a reference where it is unforeseen.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from records import errors
from records.ids import new_id
from serving import request_record
from serving.logs import places, told
from serving.refusal import reworded

_log = logging.getLogger("understudy.gateway")
CLIENT_LEFT = 499
"""The status that is noted where nobody was left to be answered; nginx's number for it."""
TOLD = "understudy.told"
"""Where a request's scope says that its unforeseen error is logged: it comes by more than once."""
_FIRST_SERVER_ERROR = 500
_TOLD_EVERY_SECONDS = 10
_PLACES_TOLD = 4


class ModelNotFound(errors.NotFound):
    """A client asked for a model that is no assistant's name."""


class BodyTooLarge(errors.InvalidInput):
    """A request's body is larger than the gateway takes."""


class BodyTooSlow(errors.InvalidInput):
    """A request's body took longer to arrive than the gateway waits."""


class ClientLeft(ConnectionError):
    """The client is gone, or takes so little that it counts as gone: nobody is to be answered."""


class OriginRefused(errors.Forbidden):
    """A web page of an origin that the settings don't name asked whether it may call."""


@dataclass(frozen=True, slots=True)
class _Kind:
    status: int
    type: str
    code: str
    words: str | None = None
    """What the client is told where the error's own words are not for it."""


_KINDS: Mapping[type[Exception], _Kind] = {
    BodyTooLarge: _Kind(413, "invalid_request_error", "request_too_large"),
    BodyTooSlow: _Kind(408, "invalid_request_error", "request_timeout"),
    errors.InvalidInput: _Kind(400, "invalid_request_error", "invalid_value"),
    errors.EngineRefused: _Kind(400, "invalid_request_error", "invalid_value"),
    errors.Unauthorized: _Kind(401, "authentication_error", "invalid_api_key"),
    OriginRefused: _Kind(403, "permission_error", "origin_not_allowed"),
    errors.Forbidden: _Kind(403, "permission_error", "forbidden"),
    ModelNotFound: _Kind(404, "invalid_request_error", "model_not_found"),
    errors.NotFound: _Kind(404, "invalid_request_error", "not_found"),
    errors.Conflict: _Kind(409, "conflict_error", "conflict"),
    errors.AdapterError: _Kind(409, "conflict_error", "adapter_refused"),
    errors.RateLimited: _Kind(429, "requests", "rate_limit_exceeded"),
    errors.Overloaded: _Kind(
        503,
        "server_error",
        "overloaded",
        "Too many requests are being answered now. Try again in a moment.",
    ),
    errors.StorageError: _Kind(
        503,
        "server_error",
        "storage_unavailable",
        "Nothing can be recorded now, so nothing is answered. Try again in a moment.",
    ),
    errors.EngineError: _Kind(
        503,
        "server_error",
        "engine_unavailable",
        "The model can't be reached now. Try again in a moment.",
    ),
    errors.UnderstudyError: _Kind(
        500,
        "server_error",
        "internal_error",
        "The gateway can't do this as it is set up; its log says why.",
    ),
}
_BY_STATUS = {401: errors.Unauthorized, 403: errors.Forbidden, 404: errors.NotFound}


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as it is sent."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def response(self) -> Response:
        """The same for Starlette."""
        return json_response(self.body, status=self.status, headers=self.headers)


def json_response(
    content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response."""
    body = orjson.dumps(content, default=str)
    return Response(body, status, dict(headers or {}), "application/json")


def body_of(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body for an error of ours."""
    kind = _kind_of(error)
    if isinstance(error, errors.EngineRefused):
        refusal = reworded(str(error))
        return kind.status, _shape(
            refusal.words, type_=kind.type, param=refusal.param, code=refusal.code or kind.code
        )
    param = error.field if isinstance(error, errors.InvalidInput) else None
    if isinstance(error, ModelNotFound):
        param = "model"
    words = kind.words or str(error)
    return kind.status, _shape(words, type_=kind.type, param=param, code=kind.code)


def _kind_of(error: Exception) -> _Kind:
    return next(_KINDS[c] for c in type(error).__mro__ if c in _KINDS)


def _shape(message: str, *, type_: str, param: str | None, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


class Problems:
    """Turns errors into answers, and tells the log what the client is not told."""

    def __init__(
        self, *, retry_after_seconds: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`retry_after_seconds` is said where nobody knows how long it will take."""
        self._retry_after_seconds = retry_after_seconds
        self._clock = clock
        self._told_at: dict[str, float] = {}

    def answer(self, error: errors.UnderstudyError) -> Answer:
        """The answer to an error of ours; the request's record tells of it too."""
        status, body = body_of(error)
        headers: dict[str, str] = {}
        if isinstance(error, errors.RateLimited):
            headers = {**error.headers, "Retry-After": str(max(1, ceil(error.retry_after_seconds)))}
        elif status == 503:
            headers = {"Retry-After": str(self._retry_after_seconds)}
        if status >= _FIRST_SERVER_ERROR:
            self._tell(status, error)
        record = request_record.current.get()
        if record is not None:
            record.refused = body["error"]["code"]
        return Answer(status, body, headers)

    def unforeseen(self, error: BaseException, scope: Scope) -> Answer:
        """The answer to an error that nobody foresaw: a reference, with its place in the log."""
        reference = new_id("err")
        scope[TOLD] = reference
        _log.error("unforeseen error %s: %s", reference, place_of(error))
        message = f"Something went wrong here; it is logged as {reference}."
        return Answer(500, _shape(message, type_="server_error", param=None, code="internal_error"))

    def _tell(self, status: int, error: errors.UnderstudyError) -> None:
        """Say why, but not for each of thousands of requests that fail alike."""
        kind, now = type(error).__name__, self._clock()
        if now - self._told_at.get(kind, float("-inf")) >= _TOLD_EVERY_SECONDS:
            self._told_at[kind] = now
            _log.warning("answered %d: %s", status, told(error))

    def install(self, app: FastAPI) -> None:
        """Translate every error that a route may raise."""

        async def ours(_request: Request, error: Exception) -> Response:
            assert isinstance(error, errors.UnderstudyError)
            return self.answer(error).response

        async def invalid(_request: Request, error: Exception) -> Response:
            assert isinstance(error, RequestValidationError)
            return self.answer(_invalid(error.errors()[0])).response

        async def http(request: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            kind = _KINDS[_BY_STATUS.get(error.status_code, errors.InvalidInput)]
            code, headers = kind.code, error.headers
            if error.status_code == 405:
                code, headers = "method_not_allowed", {"Allow": _methods_at(request)}
            body = _shape(str(error.detail), type_=kind.type, param=None, code=code)
            return json_response(body, status=error.status_code, headers=headers)

        async def unforeseen(request: Request, error: Exception) -> Response:
            if isinstance(error, ClientLeft):
                return Response(status_code=CLIENT_LEFT)
            return self.unforeseen(error, request.scope).response

        app.add_exception_handler(errors.UnderstudyError, ours)
        app.add_exception_handler(RequestValidationError, invalid)
        app.add_exception_handler(HTTPException, http)
        app.add_exception_handler(Exception, unforeseen)


def _methods_at(request: Request) -> str:
    """All methods of a path; a router that finds another one names its first route's only."""
    methods = {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(methods))


def _invalid(problem: Mapping[str, Any]) -> errors.InvalidInput:
    """What FastAPI found wrong, as our error."""
    if problem["type"] == "json_invalid":
        return errors.InvalidInput(f"The body is not JSON: {problem['ctx']['error']}.")
    where = ".".join(str(part) for part in problem["loc"][1:]) or "body"
    return errors.InvalidInput(f"{where}: {problem['msg']}.", field=where)


def place_of(error: BaseException) -> str:
    """What may be logged of an error that nobody foresaw, and where it was, innermost first."""
    innermost = reversed(places(error.__traceback__)[-_PLACES_TOLD:])
    return f"{told(error)} at {', '.join(innermost) or 'an unknown place'}"
