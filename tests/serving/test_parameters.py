"""What a client's parameters must be."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import InvalidInput
from serving.chat_request import PASSED_THROUGH
from serving.parameters import _RULES, check_parameters

TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
WORDS = st.text() | st.sampled_from(["type", "function", "name", "json_schema", "1", "auto"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -0.1), ("temperature", 2.1), ("temperature", "hot"), ("temperature", True),
        ("temperature", float("nan")), ("top_p", 0), ("top_p", 1.01), ("top_p", []),
        ("max_tokens", 0), ("max_tokens", 1.5), ("max_tokens", "10"), ("max_tokens", 10**20),
        ("max_completion_tokens", -1), ("stop", 3), ("stop", ["a"] * 5), ("stop", [1]),
        ("stop", ""), ("stop", [""]), ("stop", "x" * 1_001), ("tools", {}), ("tools", []),
        ("tools", ["look_up"]), ("tools", [{"type": "function"}]), ("tools", [TOOL] * 129),
        ("tools", [{"type": "function", "function": {"name": 3}}]), ("tool_choice", "always"),
        ("tool_choice", {"type": "function"}), ("response_format", "json"),
        ("response_format", {"type": "xml"}), ("response_format", {"type": "json_schema"}),
        ("response_format", {"type": "json_schema", "json_schema": {}}),
        ("tools", [{"type": "function", "function": {"name": "a", "parameters": []}}]),
        ("tool_choice", {"function": {"name": "a"}}),
        ("response_format", {}), ("response_format", {"type": []}), ("seed", 1.5),
        ("seed", 2**63), ("logit_bias", []), ("logit_bias", {"a": 1}), ("logit_bias", {"1": 101}),
        ("logit_bias", {"1": True}), ("logit_bias", {str(i): 1 for i in range(1_025)}),
        ("frequency_penalty", 3), ("presence_penalty", -3), ("min_p", 2), ("min_tokens", -1),
        ("repetition_penalty", 0), ("top_k", -2), ("ignore_eos", 1), ("parallel_tool_calls", "no"),
        ("reasoning_effort", "enormous"), ("structured_outputs", "regex"),
        ("messages", [{}] * 1_001),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_parameters({"model": "support", field: value})
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field} must be ")


def test_what_clients_send_passes() -> None:
    check_parameters(
        {
            "model": "support", "messages": [{"role": "user", "content": "hi"}], "stream": True,
            "temperature": 0, "top_p": 1, "max_tokens": 1, "max_completion_tokens": 4_096,
            "stop": ["a", "b"], "tools": [TOOL], "tool_choice": "auto", "seed": -(2**63),
            "response_format": {"type": "json_schema", "json_schema": {"name": "x"}},
            "logit_bias": {"50256": -100}, "frequency_penalty": -2.0, "presence_penalty": 2,
            "min_p": 0.1, "min_tokens": 0, "repetition_penalty": 1.1, "top_k": -1,
            "ignore_eos": False, "parallel_tool_calls": True, "reasoning_effort": "low",
            "structured_outputs": {"regex": "a+"}, "user": "ada", "n": 1, "unknown": object(),
        }
    )  # fmt: skip
    check_parameters({"stop": "\n", "tool_choice": TOOL, "response_format": {"type": "text"}})
    check_parameters(dict.fromkeys(_RULES))


@given(st.sampled_from(sorted(_RULES)), ANY_JSON)
def test_any_json_passes_or_is_refused(field: str, value: Any) -> None:
    with suppress(InvalidInput):
        check_parameters({field: value})


@given(st.dictionaries(st.text(), ANY_JSON))
def test_fields_that_are_not_passed_on_are_not_looked_at(body: dict[str, Any]) -> None:
    check_parameters({name: value for name, value in body.items() if name not in _RULES})


def test_everything_that_is_passed_on_has_a_rule() -> None:
    assert _RULES.keys() >= PASSED_THROUGH
