"""Server-sent events as the document describes them: each event by its name, its data as JSON."""

from collections.abc import Mapping
from typing import Any

from serving.contract.operation import Schema, reference

EVENTS = "text/event-stream"
_ID = {"type": "string", "description": "What a client sends as `Last-Event-ID` to go on after it."}


def events(schemas: Mapping[str, str], *, example: str, resumed: bool = False) -> Schema:
    """A stream of named events; the schema is one event's, as OpenAPI 3.1 is read.

    Args:
        schemas: the data's schema by the event's name.
        example: a stream as it is sent.
        resumed: whether events have ids.
    """
    every = [_event(name, schema, resumed=resumed) for name, schema in schemas.items()]
    return {EVENTS: {"schema": {"anyOf": every}, "example": example}}


def chunks(*schemas: str, end: str, example: str) -> Schema:
    """A stream of events without names, each one of `schemas`, until the text `end`."""
    anything = [_data(schema) for schema in schemas]
    data = {"anyOf": [{"type": "string", "const": end}, *anything]}
    one = {"type": "object", "required": ["data"], "properties": {"data": data}}
    return {EVENTS: {"schema": one, "example": example}}


def _event(name: str, schema: str, *, resumed: bool) -> dict[str, Any]:
    properties = {"event": {"type": "string", "const": name}, "data": _data(schema)}
    required = ["event", "data"]
    if resumed:
        properties |= {"id": _ID, "retry": {"type": "integer"}}
        required.append("id")
    return {"type": "object", "required": required, "properties": properties}


def _data(schema: str) -> dict[str, Any]:
    return {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": reference(schema),
    }
