"""What a client's parameters must be before they are passed to the engine. Pure.

The engine would refuse most of this too, but in its own words, and after waiting in its queue.
Ranges are those of OpenAI's API and of vLLM, whichever is narrower.
"""

from collections.abc import Callable, Mapping
from typing import Any

from records.errors import InvalidInput

_MOST_MESSAGES = 1_000
_MOST_STOPS = 4
_MOST_TOOLS = 128
_MOST_BIASES = 1_024
_LONGEST_STOP = 1_000
_MOST_TOKENS = 2**31 - 1
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_CHOICES = frozenset({"none", "auto", "required"})
_FORMATS = frozenset({"text", "json_object", "json_schema", "structural_tag"})
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


def _integer(low: int, high: int = _MOST_TOKENS) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _above_zero(high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in _NUMBERS and 0 < value <= high


def _is_flag(value: Any) -> bool:
    return type(value) is bool


def _is_object(value: Any) -> bool:
    return type(value) is dict


def _are_messages(value: Any) -> bool:
    return type(value) is not list or len(value) <= _MOST_MESSAGES  # its type is looked at later


def _is_stop(value: Any) -> bool:
    stops = value if type(value) is list else [value]
    return len(stops) <= _MOST_STOPS and all(
        type(stop) is str and 0 < len(stop) <= _LONGEST_STOP for stop in stops
    )


def _is_bias(value: Any) -> bool:
    return (
        type(value) is dict
        and len(value) <= _MOST_BIASES
        and all(
            token.isdecimal() and token.isascii() and _bias(number)
            for token, number in value.items()
        )
    )


_bias = _number(-100, 100)


def _are_tools(value: Any) -> bool:
    return type(value) is list and 0 < len(value) <= _MOST_TOOLS and all(_is_tool(t) for t in value)


def _is_tool(value: Any) -> bool:
    return type(value) is dict and value.get("type") == "function" and _names_function(value)


def _names_function(value: dict[str, Any]) -> bool:
    function = value.get("function")
    return type(function) is dict and type(function.get("name")) is str


def _is_choice(value: Any) -> bool:
    if type(value) is str:
        return value in _CHOICES
    return type(value) is dict and _names_function(value)


def _is_format(value: Any) -> bool:
    kind = value.get("type") if type(value) is dict else None
    if type(kind) is not str or kind not in _FORMATS:
        return False
    return kind != "json_schema" or type(value.get("json_schema")) is dict


def _is_effort(value: Any) -> bool:
    return type(value) is str and value in _EFFORTS


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "messages": (_are_messages, f"a list of at most {_MOST_MESSAGES:,} messages"),
    "frequency_penalty": (_number(-2, 2), "a number from -2 to 2"),
    "ignore_eos": (_is_flag, "true or false"),
    "logit_bias": (
        _is_bias,
        f"an object of at most {_MOST_BIASES:,} token ids with numbers from -100 to 100",
    ),
    "max_completion_tokens": (_integer(1), "a whole number of at least 1"),
    "max_tokens": (_integer(1), "a whole number of at least 1"),
    "min_p": (_number(0, 1), "a number from 0 to 1"),
    "min_tokens": (_integer(0), "a whole number of at least 0"),
    "parallel_tool_calls": (_is_flag, "true or false"),
    "presence_penalty": (_number(-2, 2), "a number from -2 to 2"),
    "reasoning_effort": (_is_effort, f"one of {', '.join(sorted(_EFFORTS))}"),
    "repetition_penalty": (_above_zero(100), "a number above 0, at most 100"),
    "response_format": (
        _is_format,
        f"an object whose type is one of {', '.join(sorted(_FORMATS))}; json_schema must hold "
        "an object json_schema",
    ),
    "seed": (_integer(-(2**63), 2**63 - 1), "a whole number of at most 64 bits"),
    "stop": (
        _is_stop,
        f"a text or a list of at most {_MOST_STOPS} texts, each of 1 to {_LONGEST_STOP:,} "
        "characters",
    ),
    "structured_outputs": (_is_object, "an object"),
    "temperature": (_number(0, 2), "a number from 0 to 2"),
    "tool_choice": (_is_choice, "none, auto, required or an object that names a function"),
    "tools": (
        _are_tools,
        f"a list of 1 to {_MOST_TOOLS} objects of type function, each with a function that has "
        "a name",
    ),
    "top_k": (_integer(-1), "a whole number of at least -1"),
    "top_p": (_above_zero(1), "a number above 0, at most 1"),
}
"""By field: what it must be, as a check and in words."""
