"""A conversation as a chat widget uses it: begin, read, follow, ask for a person, rate."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask
from starlette.responses import Response

from records import conversations, delivery, escalations, events, outcomes
from records.assistant import pick_assistant
from records.errors import Conflict, InvalidInput, NotFound
from records.events import Cursor
from records.ids import utc_now
from records.outcomes import Rating
from records.states import ConversationState, EscalationReason, KeyScope
from records.tables import Conversation
from serving.access import Caller
from serving.body import Body, Number
from serving.contract import conversations as contract
from serving.contract.parameters import ConversationId, From, LastEventId
from serving.conversation_events import read_cursor, written
from serving.conversation_views import conversation_view
from serving.event_stream import EventStream
from serving.gateway import Gateway, gateway_of, need, need_customer
from serving.problems import json_response
from serving.request_record import record_of
from serving.storable import Storable

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

Result = TypeVar("Result")
Name = Annotated[Storable, Field(min_length=1, max_length=200)]
_FROM_START = "start"


async def need_reader(request: Request) -> Caller:
    """Let those pass who may read conversations: customers' backends and agents' tools."""
    return await need(request, KeyScope.CUSTOMER, KeyScope.AGENT)


class ConversationBody(Body):
    """A conversation to be begun. The same `key` again gives the same conversation."""

    assistant: Name | None = None
    customer_id: Name | None = None
    key: Name | None = None


class EscalateBody(Body):
    """Why the customer asks for a person."""

    cause: Storable = Field(
        default="The customer asked for a person.", min_length=1, max_length=500
    )


class RatingBody(Body):
    """What the customer says: a thumb for one answer or for all, and 1 (bad) to 5 (good)."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["thumb"], "properties": {"thumb": {"type": "string"}}},
                {
                    "required": ["csat"],
                    "properties": {"csat": {"type": "integer"}, "turn_id": {"type": "null"}},
                },
            ]
        }
    )

    thumb: Literal["up", "down"] | None = None
    turn_id: Name | None = None
    csat: Annotated[int, Field(strict=False, ge=1, le=5), Number] | None = None
    comment: Annotated[Storable, Field(max_length=4000)] | None = None


@router.post("", dependencies=[Depends(need_customer)], **contract.CREATE)
async def create_conversation(request: Request, body: ConversationBody | None = None) -> Response:
    """Begin a conversation before its first turn."""
    gateway = gateway_of(request)
    asked = body or ConversationBody()
    assistant = pick_assistant(dict(gateway.assistants), asked.assistant).name

    def create(session: Session) -> tuple[dict[str, Any], bool]:
        made, new = conversations.create(
            session, assistant=assistant, customer=asked.customer_id, key=asked.key
        )
        names = ("id", "assistant", "key", "customer", "state")
        return {name: getattr(made, name) for name in names}, new

    view, new = await gateway.recorder.write(create)
    return json_response(view, status=201 if new else 200)


@router.get("/{conversation_id}", **contract.GET)
async def get_conversation(
    request: Request,
    conversation_id: ConversationId,
    caller: Annotated[Caller, Depends(need_reader)],
) -> Response:
    """All turns of a conversation, the agent's included, and who is expected to speak."""
    for_agents = caller.may(KeyScope.AGENT)

    def view(session: Session) -> tuple[dict[str, Any], int | None]:
        last = events.last(session, find(session, conversation_id).id)
        # Read after the event's number, so that going on from it leaves nothing out.
        found = find(session, conversation_id)
        session.refresh(found)
        turns = conversations.history(session, found.id)
        waits = any(turn.waits_for_its_reader for turn in turns)
        shown = conversation_view(
            found,
            turns,
            escalation=conversations.open_escalation(session, found.id),
            last_event=last.seq if last else 0,
            for_agents=for_agents,
        )
        return shown, turns[-1].position if waits else None

    gateway = gateway_of(request)
    answer, read = await _read(gateway, view)
    response = json_response(answer)
    if caller.is_customers and read is not None:  # told once the answer is sent
        response.background = BackgroundTask(gateway.receipts.had, answer["id"], read)
    return response


