"""The OpenAPI document: whole, valid, and true of the gateway."""

import asyncio
import os
import sys
import sysconfig
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from openapi_spec_validator import validate

from records import keys
from records.cli import understudy
from records.states import KeyScope
from serving.contract import errors
from serving.contract.document import document
from serving.problems import _KINDS, OriginRefused, body_of
from tests.serving import promised
from tests.serving.running_gateway import Stack

OPERATIONS = list(promised.operations())
NAMES = [found["operationId"] for *_, found in OPERATIONS]
HERE = Path(__file__).resolve().parent
SECONDS = 120


def test_the_document_is_valid() -> None:
    assert document()["openapi"].startswith("3.1")
    validate(document())


async def test_the_gateway_the_command_and_the_routes_say_the_same(stack: Stack) -> None:
    served = await stack.call("GET", "/openapi.json")
    printed = CliRunner().invoke(understudy, ["openapi"])
    assert printed.exit_code == 0
    for name in ("openapi", "info", "paths", "components", "tags"):
        assert served[name] == document()[name]
    assert orjson.loads(printed.output) == document()
    routes = {(r.path, m.lower()) for r in stack_routes(stack) for m in r.methods}
    assert routes == {(path, method) for path, method, _ in OPERATIONS}


def stack_routes(stack: Stack) -> list[Any]:
    from fastapi import FastAPI
    from fastapi.routing import APIRoute

    from serving.endpoints import include_endpoints

    app = FastAPI()
    include_endpoints(app)
    return [route for route in app.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)
def test_every_operation_is_told_whole(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"][0] in {tag["name"] for tag in document()["tags"]}
    assert "422" not in operation["responses"]
    assert all(parameter["description"] for parameter in operation.get("parameters", []))
    for status, answer in operation["responses"].items():
        found = promised.resolved(answer)
        assert found["description"]
        assert "X-Request-ID" in found["headers"]
        for media in found["content"].values():
            assert media["schema"]
            assert media.get("examples") or media.get("example")
        if int(status) >= 400 and operation["operationId"] != "ready":
            assert found["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/Error"
            }
    if "requestBody" in operation:
        assert operation["requestBody"]["content"]["application/json"]["examples"]
        assert {"400", "408", "413"} <= operation["responses"].keys()
    if operation["security"]:
        assert {"401", "403", "429", "503"} <= operation["responses"].keys()


def examples() -> list[Any]:
    found = []
    for _, _, operation in OPERATIONS:
        named = {"asked": operation.get("requestBody", {}), **operation["responses"]}
        for name, part in named.items():
            for kind, media in promised.resolved(part).get("content", {}).items():
                values = {n: e["value"] for n, e in media.get("examples", {}).items()}
                if "example" in media:
                    values["example"] = media["example"]
                for example, value in values.items():
                    label = f"{operation['operationId']} {name} {example}"
                    found.append(pytest.param(kind, media["schema"], value, id=label))
    return found


@pytest.mark.parametrize(("kind", "schema", "value"), examples())
def test_every_example_is_as_its_schema_says(kind: str, schema: dict[str, Any], value: Any) -> None:
    if kind == "text/event-stream":
        assert promised.events_of(value)
        assert promised.event_faults(schema, value, strict=True) == []
    else:
        assert promised.faults(schema, value) == []


def test_every_kind_of_error_is_shown_with_its_status() -> None:
    shown = {(status, body["error"]["code"]) for status, body in map(body_of, errors.EXAMPLES)} | {
        (500, "internal_error")
    }
    known = {(k.status, k.code) for kind, k in _KINDS.items() if kind is not OriginRefused}
    assert known <= shown
    answers = {errors.component(status) for status, _ in shown}
    assert answers == document()["components"]["responses"].keys()


async def test_each_operation_opens_to_the_scopes_that_it_names(stack: Stack) -> None:
    with stack.database.write() as session:
        made = {
            scope: keys.create(session, name=scope, scope=scope, actor="test") for scope in KeyScope
        }
    wrong = []
    for path, method, operation in OPERATIONS:
        named = {scope for one in operation["security"] for scope in one["api_key"]}
        for scope, key in [*made.items(), (None, None)]:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            call = stack.http.request(
                method, stack.url + path.replace("{", "").replace("}", ""),
                headers=headers, data=b"[" if method == "post" else None,
            )  # fmt: skip
            async with call as response:
                status = response.status
            open_to = not named or (scope and (scope in named or scope is KeyScope.ADMIN))
            refused = status == (HTTPStatus.UNAUTHORIZED if scope is None else HTTPStatus.FORBIDDEN)
            if refused == bool(open_to):
                wrong.append((operation["operationId"], scope, status))
    assert wrong == []


async def test_a_path_names_all_of_its_methods_where_another_is_asked(stack: Stack) -> None:
    async with stack.http.delete(f"{stack.url}/v1/admin/experiments") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.slow
async def test_schemathesis_finds_nothing(stack: Stack, tmp_path: Path) -> None:
    begun = {"customer_id": "ada", "key": "chat-7"}  # what the examples are about
    await stack.call("POST", "/v1/conversations", json=begun)
    program = Path(sysconfig.get_path("scripts")) / "schemathesis"
    running = await asyncio.create_subprocess_exec(
        sys.executable, program, "--config-file", HERE / "schemathesis.toml",
        "run", f"{stack.url}/openapi.json", "--checks", "all", "--max-examples", "15",
        "--seed", "7",
        "--header", f"Authorization: Bearer {stack.key('admin')}",
        cwd=tmp_path,
        env={
            **os.environ,
            "NO_COLOR": "1",
            "MODEL": stack.assistant.name,
            "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"),
        },
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(SECONDS):
        printed, _ = await running.communicate()
    report = printed.decode()
    assert running.returncode == 0, report[-12_000:]
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in report, report[-2_000:]
