"""What a client's parameters must be before they are passed to the engine. Pure.

The engine would refuse most of this too, but in its own words, and after waiting in its queue.
Ranges are those of OpenAI's API and of vLLM, whichever is narrower.
"""

from collections.abc import Callable, Mapping
from typing import Any

from records.errors import InvalidInput

MOST_MESSAGES = 1_000
MOST_STOPS = 4
MOST_TOOLS = 128
MOST_BIASES = 1_024
LONGEST_STOP = 1_000
MOST_TOKENS = 2**31 - 1
EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
CHOICES = frozenset({"none", "auto", "required"})
FORMATS = frozenset({"text", "json_object", "json_schema", "structural_tag"})
_NUMBERS = frozenset({int, float})  # not bool, though Python calls it an int


def check_parameters(body: Mapping[str, Any]) -> None:
    """See that the parameters among a request's fields have usable types and values.

    Fields that are left out or null are fine, and so are those that are not passed on.

    Raises:
        InvalidInput: with the field that cannot be used.
    """
    for name, value in body.items():
        rule = _RULES.get(name)
        if rule is not None and value is not None and not rule[0](value):
            raise InvalidInput(f"{name} must be {rule[1]}.", field=name)


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in _NUMBERS and low <= value <= high


def _integer(low: int, high: int = MOST_TOKENS) -> Callable[[Any], bool]:
    def is_integer(value: Any) -> bool:
        if type(value) is float:  # JSON has one kind of number: 5.0 is 5
            return value.is_integer() and low <= value <= high
        return type(value) is int and low <= value <= high

    return is_integer


def _above_zero(high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in _NUMBERS and 0 < value <= high


def _is_flag(value: Any) -> bool:
    return type(value) is bool


def _is_object(value: Any) -> bool:
    return type(value) is dict


def _are_messages(value: Any) -> bool:
    return type(value) is not list or len(value) <= MOST_MESSAGES  # its type is looked at later


def _is_stop(value: Any) -> bool:
    stops = value if type(value) is list else [value]
    return len(stops) <= MOST_STOPS and all(
        type(stop) is str and 0 < len(stop) <= LONGEST_STOP for stop in stops
    )


def _is_bias(value: Any) -> bool:
    return (
        type(value) is dict
        and len(value) <= MOST_BIASES
        and all(
            token.isdecimal() and token.isascii() and _bias(number)
            for token, number in value.items()
        )
    )


_bias = _number(-100, 100)


def _are_tools(value: Any) -> bool:
    return type(value) is list and 0 < len(value) <= MOST_TOOLS and all(_is_tool(t) for t in value)


def _is_tool(value: Any) -> bool:
    return type(value) is dict and value.get("type") == "function" and _names_function(value)


def _names_function(value: dict[str, Any]) -> bool:
    function = value.get("function")
    return (
        type(function) is dict
        and type(function.get("name")) is str
        and all(_may_be(function.get(name), kind) for name, kind in _FUNCTION.items())
    )


def _may_be(value: Any, kind: type) -> bool:
    return value is None or type(value) is kind


_FUNCTION = {"description": str, "parameters": dict, "strict": bool}
"""What else a function may have, but need not."""


def _is_choice(value: Any) -> bool:
    if type(value) is str:
        return value in CHOICES
    return _is_tool(value)


def _is_format(value: Any) -> bool:
    kind = value.get("type") if type(value) is dict else None
    if type(kind) is not str or kind not in FORMATS:
        return False
    return kind != "json_schema" or _is_schema(value.get("json_schema"))


def _is_schema(value: Any) -> bool:
    return (
        type(value) is dict
        and type(value.get("name")) is str
        and all(_may_be(value.get(name), kind) for name, kind in _SCHEMA.items())
    )


_SCHEMA = {"description": str, "schema": dict, "strict": bool}


def _is_effort(value: Any) -> bool:
    return type(value) is str and value in EFFORTS


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "messages": (_are_messages, f"a list of at most {MOST_MESSAGES:,} messages"),
    "frequency_penalty": (_number(-2, 2), "a number from -2 to 2"),
    "ignore_eos": (_is_flag, "true or false"),
    "logit_bias": (
        _is_bias,
        f"an object of at most {MOST_BIASES:,} token ids with numbers from -100 to 100",
    ),
    "max_completion_tokens": (_integer(1), "a whole number of at least 1"),
    "max_tokens": (_integer(1), "a whole number of at least 1"),
    "min_p": (_number(0, 1), "a number from 0 to 1"),
    "min_tokens": (_integer(0), "a whole number of at least 0"),
    "parallel_tool_calls": (_is_flag, "true or false"),
    "presence_penalty": (_number(-2, 2), "a number from -2 to 2"),
    "reasoning_effort": (_is_effort, f"one of {', '.join(sorted(EFFORTS))}"),
    "repetition_penalty": (_above_zero(100), "a number above 0, at most 100"),
    "response_format": (
        _is_format,
        f"an object whose type is one of {', '.join(sorted(FORMATS))}; json_schema must hold "
        "an object json_schema with a name",
    ),
    "seed": (_integer(-(2**63), 2**63 - 1), "a whole number of at most 64 bits"),
    "stop": (
        _is_stop,
        f"a text or a list of at most {MOST_STOPS} texts, each of 1 to {LONGEST_STOP:,} characters",
    ),
    "structured_outputs": (_is_object, "an object"),
    "temperature": (_number(0, 2), "a number from 0 to 2"),
    "tool_choice": (
        _is_choice,
        "none, auto, required or an object of type function that names one",
    ),
    "tools": (
        _are_tools,
        f"a list of 1 to {MOST_TOOLS} objects of type function, each with a function that has "
        "a name, and may have description, parameters and strict",
    ),
    "top_k": (_integer(-1), "a whole number of at least -1"),
    "top_p": (_above_zero(1), "a number above 0, at most 1"),
}
"""By field: what it must be, as a check and in words."""
