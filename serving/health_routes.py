"""Whether the gateway lives, and whether it can answer with the model."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from records.errors import NotFound
from serving.gateway import Gateway, gateway_of
from serving.problems import json_response

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", response_model=None)
async def live() -> Response:
    """The process answers."""
    return json_response({"status": "ok"})


@router.get("/ready", response_model=None)
async def ready(request: Request) -> Response:
    """Every assistant's version is proved on some engine; 503 while one is not."""
    gateway = gateway_of(request)
    versions = {name: _version(gateway, name) for name in gateway.assistants}
    waiting = [name for name, v in versions.items() if v is None or not gateway.fleet.ready(v)]
    body = {
        "status": "waiting" if waiting else "ok",
        "versions": versions,
        "waiting": waiting,
        "not_served": _not_served(gateway, versions),
    }
    return json_response(body, status=503 if waiting else 200)


def _not_served(gateway: Gateway, versions: Mapping[str, str | None]) -> dict[str, str]:
    """Champions that are refused or not ready, by assistant; another version answers for them."""
    return {
        name: gateway.traffic.pointed(name)
        for name, version in versions.items()
        if version is not None and gateway.traffic.pointed(name) != version
    }


def _version(gateway: Gateway, assistant: str) -> str | None:
    try:
        return gateway.traffic.champion(assistant)
    except NotFound:
        return None
