"""Whether the gateway lives, whether it can answer with the model, and what it counts."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from records.errors import NotFound, StorageError, StorageFull
from records.states import KeyScope
from serving.contract import health as contract
from serving.gateway import Gateway, gateway_of
from serving.metrics import exposition
from serving.problems import json_response

router = APIRouter(tags=["health"])


@router.get("/health/live", **contract.LIVE)
async def live() -> Response:
    """The process answers."""
    return json_response({"status": "ok"})


@router.get("/health/ready", **contract.READY)
async def ready(request: Request) -> Response:
    """Each assistant's version is proved on some engine and turns are recorded; else 503, and why.

    A gateway that is about to stop is not ready either, though it still answers.
    """
    gateway = gateway_of(request)
    versions = {name: _version(gateway, name) for name in gateway.assistants}
    waiting = [name for name, v in versions.items() if v is None or not gateway.fleet.ready(v)]
    reasons = [*_of_versions(gateway, versions, waiting), *await _of_recording(gateway)]
    status = "waiting" if reasons else "ok"
    if gateway.draining.begun:
        status, reasons = "draining", ["This gateway is about to stop.", *reasons]
    body = {
        "status": status,
        "reasons": reasons,
        "versions": versions,
        "waiting": waiting,
        "not_served": _not_served(gateway, versions),
        "spooled": gateway.recorder.spooled,
    }
    return json_response(body, status=503 if reasons else 200)


@router.get("/metrics", **contract.METRICS)
async def metrics(request: Request) -> Response:
    """Prometheus' text form, or OpenMetrics where that is asked for. Needs a key of scope ops."""
    gateway = gateway_of(request)
    if not gateway.settings.metrics_open:
        await gateway.access.require(request.headers.get("authorization"), KeyScope.OPS)
    write, content_type = exposition(gateway.observing.metrics, request.headers.get("accept", ""))
    return Response(await asyncio.to_thread(write), headers={"content-type": content_type})


def _of_versions(
    gateway: Gateway, versions: Mapping[str, str | None], waiting: list[str]
) -> list[str]:
    if waiting and not gateway.fleet.healthy:
        return ["No engine answers."]
    return [
        f"{name}: no engine is ready for {versions[name]}."
        if versions[name]
        else f"{name}: no version is installed."
        for name in waiting
    ]


async def _of_recording(gateway: Gateway) -> list[str]:
    """Try it: an empty operation waits its turn behind all that is to be recorded now."""
    if gateway.settings.when_storage_fails == "spool":
        return []  # turns are kept here while the database is away
    seconds = gateway.settings.ready_lag_seconds
    try:
        async with asyncio.timeout(seconds):
            await gateway.recorder.write(_nothing)
    except TimeoutError:
        return [f"Recording takes longer than {seconds:g} s."]
    except StorageFull:
        return ["Nothing can be recorded: no space is left."]
    except StorageError:
        return ["Nothing can be recorded: the database does not answer."]
    return []


def _nothing(session: Session) -> None:
    """Change nothing, in a transaction that is written all the same: a full disk shows itself."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        connection.exec_driver_sql(f"PRAGMA user_version = {1 - int(number)}")
    else:
        session.execute(select(func.pg_current_xact_id()))


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
