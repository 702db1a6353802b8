"""What ops teams may do over HTTP: versions, promotion, experiments, explanations."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from records import lineage, versions
from records.assistant import pick_assistant
from records.errors import Conflict
from records.versions import Side, check_files
from serving.gateway import Gateway, gateway_of, need_admin
from serving.problems import json_response
from serving.releasing import experiment_view, listing, release_view
from serving.storable import Storable

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(need_admin)])

Result = TypeVar("Result")
Actor = Annotated[str, Depends(need_admin)]
"""The name of the key that a caller came with; found once for a request."""


class PromoteBody(BaseModel):
    """The version that shall serve; `without_evidence` overrides the gate."""

    version: Storable
    without_evidence: bool = False


class AssistantBody(BaseModel):
    """Which assistant is meant; may be left out where there is one only."""

    assistant: Storable | None = None


class ArmBody(BaseModel):
    """One side of an experiment."""

    name: Storable = Field(min_length=1, max_length=40)
    version: Storable
    share: float = Field(gt=0, le=1)


class ExperimentBody(AssistantBody):
    """An experiment to be started; shares left over stay with the champion.

    `without_evidence` also lets versions take part that the gate failed.
    """

    arms: list[ArmBody] = Field(min_length=1)
    without_evidence: bool = False


@router.get("/versions", response_model=None)
async def list_versions(request: Request) -> Response:
    """All versions with state and verdict, and what each engine is ready for."""
    gateway = gateway_of(request)
    return json_response(
        {"versions": await _read(gateway, listing), "engines": gateway.fleet.state()}
    )


@router.post("/promote", response_model=None)
async def promote(request: Request, body: PromoteBody, actor: Actor) -> Response:
    """Make a version champion."""
    gateway = gateway_of(request)
    await asyncio.to_thread(check_files, gateway.database, gateway.artifacts, body.version)
    return json_response(
        await _change(
            gateway,
            lambda session: release_view(
                versions.promote(
                    session, body.version, actor=actor, without_evidence=body.without_evidence
                )
            ),
        )
    )


@router.post("/rollback", response_model=None)
async def rollback(request: Request, actor: Actor, body: AssistantBody | None = None) -> Response:
    """Go back to the version before, at once."""
    gateway = gateway_of(request)
    name = _assistant(gateway, body)
    return json_response(
        await _change(
            gateway, lambda session: release_view(versions.rollback(session, name, actor=actor))
        )
    )


@router.post("/experiments", response_model=None)
async def start_experiment(request: Request, body: ExperimentBody, actor: Actor) -> Response:
    """Divide an assistant's traffic between versions."""
    gateway = gateway_of(request)
    name = _assistant(gateway, body)
    sides = [Side(arm.name, arm.version, arm.share) for arm in body.arms]
    for side in sides:
        await asyncio.to_thread(check_files, gateway.database, gateway.artifacts, side.version)
    return json_response(
        await _change(
            gateway,
            lambda session: experiment_view(
                versions.start_experiment(
                    session, name, sides, actor=actor, without_evidence=body.without_evidence
                )
            ),
        )
    )


@router.post("/experiments/stop", response_model=None)
async def stop_experiment(
    request: Request, actor: Actor, body: AssistantBody | None = None
) -> Response:
    """Give all traffic back to the champion."""
    gateway = gateway_of(request)
    name = _assistant(gateway, body)

    def stop(session: Session) -> dict[str, Any]:
        stopped = versions.stop_experiment(session, name, actor=actor)
        if stopped is None:
            raise Conflict(f"No experiment of {name!r} runs.")
        return experiment_view(stopped)

    return json_response(await _change(gateway, stop))


@router.get("/explain/{turn_id}", response_model=None)
async def explain(request: Request, turn_id: Storable) -> Response:
    """Everything that led to an answer."""
    gateway = gateway_of(request)
    return json_response(await _read(gateway, lambda session: lineage.explain(session, turn_id)))


async def _read(gateway: Gateway, query: Callable[[Session], Result]) -> Result:
    def read() -> Result:
        with gateway.database.read() as session:
            return query(session)

    return await asyncio.to_thread(read)


async def _change(gateway: Gateway, operation: Callable[[Session], Result]) -> Result:
    """Write, then follow the change at once; other processes follow within their poll."""
    result = await gateway.recorder.write(operation)
    await gateway.traffic.refresh()
    return result


def _assistant(gateway: Gateway, body: AssistantBody | None) -> str:
    return pick_assistant(dict(gateway.assistants), body.assistant if body else None).name
