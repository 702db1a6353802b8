"""The OpenAPI document as tests hold things against it."""

from collections.abc import Iterator
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker

from serving.contract.document import document

METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and content of each operation."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def operation(name: str) -> dict[str, Any]:
    return next(found for *_, found in operations() if found["operationId"] == name)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, looked up where it is a reference."""
    found: Any = document()
    reference = part.get("$ref")
    if reference is None:
        return part
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def faults(schema: dict[str, Any], value: Any, *, strict: bool = False) -> list[str]:
    """What is wrong with a value; if `strict`, also fields of which the schema says nothing."""
    components = document()["components"]
    if strict:
        schema, components = closed(schema), closed(components)
    whole = {**schema, "components": components}
    checker = Draft202012Validator(whole, format_checker=FormatChecker())
    return [f"{'/'.join(map(str, e.path))}: {e.message[:300]}" for e in checker.iter_errors(value)]


def closed(schema: Any) -> Any:
    """A schema whose objects hold what it names and nothing else, but where it says so."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def event_faults(schema: dict[str, Any], stream: str, *, strict: bool = False) -> list[str]:
    """What is wrong with a stream of server-sent events."""
    found = []
    for event in events_of(stream):
        kinds = schema.get("anyOf", [schema])
        mine = [k for k in kinds if _name(k) in (None, event.get("event"))]
        if not mine:
            found.append(f"an event {event.get('event')!r}")
            continue
        found += faults(mine[0], event)
        datas = mine[0]["properties"]["data"]
        fitting = [
            _data_faults(d, event["data"], strict=strict) for d in datas.get("anyOf", [datas])
        ]
        found += [] if [] in fitting else [f for each in fitting for f in each]
    return found


def events_of(stream: str) -> list[dict[str, Any]]:
    events = []
    for block in stream.split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
        event: dict[str, Any] = {name: value for name, _, value in lines}
        if "data" in event:
            events.append(event)
    return events


def _name(kind: dict[str, Any]) -> str | None:
    return kind["properties"].get("event", {}).get("const")


def _data_faults(schema: dict[str, Any], data: str, *, strict: bool) -> list[str]:
    if "contentSchema" not in schema:
        return faults(schema, data)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return [f"{data!r} is not JSON"]
    return faults(schema["contentSchema"], value, strict=strict)
