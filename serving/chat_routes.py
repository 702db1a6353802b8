"""What customers' backends call most: OpenAI's chat completions and the list of models."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.chat_endpoint import ChatEndpoint
from serving.gateway import gateway_of, need_customer
from serving.problems import json_response

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
    return _Bare(ChatEndpoint(gateway_of(request)))


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


class _Bare(Response):
    """A bare application as a response: documented as a route, it answers for itself."""

    def __init__(self, endpoint: ChatEndpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._endpoint(scope, receive, send)
