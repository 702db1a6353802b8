"""What customers' backends call most: OpenAI's chat completions and the list of models."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from records.assistant import Assistant
from serving.chat_endpoint import ChatEndpoint, assistant_for
from serving.contract import chat as contract
from serving.contract.parameters import ModelId
from serving.gateway import gateway_of, need_customer
from serving.problems import json_response

router = APIRouter(tags=["chat"])


@router.post("/v1/chat/completions", **contract.CREATE)
async def create_chat_completion(request: Request) -> Response:
    """Answer a customer, in OpenAI's form, streamed or not."""
    return _Bare(ChatEndpoint(gateway_of(request)))


@router.get("/v1/models", dependencies=[Depends(need_customer)], **contract.MODELS)
async def list_models(request: Request) -> Response:
    """The assistants, as models in OpenAI's form."""
    assistants = gateway_of(request).assistants.values()
    return json_response({"object": "list", "data": [_model(one) for one in assistants]})


@router.get("/v1/models/{model_id}", dependencies=[Depends(need_customer)], **contract.MODEL)
async def get_model(request: Request, model_id: ModelId) -> Response:
    """One assistant, as a model in OpenAI's form."""
    return json_response(_model(assistant_for(gateway_of(request), model_id)))


def _model(assistant: Assistant) -> dict[str, Any]:
    return {
        "id": assistant.name,
        "object": "model",
        "created": 0,
        "owned_by": "understudy",
        "description": assistant.description,
    }


class _Bare(Response):
    """A bare application as a response: documented as a route, it answers for itself."""

    def __init__(self, endpoint: ChatEndpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._endpoint(scope, receive, send)
