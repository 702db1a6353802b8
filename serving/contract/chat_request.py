"""The JSON Schema of what a client may ask of chat completions.

Written by hand, because requests are checked by hand (`serving.parameters`, `chat_messages`): a
test holds the two against each other.
"""

from collections.abc import Mapping
from typing import Any

from serving.chat_messages import MOST_CALLS
from serving.chat_request import LONGEST_KEY
from serving.contract.operation import Schema, reference
from serving.parameters import (
    CHOICES,
    EFFORTS,
    FORMATS,
    LONGEST_STOP,
    MOST_BIASES,
    MOST_MESSAGES,
    MOST_STOPS,
    MOST_TOKENS,
    MOST_TOOLS,
)
from serving.storable import WITH_WORDS, WITHOUT_NUL

Fields = dict[str, Any]


def _text(description: str = "", **more: Any) -> Fields:
    return {"type": "string", **_about(description), **more}


def _object(properties: Mapping[str, Any], *required: str, **more: Any) -> Fields:
    return {"type": "object", "required": list(required), "properties": properties, **more}


def _about(description: str) -> Fields:
    return {"description": description} if description else {}


def _nullable(schema: Fields) -> Fields:
    return {**schema, "type": [schema["type"], "null"]}


def _number(low: float, high: float, description: str = "") -> Fields:
    return {"type": ["number", "null"], "minimum": low, "maximum": high, **_about(description)}


def _above_zero(high: float, description: str = "") -> Fields:
    return {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": high,
        **_about(description),
    }


def _integer(low: int, high: int = MOST_TOKENS, description: str = "") -> Fields:
    return {"type": ["integer", "null"], "minimum": low, "maximum": high, **_about(description)}


def _flag(description: str = "") -> Fields:
    return {"type": ["boolean", "null"], **_about(description)}


def _either(*schemas: Fields, description: str = "") -> Fields:
    return {"anyOf": [*schemas, {"type": "null"}], **_about(description)}


def _content(pattern: str) -> Fields:
    part = _object({"type": {"const": "text"}, "text": _text(pattern=WITHOUT_NUL)}, "text")
    parts: Fields = {"type": "array", "minItems": 1, "items": part}
    if pattern != WITHOUT_NUL:
        parts["contains"] = _object({"text": _text(pattern=pattern)}, "text")
    return {"anyOf": [_text(pattern=pattern), parts]}


_KEY = _nullable(_text(maxLength=LONGEST_KEY, pattern=WITHOUT_NUL))
_NAME = {"name": _nullable(_text("Passed on to the model."))}
_CALL = _object(
    {
        "id": _text(),
        "type": {"const": "function"},
        "function": _object({"name": _text(), "arguments": _text("As JSON.")}, "name", "arguments"),
    },
    "id",
    "type",
    "function",
)
_CALLS: Fields = {"type": "array", "maxItems": MOST_CALLS, "items": _CALL}
_ASSISTANT_SAYS = _object(
    {
        "role": {"const": "assistant"},
        "content": _content(WITHOUT_NUL),
        "tool_calls": _nullable(_CALLS),
        **_NAME,
    },
    "role",
    "content",
)
_ASSISTANT_CALLS = _object(
    {
        "role": {"const": "assistant"},
        "content": {"enum": [None, ""]},
        "tool_calls": {**_CALLS, "minItems": 1},
        **_NAME,
    },
    "role",
    "tool_calls",
)
_MESSAGES: Mapping[str, Schema] = {
    "SystemMessage": _object(
        {"role": {"enum": ["system", "developer"]}},
        "role",
        description="Left out: an assistant brings its own prompt.",
    ),
    "UserMessage": _object(
        {"role": {"const": "user"}, "content": _content(WITHOUT_NUL), **_NAME}, "role", "content"
    ),
    "AssistantMessage": {"anyOf": [_ASSISTANT_SAYS, _ASSISTANT_CALLS]},
    "ToolMessage": _object(
        {"role": {"const": "tool"}, "tool_call_id": _text(), "content": _content(WITHOUT_NUL)},
        "role",
        "tool_call_id",
        "content",
    ),
}
_QUESTION = _object({"role": {"const": "user"}, "content": _content(WITH_WORDS)}, "role", "content")
_FUNCTION = _object(
    {
        "name": _text(),
        "description": _nullable(_text()),
        "parameters": {"type": ["object", "null"], "description": "A JSON Schema."},
        "strict": _flag(),
    },
    "name",
)
_TOOL = _object({"type": {"const": "function"}, "function": _FUNCTION}, "type", "function")
_FORMAT: Fields = {
    "anyOf": [
        _object({"type": {"enum": sorted(FORMATS - {"json_schema"})}}, "type"),
        _object(
            {
                "type": {"const": "json_schema"},
                "json_schema": _object(
                    {
                        "name": _text(),
                        "description": _nullable(_text()),
                        "schema": {"type": ["object", "null"]},
                        "strict": _flag(),
                    },
                    "name",
                ),
            },
            "type",
            "json_schema",
        ),
    ]
}
_STOP = _text(minLength=1, maxLength=LONGEST_STOP)
_EMPTY: Fields = {"type": "array", "maxItems": 0}  # what PHP makes of an empty object

