"""What a customer says in a conversation, answered: as events while it is made, or in one piece."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from records.states import KeyScope
from serving.access import Caller
from serving.answer_form import TurnForm
from serving.body import Body
from serving.chat_endpoint import open_for, override_of, send_answer
from serving.chat_request import ChatRequest
from serving.contract import conversations as contract
from serving.contract.parameters import ConversationId
from serving.conversation_routes import find
from serving.draft import Draft
from serving.gateway import Gateway, gateway_of, need
from serving.request_record import record_of
from serving.storable import Words

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])


async def _customer(request: Request) -> Caller:
    """Let customers' backends pass, and ops teams who name a version to be tried."""
    tester = "x-understudy-version" in request.headers
    scopes = (KeyScope.CUSTOMER, KeyScope.OPS) if tester else (KeyScope.CUSTOMER,)
    return await need(request, *scopes)


class TurnBody(Body):
    """What the customer says. With `stream` false the answer comes in one piece."""

    content: Words
    stream: bool = True


@router.post("/{conversation_id}/turns", **contract.ADD_TURN)
async def add_turn(
    request: Request,
    conversation_id: ConversationId,
    body: TurnBody,
    caller: Annotated[Caller, Depends(_customer)],
) -> Response:
    """Say something and get the answer: `begin`, `token` as it comes, `turn` once it is recorded.

    While an agent has the conversation, the answer is the sentence that says so; what the agent
    replies comes with the conversation's events.
    """
    gateway = gateway_of(request)
    version = override_of(request.headers.get("x-understudy-version"), caller)
    asked = await asyncio.to_thread(_asked, gateway, conversation_id, body)
    return _Answer(gateway, asked, caller, version=version)


def _asked(gateway: Gateway, name: str, body: TurnBody) -> ChatRequest:
    """The same as a chat request for a conversation that is known.

    Raises:
        NotFound: it is not.
    """
    with gateway.database.read() as session:
        found = find(session, name)
        return ChatRequest(
            model=found.assistant,
            messages=({"role": "user", "content": body.content},),
            question=body.content,
            asks_anew=True,
            earlier=(),
            stream=body.stream,
            conversation=found.id,
            customer=found.customer,
        )


class _Answer(Response):
    """The answer to one turn, made while it is sent."""

    def __init__(
        self, gateway: Gateway, asked: ChatRequest, caller: Caller, *, version: str | None
    ) -> None:
        super().__init__()
        self._gateway, self._asked, self._caller = gateway, asked, caller
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless the client leaves before."""
        gateway, asked = self._gateway, self._asked
        with gateway.admission.admit(self._caller, asked.customer) as entry:
            dialogue = await open_for(gateway, asked, version=self._version)
            record_of(scope).assistant = dialogue.assistant.name
            await send_answer(gateway, dialogue, _events_of, entry.headers, receive, send)


def _events_of(_draft: Draft) -> TurnForm:
    return TurnForm()