@router.get("/{conversation_id}/events", **contract.FOLLOW)
async def follow_conversation(
    request: Request,
    conversation_id: ConversationId,
    caller: Annotated[Caller, Depends(need_reader)],
    last_event_id: LastEventId = None,
    from_: From = None,
) -> Response:
    """Everything that happens, as events: `turn`, `edited`, `removed`, `state`, `typing`.

    From now on, after what an agent said that no client of the customer's had yet; or from
    `?from=start`, or `?from=` a conversation's `cursor`. A client that comes back with
    `Last-Event-ID` gets all that it missed.
    """
    gateway = gateway_of(request)
    gateway.feed.require_room()
    start = None if from_ is None else _cursor(from_, field="from")
    after = _cursor(last_event_id, field="Last-Event-ID") if last_event_id else start

    def begin(session: Session) -> tuple[str, ConversationState, Cursor, bool]:
        found = find(session, conversation_id)
        end = events.end(session, found.id)
        waits = delivery.first_waiting(session, found.id) if caller.is_customers else None
        if after is not None and (after.position > end.position or after.seq > end.seq):
            raise Conflict(
                f"Last-Event-ID {written(after)} is not of this conversation, which has come to "
                f"{written(end)}."
            )
        if after is None:  # what an agent said while nobody was there is not passed over
            now = end if waits is None else Cursor(waits - 1, end.seq)
            return found.id, found.state, now, False
        return found.id, found.state, after, waits is not None and waits <= after.position

    name, state, cursor, had_before = await _read(gateway, begin)
    record_of(request.scope).conversation = name
    if had_before:  # by its cursor, the client has what was not noted when it was sent
        gateway.receipts.had(name, cursor.position)
    had = gateway.receipts.had if caller.is_customers else None
    return EventStream(gateway.feed, name, state=state, cursor=cursor, had=had)


@router.post(
    "/{conversation_id}/escalate", dependencies=[Depends(need_customer)], **contract.ESCALATE
)
async def escalate_conversation(
    request: Request, conversation_id: ConversationId, body: EscalateBody | None = None
) -> Response:
    """Hand a conversation to a person because the customer asks for one.

    `message` is what to show the customer; it says so where nobody works at this hour.
    """
    cause = (body or EscalateBody()).cause
    assistants = gateway_of(request).assistants

    def escalate(session: Session) -> tuple[dict[str, Any], str | None]:
        found = find(session, conversation_id)
        before = conversations.open_escalation(session, found.id)
        escalation = escalations.escalate(
            session, found.id, reason=EscalationReason.CUSTOMER, cause=cause
        )
        view = {
            "conversation_id": found.id,
            "escalation_id": escalation.id,
            "state": found.state,
            "reason": escalation.reason,
        }
        if found.assistant in assistants:
            view["message"] = assistants[found.assistant].handover_words(utc_now())
        return view, None if before else found.assistant

    done, newly_of = await gateway_of(request).recorder.write(escalate)
    tell(request, done["conversation_id"])
    if newly_of is not None:
        tell_escalation(request, assistant=newly_of, reason=EscalationReason.CUSTOMER)
    return json_response(done)


@router.post("/{conversation_id}/rating", dependencies=[Depends(need_customer)], **contract.RATE)
async def rate_conversation(
    request: Request, conversation_id: ConversationId, body: RatingBody
) -> Response:
    """Record what the customer thinks; a later rating takes the place of an earlier one."""
    if body.thumb is None and body.csat is None:
        raise InvalidInput("Send thumb (up or down), or csat (1 to 5), or both.", field="thumb")
    if body.turn_id is not None and body.thumb is None:
        raise InvalidInput("turn_id says what a thumb is about: send thumb too.", field="thumb")
    rating = Rating(
        thumb_up=None if body.thumb is None else body.thumb == "up",
        csat=body.csat,
        turn_id=body.turn_id,
        comment=body.comment,
    )

    def rate(session: Session) -> dict[str, Any]:
        found = find(session, conversation_id)
        rows = outcomes.rate(session, found.id, rating)
        return {"conversation_id": found.id, **{row.metric: row.value for row in rows}}

    done = await gateway_of(request).recorder.write(rate)
    record_of(request.scope).conversation = done["conversation_id"]
    return json_response(done)


def tell(request: Request, conversation_id: str) -> None:
    """Tell streams and the log of a conversation in which something was recorded."""
    record_of(request.scope).conversation = conversation_id
    gateway_of(request).feed.wrote(conversation_id)


def tell_escalation(request: Request, *, assistant: str, reason: EscalationReason) -> None:
    """Tell metrics and the log that a conversation has gone to a person."""
    record_of(request.scope).escalated = reason
    gateway_of(request).observing.metrics.escalated(assistant=assistant, reason=reason)


def find(session: Session, name: str) -> Conversation:
    """A conversation by our id, or by the caller's own key where that names one only.

    Raises:
        NotFound: there is none, or the key names several.
    """
    found = session.get(Conversation, name)
    if found is None:
        named = session.scalars(select(Conversation).where(Conversation.key == name).limit(2)).all()
        if len(named) != 1:
            raise NotFound(f"No conversation {name!r}.")
        found = named[0]
    return found


def _cursor(text: str, *, field: str) -> Cursor:
    return Cursor() if text == _FROM_START else read_cursor(text, field=field)


async def _read(gateway: Gateway, query: Callable[[Session], Result]) -> Result:
    def read() -> Result:
        with gateway.database.read() as session:
            return query(session)

    return await asyncio.to_thread(read)
