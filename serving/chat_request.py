"""What a client asks for: OpenAI's chat request, checked only where the gateway needs it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from records.errors import InvalidInput
from records.messages import ChatMessage, Message, Role, from_chat
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

_LONGEST_KEY = 200


@dataclass(slots=True, eq=False)  # not frozen: made for each request, and four times as costly
class ChatRequest:
    """A request for one answer."""

    model: str
    messages: tuple[ChatMessage, ...]
    """The client's messages without system prompts: an assistant brings its own."""
    question: str
    """The customer's newest message."""
    asks_anew: bool
    """Whether that message is the last one (after a tool's result it is not)."""
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
    if body.get("n") not in (None, 1):
        raise InvalidInput("n must be 1: a customer gets one answer.", field="n")
    check_parameters(body)
    messages, words = _messages(body.get("messages"))
    asked = max(i for i, m in enumerate(words) if m.role is Role.CUSTOMER)
    options = body.get("stream_options") or {}
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict) or not isinstance(options, dict):
        raise InvalidInput("metadata and stream_options must be objects.", field="metadata")
    named = headers.get("x-conversation-id") or metadata.get("conversation_id")
    customer = headers.get("x-customer-id") or metadata.get("customer_id") or body.get("user")
    return ChatRequest(
        model=model,
        messages=tuple(messages),
        question=words[asked].content,
        asks_anew=messages[-1]["role"] == "user",
        earlier=tuple(m for m in words[:asked] if m.content),
        parameters={k: v for k, v in body.items() if k in PASSED_THROUGH and v is not None},
        stream=_flag(body, "stream"),
        include_usage=_flag(options, "include_usage"),
        conversation=_key(named, field="conversation_id"),
        customer=_key(customer, field="customer_id"),
    )


def _messages(raw: Any) -> tuple[list[ChatMessage], list[Message]]:
    if not isinstance(raw, list) or not raw:
        raise InvalidInput("messages must be a list with at least one message.", field="messages")
    kept: list[ChatMessage] = []
    words: list[Message] = []
    for index, item in enumerate(raw):
        if isinstance(item, dict) and _is_of_tools(item):
            kept.append(item)
            continue
        try:
            said = from_chat([item])
        except InvalidInput as error:
            name = f"messages[{index}]"
            message = str(error).replace("messages[0]", name)
            raise InvalidInput(message, field=(error.field or "").replace("messages[0]", name)) \
                from error  # fmt: skip
        if said:
            words += said
            kept.append({**item, "content": said[0].content})
    if not any(m.role is Role.CUSTOMER and m.content.strip() for m in words):
        raise InvalidInput("messages must hold a message of the user with text.", field="messages")
    if kept[-1]["role"] not in ("user", "tool"):
        raise InvalidInput("The last message must be the user's.", field="messages")
    return kept, words


def _is_of_tools(message: ChatMessage) -> bool:
    """Whether a message is a tool's result, or an answer that only calls tools."""
    role = message.get("role")
    calls = message.get("tool_calls") and not message.get("content")
    return role == "tool" or (role == "assistant" and bool(calls))


def _flag(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"{name} must be true or false.", field=name)
    return bool(value)


def _key(value: Any, *, field: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_KEY or "\x00" in value:
        raise InvalidInput(f"{field} must be a text of at most {_LONGEST_KEY} characters.",
                           field=field)  # fmt: skip
    return value
