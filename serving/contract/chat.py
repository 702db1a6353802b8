"""What chat completions and the list of models promise: OpenAI's bodies, and what is added."""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from records.states import EscalationReason, KeyScope, TurnStatus
from serving.contract.chat_request import SCHEMAS as REQUEST_SCHEMAS
from serving.contract.operation import JSON, Schema, Shown, named, reference, told
from serving.contract.parameters import in_header
from serving.contract.streams import chunks

_CONVERSATION = "conv_01m86eb5mkaajk1cehnt8n4f8s"
_TURN = "turn_01m86eb5ns2ff35rgeqs7d0fjh"


class About(Shown):
    """What Understudy adds to an answer."""

    conversation_id: str = Field(description="To be sent with the next turn.")
    turn_id: str = Field(description="Names the answer, for ratings and explanations.")
    version: str | None = Field(description="What answered; null for a fixed sentence.")
    escalated: bool = Field(description="Whether a person has been asked, or has taken over.")
    escalation_id: str | None
    reason: EscalationReason | None = Field(description="Why a person was asked by this turn.")
    status: TurnStatus | None = Field(
        description="How the answer came about; null where it has only begun."
    )


class Function(Shown):
    """What a tool is called with."""

    model_config = ConfigDict(extra="allow")
    name: str
    arguments: str = Field(description="As JSON, as the model wrote it.")


class ToolCall(Shown):
    """A call of one of the client's tools."""

    model_config = ConfigDict(extra="allow")
    id: str
    type: str
    function: Function


class Answer(Shown):
    """The assistant's message."""

    role: str = Field(json_schema_extra={"const": "assistant"})
    content: str | None = Field(description="Null where it only calls tools.")
    tool_calls: list[ToolCall] | None = None


class Choice(Shown):
    """The only answer."""

    index: int = Field(json_schema_extra={"const": 0})
    message: Answer
    logprobs: None
    finish_reason: str = Field(description="`stop`, `length`, `tool_calls` or another of vLLM's.")


class Usage(Shown):
    """Tokens as the engine counted them; zeros where it was not asked."""

    model_config = ConfigDict(extra="allow")
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(Shown):
    """An answer in one piece, in OpenAI's form."""

    id: str
    object: str = Field(json_schema_extra={"const": "chat.completion"})
    created: int = Field(description="Seconds since 1970.")
    model: str = Field(description="The assistant's name.")
    choices: list[Choice] = Field(min_length=1, max_length=1)
    usage: Usage
    understudy: About


class Delta(Shown):
    """What is new in a piece of an answer."""

    role: str | None = None
    content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ChunkChoice(Shown):
    """The only answer's piece."""

    index: int = Field(json_schema_extra={"const": 0})
    delta: Delta
    logprobs: None
    finish_reason: str | None = Field(description="Of the last piece only.")


class ChatCompletionChunk(Shown):
    """A piece of an answer.

    The first one and the last one carry `understudy`. With `stream_options.include_usage` one
    without choices follows, which carries `usage`.
    """

    id: str
    object: str = Field(json_schema_extra={"const": "chat.completion.chunk"})
    created: int
    model: str
    choices: list[ChunkChoice] = Field(max_length=1)
    usage: Usage | None = None
    understudy: About | None = None


class Model(Shown):
    """An assistant, as a model in OpenAI's form."""

    id: str = Field(description="The assistant's name.")
    object: str = Field(json_schema_extra={"const": "model"})
    created: int
    owned_by: str
    description: str


class ModelList(Shown):
    """All assistants."""

    object: str = Field(json_schema_extra={"const": "list"})
    data: list[Model]


_ABOUT = {
    "conversation_id": _CONVERSATION,
    "turn_id": _TURN,
    "version": "support-3f9c2a71d0e4",
    "escalated": False,
    "escalation_id": None,
    "reason": None,
    "status": "complete",
}
_HANDED_OVER = {
    **_ABOUT,
    "escalated": True,
    "escalation_id": "esc_01m86eb5qj6zcztn83efqmtqyz",
    "reason": "model",
    "status": "fallback",
}


def _completion(
    message: Mapping[str, Any], *, about: Mapping[str, Any] = _ABOUT, finish_reason: str = "stop"
) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", **message},
        "logprobs": None,
        "finish_reason": finish_reason,
    }
    return {
        "id": f"chatcmpl-{_TURN}",
        "object": "chat.completion",
        "created": 1772359200,
        "model": "support",
        "choices": [choice],
        "usage": {"prompt_tokens": 31, "completion_tokens": 6, "total_tokens": 37},
        "understudy": about,
    }


