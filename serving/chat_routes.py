"""What customers' backends call most: OpenAI's chat completions and the list of models."""

import asyncio
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from records.errors import InvalidInput
from records.states import KeyScope
from serving.chat_request import ChatRequest, read_request
from serving.dialogue import Dialogue, Known, look_up, open_dialogue
from serving.gateway import Gateway, gateway_of, need_customer
from serving.outlet import EventStream, whole_unless_left
from serving.problems import ModelNotFound, json_response

router = APIRouter(tags=["chat"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["model", "messages"],
                    "properties": {
                        "model": {"type": "string", "description": "The assistant's name."},
                        "messages": {"type": "array", "items": {"type": "object"}},
                        "stream": {"type": "boolean"},
                        "metadata": {
                            "type": "object",
                            "properties": {
                                "conversation_id": {"type": "string"},
                                "customer_id": {"type": "string"},
                            },
                        },
                    },
                }
            }
        },
    }
}


@router.post("/v1/chat/completions", openapi_extra=_BODY, response_model=None)
async def create_chat_completion(request: Request) -> Response:
    """Answer a customer, in OpenAI's form, streamed or not."""
    gateway = gateway_of(request)
    authorization = request.headers.get("authorization")
    await gateway.access.require(authorization, KeyScope.CUSTOMER)
    asked = read_request(
        await _read_json(request, most_bytes=gateway.settings.max_body_bytes), request.headers
    )
    dialogue = await _open(gateway, asked)
    if asked.stream:
        return EventStream(partial(gateway.answering.stream, dialogue))
    reply = await whole_unless_left(gateway.answering.whole(dialogue), request)
    if reply is None:
        return Response(status_code=499)  # nobody is there to read it
    return json_response(reply.body, headers=reply.headers)


@router.get("/v1/models", dependencies=[Depends(need_customer)], response_model=None)
async def list_models(request: Request) -> Response:
    """The assistants, as models in OpenAI's form."""
    gateway = gateway_of(request)
    models = [
        {"id": name, "object": "model", "created": 0, "owned_by": "understudy",
         "description": assistant.description}
        for name, assistant in gateway.assistants.items()
    ]  # fmt: skip
    return json_response({"object": "list", "data": models})


async def _read_json(request: Request, *, most_bytes: int) -> Any:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise InvalidInput(f"The body is larger than {most_bytes} bytes.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The body is not JSON: {error}.") from error


async def _open(gateway: Gateway, asked: ChatRequest) -> Dialogue:
    assistant = gateway.assistants.get(asked.model)
    if assistant is None:
        raise ModelNotFound(
            f"The model {asked.model!r} does not exist; there are: "
            f"{', '.join(sorted(gateway.assistants))}."
        )
    known: Known | None = None
    if asked.conversation is not None:
        known = await asyncio.to_thread(_look_up, gateway, assistant.name, asked.conversation)
    return open_dialogue(
        assistant,
        asked,
        known=known,
        choose=lambda unit, pin: gateway.traffic.choose(assistant.name, unit=unit, pin=pin),
    )


def _look_up(gateway: Gateway, assistant: str, key: str) -> Known | None:
    with gateway.database.read() as session:
        return look_up(session, assistant=assistant, key=key)
