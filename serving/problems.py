"""How errors reach a client: OpenAI's error shape with its status codes. The one translation."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from records import errors
from records.ids import new_id

_log = logging.getLogger("understudy.gateway")
_CONTEXT_SIGNS = ("context length", "maximum model length", "max_model_len", "longer than")


class ModelNotFound(errors.NotFound):
    """A client asked for a model that is no assistant's name."""


@dataclass(frozen=True, slots=True)
class _Kind:
    status: int
    type: str
    code: str


_KINDS: Mapping[type[Exception], _Kind] = {
    errors.InvalidInput: _Kind(400, "invalid_request_error", "invalid_value"),
    errors.EngineRefused: _Kind(400, "invalid_request_error", "invalid_value"),
    errors.Unauthorized: _Kind(401, "authentication_error", "invalid_api_key"),
    errors.Forbidden: _Kind(403, "permission_error", "forbidden"),
    ModelNotFound: _Kind(404, "invalid_request_error", "model_not_found"),
    errors.NotFound: _Kind(404, "invalid_request_error", "not_found"),
    errors.Conflict: _Kind(409, "conflict_error", "conflict"),
    errors.AdapterError: _Kind(409, "conflict_error", "adapter_refused"),
    errors.StorageError: _Kind(503, "server_error", "storage_unavailable"),
    errors.EngineError: _Kind(503, "server_error", "engine_unavailable"),
    errors.UnderstudyError: _Kind(500, "server_error", "internal_error"),
}
_BY_STATUS = {401: errors.Unauthorized, 403: errors.Forbidden, 404: errors.NotFound}


def json_response(
    content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response."""
    body = orjson.dumps(content, default=str)
    return Response(body, status, dict(headers or {}), "application/json")


def exceeds_context(error: errors.EngineRefused) -> bool:
    """Whether the engine refused a prompt because it is too long."""
    return any(sign in str(error) for sign in _CONTEXT_SIGNS)


def body_of(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body for an error of ours."""
    kind = next(_KINDS[c] for c in type(error).__mro__ if c in _KINDS)
    code = kind.code
    if isinstance(error, errors.EngineRefused) and exceeds_context(error):
        code = "context_length_exceeded"
    param = error.field if isinstance(error, errors.InvalidInput) else None
    if isinstance(error, ModelNotFound):
        param = "model"
    return kind.status, _shape(str(error), type_=kind.type, param=param, code=code)


def _shape(message: str, *, type_: str, param: str | None, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def install(app: FastAPI, *, retry_after_seconds: int) -> None:
    """Translate every error that a route may raise."""

    async def ours(_request: Request, error: Exception) -> Response:
        status, body = body_of(error)
        headers = {"Retry-After": str(retry_after_seconds)} if status == 503 else None
        return json_response(body, status=status, headers=headers)

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"][1:]) or "body"
        message = f"{where}: {problem['msg']}."
        return await ours(_request, errors.InvalidInput(message, field=where))

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = _KINDS[_BY_STATUS.get(error.status_code, errors.InvalidInput)]
        code = "method_not_allowed" if error.status_code == 405 else kind.code
        body = _shape(str(error.detail), type_=kind.type, param=None, code=code)
        return json_response(body, status=error.status_code, headers=error.headers)

    async def unforeseen(_request: Request, error: Exception) -> Response:
        reference = new_id("err")
        _log.error("unforeseen error %s", reference, exc_info=error)
        body = _shape(
            f"Something went wrong here; it is logged as {reference}.",
            type_="server_error",
            param=None,
            code="internal_error",
        )
        return json_response(body, status=500)

    app.add_exception_handler(errors.UnderstudyError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)
