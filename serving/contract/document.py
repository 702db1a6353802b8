"""The OpenAPI document: what FastAPI derives from the routes, and what all operations share."""

from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from serving.contract import chat, conversations, errors
from serving.contract.operation import KEY, reference
from serving.endpoints import include_endpoints

Document = dict[str, Any]

_OF_EVERY_OPERATION = (500,)
_OF_KEYS = (401, 403, 429, 503)
_OF_INPUT = (400,)
_OF_BODIES = (400, 408, 413)
_DESCRIPTION = """\
Answers to customers by models that learn from their escalations. Any OpenAI client works with
`/v1/chat/completions`; the conversation API is for chat widgets and support desks.

Errors have OpenAI's shape. Every answer has `X-Request-ID`, which is in the gateway's log too.
"""
_TAGS = {
    "chat": "What any OpenAI client calls.",
    "conversations": "Conversations that outlive a request, for chat widgets.",
    "agents": "What support agents do at another desk than Slack.",
    "outcomes": "What conversations led to.",
    "admin": "Versions, releases, experiments, shadows, explanations.",
    "health": "For load balancers and monitoring.",
}
_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key: `Authorization: Bearer <key>`. An operation names the scopes of "
    "which one is enough; a key of scope `admin` opens all.",
}
_REQUEST_ID = {
    "description": "The client's own where it is a plain word, else a new one.",
    "required": True,
    "schema": {"type": "string"},
}


@cache
def document() -> Document:
    """The whole document; not to be changed."""
    app = FastAPI(generate_unique_id_function=_name)
    include_endpoints(app)
    made: Document = get_openapi(
        title="Understudy",
        version=version("understudy"),
        summary="Support assistants that learn from their escalations.",
        description=_DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": words} for name, words in _TAGS.items()],
    )
    for route in app.routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                operation = made["paths"][route.path][method.lower()]
                _restore_examples(operation, route)
                _complete(operation)
    made["components"] = _components(made["components"]["schemas"])
    return made


def _name(route: APIRoute) -> str:
    return route.name


def _restore_examples(operation: Document, route: APIRoute) -> None:
    """Put examples as they were told: FastAPI leaves out what is null in them."""
    told = {str(status): answer for status, answer in route.responses.items()}
    told["asked"] = (route.openapi_extra or {}).get("requestBody", {})
    made = {**operation["responses"], "asked": operation.get("requestBody", {})}
    for name, part in told.items():
        for kind, media in part.get("content", {}).items():
            if "examples" in media:
                made[name]["content"][kind]["examples"] = media["examples"]


def _complete(operation: Document) -> None:
    """Add what follows from what an operation is."""
    if "parameters" in operation:
        operation["parameters"] = [_parameter(one) for one in operation["parameters"]]
    answers = operation["responses"]
    answers.pop("422", None)  # FastAPI's own, which is never sent
    shared = list(_OF_EVERY_OPERATION)
    if operation.get("security"):
        shared += _OF_KEYS
    if "parameters" in operation:
        shared += _OF_INPUT
    if "requestBody" in operation:
        shared += _OF_BODIES
    for status in map(str, shared):
        answers.setdefault(status, {})
    for status, answer in answers.items():
        if "content" in answer:
            answers[status] = _with_id(answer)
        else:
            answers[status] = {"$ref": f"#/components/responses/{errors.component(int(status))}"}
    operation["responses"] = dict(sorted(answers.items()))


def _parameter(one: Document) -> Document:
    """A parameter whose schema says no more than what its text must be: it can't be null."""
    schema = dict(one["schema"])
    text, *_ = schema.pop("anyOf", ({},))
    schema = {**text, **schema}
    examples = schema.pop("examples", None)
    for said_elsewhere in ("description", "title"):
        schema.pop(said_elsewhere, None)
    return {**one, "schema": schema, **({"example": examples[0]} if examples else {})}


def _with_id(answer: Document) -> Document:
    header = {"$ref": "#/components/headers/X-Request-ID"}
    return {**answer, "headers": {**answer.get("headers", {}), "X-Request-ID": header}}


def _components(schemas: Document) -> Document:
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    shown = [(model, "serialization") for model in (*chat.SHOWN, *conversations.SHOWN)]
    _, of_events = models_json_schema(shown, ref_template=reference("{model}")["$ref"])  # type: ignore[arg-type]
    schemas = {**schemas, **of_events["$defs"], **chat.SCHEMAS, "Error": errors.SCHEMA}
    return {
        "schemas": {name: _untitled(schema) for name, schema in sorted(schemas.items())},
        "responses": {name: _with_id(answer) for name, answer in errors.components().items()},
        "headers": {"X-Request-ID": _REQUEST_ID},
        "securitySchemes": {KEY: _SECURITY},
    }


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of fields' names."""
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _untitled(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }
