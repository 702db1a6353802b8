"""Errors as the document shows them, made by what makes them: one shape, its codes by status."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from records import errors
from serving.contract.operation import JSON, Schema, named, reference
from serving.problems import (
    BodyTooLarge,
    BodyTooSlow,
    ModelNotFound,
    body_of,
)

_UNFORESEEN = {
    "message": "Something went wrong here; it is logged as err_01m86eb5mkaajk1cehnt8n4f8s.",
    "type": "server_error",
    "param": None,
    "code": "internal_error",
}
_WAIT = {
    "Retry-After": {
        "description": "Seconds until it is worth trying again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}

EXAMPLES: Sequence[errors.UnderstudyError] = (
    errors.InvalidInput("temperature must be a number from 0 to 2.", field="temperature"),
    errors.EngineRefused("maximum context length"),
    errors.Unauthorized("This API key is unknown or revoked."),
    errors.Forbidden("This needs a key of scope ops or admin; yours is customer."),
    errors.NotFound("No conversation 'chat-8'."),
    ModelNotFound("The model 'gpt-5' does not exist; there are: support."),
    BodyTooSlow("The request's body did not arrive within 30 seconds."),
    errors.Conflict("U0ANN has already taken this over."),
    errors.AdapterTampered("The files of support-3f9c2a71d0e4 differ from what its name promises."),
    BodyTooLarge("The request's body is larger than 2,000,000 bytes."),
    errors.RateLimited(
        "Too many requests of this customer: 120 a minute are allowed. Try again in 3 s.",
        retry_after_seconds=3,
    ),
    errors.Overloaded(),
    errors.StorageUnavailable(),
    errors.EngineUnavailable(),
)

_MEANINGS: Mapping[int, str] = {
    400: "Something in the request can't be used; `param` names it.",
    401: "No key, or one that is unknown or revoked.",
    403: "A key of another scope, or not the one who may do this.",
    404: "A name or an id that does not exist.",
    408: "The body did not arrive in time.",
    409: "The state of things forbids it.",
    413: "The body is too large; it was not read.",
    429: "A share of requests is used up, or too many unknown keys were tried.",
    500: "Nobody foresaw it. The message holds a reference to the gateway's log.",
    503: "Not now: too many requests at once, or no database or engine. Nothing was begun.",
}

SCHEMA: Schema = {
    "type": "object",
    "description": "What every error looks like: OpenAI's shape.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "For people; may change."},
                "type": {"type": "string", "description": "OpenAI's word for the kind."},
                "param": {
                    "type": ["string", "null"],
                    "description": "The field that can't be used, where it is one.",
                },
                "code": {"type": "string", "description": "For programs."},
            },
        }
    },
}


def component(status: int) -> str:
    """The name of a status's answer among the document's components."""
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def components() -> dict[str, Any]:
    """An answer for each status."""
    return {component(status): _answer(status, meaning) for status, meaning in _MEANINGS.items()}


def _answer(status: int, meaning: str) -> dict[str, Any]:
    bodies = [body for known, body in map(body_of, EXAMPLES) if known == status]
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        bodies = [{"error": _UNFORESEEN}]
    examples = {body["error"]["code"]: body for body in bodies}
    return {
        "description": meaning,
        "content": {JSON: {"schema": reference("Error"), "examples": named(examples)}},
        **({"headers": _WAIT} if status in (429, 503) else {}),
    }
