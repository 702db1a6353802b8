"""What conversations and customers led to, as the customers' backend finds out, soon or late."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from records import outcomes
from records.assistant import pick_assistant
from records.errors import InvalidInput
from records.ids import new_id, utc_now
from records.tables import Outcome
from serving.body import Body, Moment
from serving.contract import conversations as contract
from serving.conversation_routes import find
from serving.gateway import gateway_of, need_customer
from serving.problems import json_response
from serving.storable import Storable

router = APIRouter(prefix="/v1", tags=["outcomes"], dependencies=[Depends(need_customer)])

_CLOCKS_DIFFER = timedelta(days=1)

Name = Annotated[Storable, Field(min_length=1, max_length=200)]


class OutcomeBody(Body):
    """What a conversation led to, or what a customer did later.

    With an `id`, a repeated report is recorded once. `occurred_at` is when it happened, with a
    time zone and not in the future; left out, it happened now.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [a], "properties": {a: {"type": "string"}, b: {"type": "null"}}}
                for a, b in permutations(("conversation_id", "customer_id"))
            ],
            "if": {"properties": {"metric": {"const": "csat"}}},
            "then": {"properties": {"value": {"minimum": 1, "maximum": 5}}},
        }
    )

    metric: Annotated[Storable, Field(min_length=1, max_length=64)]
    value: float = Field(allow_inf_nan=False)
    conversation_id: Name | None = None
    customer_id: Name | None = None
    assistant: Name | None = None
    id: Annotated[Storable, Field(min_length=1, max_length=180)] | None = None
    occurred_at: Moment | None = None


@router.post("/outcomes", **contract.REPORT)
async def report_outcome(request: Request, body: OutcomeBody) -> Response:
    """Record an outcome, such as accepted = 1 for a conversation or order_value for a customer."""
    if (body.conversation_id is None) == (body.customer_id is None):
        raise InvalidInput("Send either conversation_id or customer_id.", field="conversation_id")
    _require_plausible(body, now=utc_now())
    gateway = gateway_of(request)
    assistant = None
    if body.customer_id is not None:
        assistant = pick_assistant(dict(gateway.assistants), body.assistant).name
    key = f"reported:{body.id or new_id('out')}"

    def report(session: Session) -> bool:
        return outcomes.report(session, _outcome(session, body, key=key, assistant=assistant))

    recorded = await gateway.recorder.write(report)
    return json_response({"recorded": recorded, "known_already": not recorded})


def _require_plausible(body: OutcomeBody, *, now: datetime) -> None:
    """Refuse what would spoil every mean that it gets into."""
    if body.metric == "csat" and not 1 <= body.value <= 5:
        raise InvalidInput("csat is a number from 1 to 5.", field="value")
    if body.occurred_at is not None and body.occurred_at > now + _CLOCKS_DIFFER:
        raise InvalidInput("occurred_at lies in the future.", field="occurred_at")


def _outcome(session: Session, body: OutcomeBody, *, key: str, assistant: str | None) -> Outcome:
    said: dict[str, Any] = {"key": key, "metric": body.metric, "value": body.value}
    when: datetime | None = body.occurred_at
    if when is not None:
        said["occurred_at"] = when
    if body.conversation_id is not None:
        return outcomes.of(find(session, body.conversation_id), **said)
    return Outcome(assistant=assistant, customer=body.customer_id, **said)
