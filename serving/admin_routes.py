"""What ops teams may do over HTTP: versions, promotion, roll-back, explanations."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from records import lineage, versions
from serving import trial_routes
from serving.administration import assistant_of, change, read
from serving.body import Body
from serving.contract import admin as contract
from serving.contract.parameters import TurnId
from serving.gateway import gateway_of, need_ops
from serving.problems import json_response
from serving.releasing import listing, release_view
from serving.storable import Storable
from serving.trial_routes import AssistantBody

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(need_ops)])

Actor = Annotated[str, Depends(need_ops)]
"""The name of the key that a caller came with; found once for a request."""


class PromoteBody(Body):
    """The version that shall serve; `without_evidence` overrides the gate."""

    version: Storable
    without_evidence: bool = False


@router.get("/versions", **contract.VERSIONS)
async def list_versions(request: Request) -> Response:
    """All versions with state and verdict, and what each engine is ready for."""
    gateway = gateway_of(request)
    return json_response(
        {"versions": await read(gateway, listing), "engines": gateway.fleet.state()}
    )


@router.post("/promote", **contract.PROMOTE)
async def promote(request: Request, body: PromoteBody, actor: Actor) -> Response:
    """Make a version champion."""
    gateway = gateway_of(request)
    await asyncio.to_thread(versions.check_files, gateway.database, gateway.artifacts, body.version)
    return json_response(
        await change(
            gateway,
            lambda session: release_view(
                versions.promote(
                    session, body.version, actor=actor, without_evidence=body.without_evidence
                )
            ),
        )
    )


@router.post("/rollback", **contract.ROLL_BACK)
async def rollback(request: Request, actor: Actor, body: AssistantBody | None = None) -> Response:
    """Go back to the version before, at once."""
    gateway = gateway_of(request)
    name = assistant_of(gateway, body.assistant if body else None)
    return json_response(
        await change(
            gateway, lambda session: release_view(versions.rollback(session, name, actor=actor))
        )
    )


@router.get("/explain/{turn_id}", **contract.EXPLAIN)
async def explain(request: Request, turn_id: TurnId) -> Response:
    """Everything that led to an answer."""
    gateway = gateway_of(request)
    return json_response(await read(gateway, lambda session: lineage.explain(session, turn_id)))


router.include_router(trial_routes.router)
