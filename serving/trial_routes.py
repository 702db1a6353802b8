"""Experiments and shadows over HTTP."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from records import experiments, shadows
from records.places import PLACES
from records.versions import check_files
from serving.administration import assistant_of, change, read
from serving.body import Body
from serving.contract import admin as contract
from serving.contract.parameters import AssistantName
from serving.gateway import gateway_of, need_ops
from serving.problems import json_response
from serving.releasing import (
    experiment_report,
    experiment_view,
    shadow_report,
    shadow_view,
)
from serving.storable import Storable

router = APIRouter()

Actor = Annotated[str, Depends(need_ops)]


class AssistantBody(Body):
    """Which assistant is meant; may be left out where there is one only."""

    assistant: Storable | None = None


class ArmBody(Body):
    """One side of an experiment."""

    name: Storable = Field(min_length=1, max_length=40)
    version: Storable
    share: float = Field(ge=1 / PLACES, le=1)


class ExperimentBody(AssistantBody):
    """An experiment to be started; shares left over stay with the champion.

    `without_evidence` also lets versions take part that the gate failed.
    """

    arms: list[ArmBody] = Field(min_length=1)
    without_evidence: bool = False


class RampBody(AssistantBody):
    """New shares of arms, by name; arms that are not named keep theirs."""

    shares: dict[Storable, Annotated[float, Field(ge=0, le=1)]] = Field(
        min_length=1, json_schema_extra={"additionalProperties": False}
    )


class ShadowBody(Body):
    """A version that shall answer a share of its assistant's questions unseen."""

    version: Storable
    share: float = Field(gt=0, le=1)
    without_evidence: bool = False


@router.get("/experiments", **contract.SHOW_EXPERIMENT)
async def show_experiment(request: Request, assistant: AssistantName = None) -> Response:
    """The running experiment, or else the last one, with whom its arms have answered."""
    gateway = gateway_of(request)
    name = assistant_of(gateway, assistant)
    return json_response(await read(gateway, lambda session: experiment_report(session, name)))


@router.post("/experiments", **contract.START_EXPERIMENT)
async def start_experiment(request: Request, body: ExperimentBody, actor: Actor) -> Response:
    """Divide an assistant's traffic between versions."""
    gateway = gateway_of(request)
    name = assistant_of(gateway, body.assistant)
    sides = [experiments.Side(arm.name, arm.version, arm.share) for arm in body.arms]
    for side in sides:
        await asyncio.to_thread(check_files, gateway.database, gateway.artifacts, side.version)
    return json_response(
        await change(
            gateway,
            lambda session: experiment_view(
                experiments.start(
                    session, name, sides, actor=actor, without_evidence=body.without_evidence
                )
            ),
        )
    )


@router.post("/experiments/ramp", **contract.RAMP_EXPERIMENT)
async def ramp_experiment(request: Request, body: RampBody, actor: Actor) -> Response:
    """Give arms of the running experiment another share; only the customers move that must."""
    gateway = gateway_of(request)
    name = assistant_of(gateway, body.assistant)
    return json_response(
        await change(
            gateway,
            lambda session: experiment_view(
                experiments.set_shares(session, name, body.shares, actor=actor)
            ),
        )
    )


@router.post("/experiments/stop", **contract.STOP_EXPERIMENT)
async def stop_experiment(
    request: Request, actor: Actor, body: AssistantBody | None = None
) -> Response:
    """Give all traffic back to the champion."""
    gateway = gateway_of(request)
    name = assistant_of(gateway, body.assistant if body else None)
    return json_response(
        await change(
            gateway,
            lambda session: experiment_view(experiments.stop(session, name, actor=actor)),
        )
    )


@router.get("/shadow", **contract.SHOW_SHADOW)
async def show_shadow(request: Request, assistant: AssistantName = None) -> Response:
    """The running shadow, or else the last one, and how often it agreed.

    `dropped` counts the questions that this gateway process could not ask since it started.
    """
    gateway = gateway_of(request)
    name = assistant_of(gateway, assistant)
    found = await read(gateway, lambda session: shadow_report(session, name))
    return json_response({**found, "dropped": gateway.shadowing.dropped})


@router.post("/shadow", **contract.START_SHADOW)
async def start_shadow(request: Request, body: ShadowBody, actor: Actor) -> Response:
    """Let a version answer a sample of questions; customers see nothing of it."""
    gateway = gateway_of(request)
    await asyncio.to_thread(check_files, gateway.database, gateway.artifacts, body.version)
    return json_response(
        await change(
            gateway,
            lambda session: shadow_view(
                shadows.start(
                    session,
                    body.version,
                    body.share,
                    actor=actor,
                    without_evidence=body.without_evidence,
                )
            ),
        )
    )


@router.post("/shadow/stop", **contract.STOP_SHADOW)
async def stop_shadow(
    request: Request, actor: Actor, body: AssistantBody | None = None
) -> Response:
    """End the running shadow; its answers stay."""
    gateway = gateway_of(request)
    name = assistant_of(gateway, body.assistant if body else None)
    return json_response(
        await change(gateway, lambda session: shadow_view(shadows.stop(session, name, actor=actor)))
    )
