"""What an operation promises beyond what its route's own types say, as FastAPI takes it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from records.states import KeyScope

JSON = "application/json"
KEY = "api_key"
"""The security scheme's name."""

Schema = Mapping[str, Any]
Examples = Mapping[str, Any]
"""Values by what they show."""


class Shown(BaseModel):
    """Base of what is answered; its docstring is what the document says of it."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)


def told(
    *,
    answer: type[Shown] | None = None,
    examples: Examples | None = None,
    content: Mapping[str, Any] | None = None,
    asked: Examples | None = None,
    scopes: Sequence[KeyScope] = (),
    also: Mapping[int, str] | None = None,
    errors: Sequence[int] = (),
    headers: Mapping[str, Any] | None = None,
    links: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Arguments for a route's decorator.

    Args:
        answer: the JSON body of what is answered with 200.
        examples: of that body.
        content: other media types in which the answer can come.
        asked: examples of the request's body.
        scopes: of keys, any of which is enough; none where no key is needed.
        also: other statuses with the same body, and what they mean.
        errors: statuses that are this operation's own; those of all operations come by themselves.
        headers: of the answer, beyond those of all answers.
        links: what to do with the answer next.
    """
    kinds = dict(content or {})
    if answer is not None:
        kinds[JSON] = {"examples": named(examples or {})}
    responses: dict[int, dict[str, Any]] = {}
    for status, meaning in {200: "As asked.", **(also or {})}.items():
        parts = {"description": meaning, "content": kinds, "model": answer, "headers": headers,
                 "links": links}  # fmt: skip
        responses[status] = {name: part for name, part in parts.items() if part is not None}
    responses |= {status: {"description": ""} for status in errors}  # worded for all operations
    extra: dict[str, Any] = {"security": [{KEY: [scope]} for scope in scopes]}
    if asked:
        extra["requestBody"] = {"content": {JSON: {"examples": named(asked)}}}
    return {
        "response_model": None,
        "response_class": Response,
        "responses": responses,
        "openapi_extra": extra,
    }


def named(examples: Examples) -> dict[str, Any]:
    """Examples as OpenAPI writes them."""
    return {name: {"value": value} for name, value in examples.items()}


def reference(name: str) -> dict[str, str]:
    """A schema of the document, by name."""
    return {"$ref": f"#/components/schemas/{name}"}
