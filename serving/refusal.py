"""The engine's refusals in our own words. Pure.

What vLLM says of a request may name its options, its host's files or the customer's words, and it
changes from version to version; clients are told what they can mend.
"""

import re
from dataclasses import dataclass

from records.engine import says_too_long


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request cannot be served as it is: for the client."""

    words: str
    param: str | None = None
    code: str | None = None


_TOO_LONG = Refusal(
    "The conversation, with the answer's max_tokens, is longer than this model can hold; shorten "
    "it or ask for fewer tokens.",
    "messages",
    "context_length_exceeded",
)
_KNOWN = (
    (
        ("tool choice", "tool_choice", "tool-call-parser", "tools"),
        Refusal("This assistant's model can't use tools as asked.", "tools"),
    ),
    (
        ("grammar", "json schema", "json_schema", "jsonschema", "structured", "response_format"),
        Refusal(
            "The model can't follow this response_format; simplify its schema.", "response_format"
        ),
    ),
    (
        ("min_tokens",),
        Refusal("min_tokens must not be more than max_tokens.", "min_tokens"),
    ),
)
_NAMED = re.compile(
    r"\b(frequency_penalty|logit_bias|max_completion_tokens|max_tokens|min_p|presence_penalty|"
    r"reasoning_effort|repetition_penalty|seed|stop|temperature|top_k|top_p)\b"
)
_OTHER = Refusal("The model can't take this request as it is; check its messages and parameters.")


def reworded(message: str) -> Refusal:
    """What a client is told where the engine said `message`."""
    if says_too_long(message):
        return _TOO_LONG
    said = message.lower()
    for signs, refusal in _KNOWN:
        if any(sign in said for sign in signs):
            return refusal
    named = _NAMED.search(message)
    if named:
        name = named.group()
        return Refusal(f"The model can't use this value of {name}.", name)
    return _OTHER
