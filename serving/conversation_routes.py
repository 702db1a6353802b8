"""A conversation as its customer's backend sees it: its turns, asking for a person, outcomes."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from records import conversations, escalations
from records.errors import NotFound
from records.ids import new_id
from records.states import EscalationReason
from records.tables import Conversation, Turn
from serving.gateway import gateway_of, need_customer
from serving.problems import json_response
from serving.storable import Storable

router = APIRouter(prefix="/v1", tags=["conversations"], dependencies=[Depends(need_customer)])


class EscalateBody(BaseModel):
    """Why the customer asks for a person."""

    cause: Storable = Field(
        default="The customer asked for a person.", min_length=1, max_length=500
    )


class OutcomeBody(BaseModel):
    """What a conversation led to. With an `id`, a repeated report is recorded once."""

    conversation_id: Storable = Field(min_length=1, max_length=200)
    metric: Storable = Field(min_length=1, max_length=64)
    value: float = Field(allow_inf_nan=False)
    id: Storable | None = Field(default=None, min_length=1, max_length=180)


@router.get("/conversations/{conversation_id}", response_model=None)
async def get_conversation(request: Request, conversation_id: Storable) -> Response:
    """All turns of a conversation, the agent's included, and who is expected to speak."""
    database = gateway_of(request).database

    def read() -> dict[str, Any]:
        with database.read() as session:
            return _view(session, _find(session, conversation_id))

    return json_response(await asyncio.to_thread(read))


@router.post("/conversations/{conversation_id}/escalate", response_model=None)
async def escalate_conversation(
    request: Request, conversation_id: Storable, body: EscalateBody | None = None
) -> Response:
    """Hand a conversation to a person because the customer asks for one."""
    cause = (body or EscalateBody()).cause

    def escalate(session: Session) -> dict[str, Any]:
        found = _find(session, conversation_id)
        escalation = escalations.escalate(
            session, found.id, reason=EscalationReason.CUSTOMER, cause=cause
        )
        return {
            "conversation_id": found.id,
            "escalation_id": escalation.id,
            "state": found.state,
            "reason": escalation.reason,
        }

    return json_response(await gateway_of(request).recorder.write(escalate))


@router.post("/outcomes", response_model=None)
async def report_outcome(request: Request, body: OutcomeBody) -> Response:
    """Record what a conversation led to, such as accepted = 1 or csat = 4."""

    def report(session: Session) -> bool:
        return conversations.report_outcome(
            session,
            conversation_id=_find(session, body.conversation_id).id,
            metric=body.metric,
            value=body.value,
            key=f"reported:{body.id or new_id('out')}",
        )

    recorded = await gateway_of(request).recorder.write(report)
    return json_response({"recorded": recorded, "known_already": not recorded})


def _find(session: Session, name: str) -> Conversation:
    """A conversation by our id, or by the caller's own key where that names one only."""
    found = session.get(Conversation, name)
    if found is None:
        named = session.scalars(select(Conversation).where(Conversation.key == name).limit(2)).all()
        if len(named) != 1:
            raise NotFound(f"No conversation {name!r}.")
        found = named[0]
    return found


def _view(session: Session, conversation: Conversation) -> dict[str, Any]:
    escalation = conversations.open_escalation(session, conversation.id)
    return {
        "id": conversation.id,
        "assistant": conversation.assistant,
        "key": conversation.key,
        "customer": conversation.customer,
        "state": conversation.state,
        "escalation_id": escalation.id if escalation else None,
        "turns": [_turn(turn) for turn in conversations.history(session, conversation.id)],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.id,
        "position": turn.position,
        "role": turn.role,
        "content": turn.content,
        "status": turn.status,
        "version": turn.version,
        "created_at": turn.created_at.isoformat(),
    }