PARAMETERS: Mapping[str, Schema] = {
    "frequency_penalty": _number(-2, 2),
    "ignore_eos": _flag("vLLM's."),
    "logit_bias": _nullable(
        {
            "type": "object",
            "maxProperties": MOST_BIASES,
            "patternProperties": {"^[0-9]+$": {"type": "number", "minimum": -100, "maximum": 100}},
            "additionalProperties": False,
        }
    ),
    "max_completion_tokens": _integer(1),
    "max_tokens": _integer(1, description="The assistant's own limit where left out."),
    "min_p": _number(0, 1, "vLLM's."),
    "min_tokens": _integer(0, description="vLLM's; not more than `max_tokens`."),
    "parallel_tool_calls": _flag(),
    "presence_penalty": _number(-2, 2),
    "reasoning_effort": {"enum": [*sorted(EFFORTS), None]},
    "repetition_penalty": _above_zero(100, "vLLM's."),
    "response_format": _either(_FORMAT, description="What the answer must look like."),
    "seed": _integer(-(2**63), 2**63 - 1),
    "stop": _either(_STOP, {"type": "array", "maxItems": MOST_STOPS, "items": _STOP}),
    "structured_outputs": {"type": ["object", "null"], "description": "vLLM's."},
    "temperature": _number(0, 2),
    "tool_choice": _either({"enum": sorted(CHOICES)}, _TOOL),
    "tools": {"type": ["array", "null"], "minItems": 1, "maxItems": MOST_TOOLS, "items": _TOOL},
    "top_k": _integer(-1, description="vLLM's."),
    "top_p": _above_zero(1),
}
"""What is passed on to the engine; left out or null, the assistant's own values count."""

_METADATA = _object(
    {
        "conversation_id": {**_KEY, "description": "As the header X-Conversation-Id."},
        "customer_id": {**_KEY, "description": "As the header X-Customer-Id."},
    }
)

REQUEST: Schema = _object(
    {
        "model": _text("The assistant's name.", minLength=1),
        "messages": {
            "type": "array",
            "minItems": 1,
            # No maxItems: beside `contains` it keeps test generators busy for minutes.
            "description": "The dialogue, or the newest message of a conversation that is known: "
            f"the recorded history is then put before it. At most {MOST_MESSAGES:,} messages.",
            "items": {"anyOf": [reference(name) for name in _MESSAGES]},
            "contains": _QUESTION,
        },
        "stream": _flag("Whether the answer comes as events while it is made."),
        "stream_options": _either(
            _object({"include_usage": _flag("An event with the counts of tokens, last.")}), _EMPTY
        ),
        "n": {"enum": [1, None], "description": "A customer gets one answer."},
        "user": {**_KEY, "description": "Who asks, where nothing else says so."},
        "metadata": _either(_METADATA, _EMPTY, description="Who asks, in which conversation."),
        **PARAMETERS,
    },
    "model",
    "messages",
    description="OpenAI's request. Fields that are not listed are left unread.",
)

SCHEMAS: Mapping[str, Schema] = {"ChatCompletionRequest": REQUEST, **_MESSAGES}