_CALL = {
    "id": "call_7",
    "type": "function",
    "function": {"name": "find_order", "arguments": '{"number": "A-17"}'},
}
_TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Where an order is.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "string"}},
            "required": ["number"],
        },
    },
}
_ASKED = {
    "plain": {"model": "support", "messages": [{"role": "user", "content": "Where is my card?"}]},
    "next turn of a conversation, streamed": {
        "model": "support",
        "messages": [{"role": "user", "content": "And the PIN?"}],
        "metadata": {"conversation_id": "chat-7", "customer_id": "ada"},
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "with the client's own history": {
        "model": "support",
        "messages": [
            {"role": "user", "content": "Where is my card?"},
            {"role": "assistant", "content": "It is on its way."},
            {"role": "user", "content": [{"type": "text", "text": "Since when?"}]},
        ],
        "user": "ada",
        "temperature": 0,
        "max_tokens": 64,
        "stop": ["\n\n"],
    },
    "a tool's result": {
        "model": "support",
        "messages": [
            {"role": "user", "content": "Where is order A-17?"},
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            {"role": "tool", "tool_call_id": "call_7", "content": '{"state": "posted"}'},
        ],
        "tools": [_TOOL],
        "tool_choice": "auto",
    },
    "an answer of a given form": {
        "model": "support",
        "messages": [{"role": "user", "content": "Is it urgent?"}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "urgency",
                "schema": {
                    "type": "object",
                    "properties": {"urgent": {"type": "boolean"}},
                    "required": ["urgent"],
                },
            },
        },
    },
}
_STREAM = (
    f'data: {{"id":"chatcmpl-{_TURN}","object":"chat.completion.chunk","created":1772359200,'
    '"model":"support","choices":[{"index":0,"delta":{"content":"It is on its way."},'
    '"logprobs":null,"finish_reason":null}]}\n\ndata: [DONE]\n\n'
)
_HEADERS = {
    "X-Understudy-Conversation": {
        "description": "The conversation's id.",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Understudy-Turn": {
        "description": "The answer's id.",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Understudy-Version": {
        "description": "What answered; left out for a fixed sentence.",
        "schema": {"type": "string"},
    },
    "X-RateLimit-Limit-Requests": {
        "description": "The scarcer share of requests a minute, where there is one.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Remaining-Requests": {
        "description": "What is left of it.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Reset-Requests": {
        "description": "When it is whole again, such as `6m0s` or `20ms`.",
        "schema": {"type": "string"},
    },
}
ANSWER_HEADERS = _HEADERS

CREATE = told(
    scopes=(KeyScope.CUSTOMER,),
    answer=ChatCompletion,
    examples={
        "an answer": _completion({"content": "It is on its way."}),
        "a person is called": _completion(
            {"content": "A colleague will reply here."}, about=_HANDED_OVER
        ),
        "a call of a tool": _completion(
            {"content": None, "tool_calls": [_CALL]}, finish_reason="tool_calls"
        ),
    },
    content=chunks("ChatCompletionChunk", "Error", end="[DONE]", example=_STREAM),
    errors=(404, 409),
    headers=_HEADERS,
    links={
        "conversation": {
            "operationId": "get_conversation",
            "parameters": {"conversation_id": "$response.body#/understudy/conversation_id"},
        },
        "explanation": {
            "operationId": "explain",
            "parameters": {"turn_id": "$response.body#/understudy/turn_id"},
        },
    },
)
CREATE["openapi_extra"] |= {
    "parameters": [
        in_header(
            "X-Conversation-Id",
            "The conversation that goes on: its id, or a name of yours, with which one begins.",
            "chat-7",
        ),
        in_header("X-Customer-Id", "Who asks: your name for them, never an address.", "ada"),
        in_header("X-Understudy-Version", "For testers, with a key of scope `ops`.", None),
    ],
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": reference("ChatCompletionRequest"), "examples": named(_ASKED)}
        },
    },
}

_MODEL = {
    "id": "support",
    "object": "model",
    "created": 0,
    "owned_by": "understudy",
    "description": "Answers questions about cards and accounts.",
}
MODELS = told(
    scopes=(KeyScope.CUSTOMER,),
    answer=ModelList,
    examples={"one assistant": {"object": "list", "data": [_MODEL]}},
)
MODEL = told(
    scopes=(KeyScope.CUSTOMER,), answer=Model, examples={"an assistant": _MODEL}, errors=(404,)
)

SHOWN: tuple[type[Shown], ...] = (ChatCompletionChunk,)
"""Models that only events carry."""
SCHEMAS: Mapping[str, Schema] = REQUEST_SCHEMAS
