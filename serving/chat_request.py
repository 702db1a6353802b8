"""What a client asks for: OpenAI's chat request, checked only where the gateway needs it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from records.errors import InvalidInput
from records.messages import ChatMessage, Message, Role
from serving.chat_messages import read_messages
from serving.parameters import check_parameters

PASSED_THROUGH = frozenset(
    {
        "frequency_penalty", "ignore_eos", "logit_bias", "max_completion_tokens", "max_tokens",
        "min_p", "min_tokens", "parallel_tool_calls", "presence_penalty", "reasoning_effort",
        "repetition_penalty", "response_format", "seed", "stop", "structured_outputs",
        "temperature", "tool_choice", "tools", "top_k", "top_p",
    }
)  # fmt: skip
"""What a client may tell the engine. Anything else, above all `model`, never reaches it."""

LONGEST_KEY = 200


@dataclass(slots=True, eq=False)  # not frozen: made for each request, and four times as costly
class ChatRequest:
    """A request for one answer."""

    model: str
    messages: tuple[ChatMessage, ...]
    """The client's messages without system prompts: an assistant brings its own."""
    question: str
    """The customer's newest message."""
    asks_anew: bool
    """Whether it waits for an answer; after a tool's result it is asked already."""
    earlier: tuple[Message, ...]
    """What was said before it, in words."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    include_usage: bool = False
    conversation: str | None = None
    customer: str | None = None

    @property
    def brings_history(self) -> bool:
        """Whether the client sent more than the customer's one message."""
        return len(self.messages) > 1


def read_request(body: Any, headers: Mapping[str, str]) -> ChatRequest:
    """Read a request's JSON body and headers.

    Raises:
        InvalidInput: with the field that cannot be used.
    """
    if not isinstance(body, dict):
        raise InvalidInput("The body must be a JSON object.")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise InvalidInput("model must be the name of an assistant.", field="model")
    if body.get("n") not in (None, 1) or body.get("n") is True:
        raise InvalidInput("n must be 1: a customer gets one answer.", field="n")
    check_parameters(body)
    messages, words = read_messages(body.get("messages"))
    asked = max(i for i, m in enumerate(words) if m.role is Role.CUSTOMER)
    options, metadata = _object(body, "stream_options"), _object(body, "metadata")
    user = _key(body, "user")
    conversation = _key(metadata, "conversation_id")
    customer = _key(metadata, "customer_id")
    return ChatRequest(
        model=model,
        messages=tuple(messages),
        question=words[asked].content,
        asks_anew=messages[-1]["role"] != "tool",
        earlier=tuple(m for m in words[:asked] if m.content),
        parameters={k: v for k, v in body.items() if k in PASSED_THROUGH and v is not None},
        stream=_flag(body, "stream"),
        include_usage=_flag(options, "include_usage"),
        conversation=_key(headers, "x-conversation-id") or conversation,
        customer=_key(headers, "x-customer-id") or customer or user,
    )


def _flag(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"{name} must be true or false.", field=name)
    return bool(value)


def _object(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = values.get(name)
    if value is None or value == []:  # what PHP makes of an empty object
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} must be an object.", field=name)
    return value


def _key(values: Mapping[str, Any], field: str) -> str | None:
    """A name that a client gives somebody or something."""
    value = values.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_KEY or "\x00" in value:
        raise InvalidInput(f"{field} must be a text of at most {LONGEST_KEY} characters.",
                           field=field)  # fmt: skip
    return value
