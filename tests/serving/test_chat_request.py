"""Reading a chat request: what is taken, and how what cannot be used is named."""

from typing import Any

import pytest

from records.errors import InvalidInput
from serving.chat_request import read_request

USER = {"role": "user", "content": "hi"}
CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "1", "content": "7"}


def read(headers: dict[str, str] | None = None, **body: Any):
    return read_request({"model": "support", "messages": [USER], **body}, headers or {})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [USER, {"role": "wizard", "content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": "user", "content": "\ufeff\x1f"}]}, "messages"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "messages[1].content"),
        ({"messages": [USER, {"role": "assistant", "content": 0}]}, "messages[1].content"),
        ({"messages": [{**USER, "name": 5}]}, "messages[0].name"),
        ({"messages": [USER, {**CALLS, "tool_calls": [1]}]}, "messages[1].tool_calls"),
        ({"messages": [USER, {**CALLS, "tool_calls": {}}]}, "messages[1].tool_calls"),
        ({"messages": [USER, CALLS, {"role": "tool", "content": "7"}]}, "messages[2].tool_call_id"),
        ({"messages": [USER, CALLS, {**RESULT, "content": 7}]}, "messages[2].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "text": "x"}]}]},
            "messages[0].content",
        ),
        ({"messages": [{"role": ["user"], "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": {}, "content": "hi"}]}, "messages[0].role"),
        ({"messages": [USER, {"tool_calls": [1]}]}, "messages[1].role"),
        ({"messages": [USER, {"role": "user", "tool_calls": [1]}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": "a\0b"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "a\0"}]}]}, "messages[0].content"),
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"stream_options": 0}, "stream_options"),
        ({"metadata": False}, "metadata"),
        ({"user": 7}, "user"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": 1}}, "include_usage"),
        ({"model": 3}, "model"),
        ({"model": ""}, "model"),
        ({"metadata": []}, None),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"conversation_id": "x" * 201}}, "conversation_id"),
        ({"metadata": {"customer_id": 7}}, "customer_id"),
    ],
)
def test_what_cannot_be_used_is_named(body: dict[str, Any], field: str | None) -> None:
    if field is None:
        read(**body)
        return
    with pytest.raises(InvalidInput) as refused:
        read(**body)
    assert refused.value.field == field


def test_a_header_goes_before_metadata_and_user() -> None:
    asked = read(
        {"x-conversation-id": "h", "x-customer-id": "c"},
        metadata={"conversation_id": "m", "customer_id": "d"},
        user="e",
    )
    assert (asked.conversation, asked.customer) == ("h", "c")


def test_what_is_not_on_the_list_never_reaches_the_engine() -> None:
    asked = read(temperature=0.3, chat_template="{{ evil }}", prompt_logprobs=5, logprobs=True)
    assert asked.parameters == {"temperature": 0.3}


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    asked = read(messages=[{"role": "user", "content": parts}])
    assert asked.question == "ab"
    assert asked.messages[0]["content"] == "ab"


def test_the_question_is_the_newest_of_the_customers_messages() -> None:
    before = [USER, {"role": "assistant", "content": "hello"}, {"role": "user", "content": "two"}]
    asked = read(messages=before)
    assert (asked.question, asked.brings_history) == ("two", True)
    assert [m.content for m in asked.earlier] == ["hi", "hello"]


def test_tools_are_called_by_the_assistant_and_answer_in_their_own_role() -> None:
    asked = read(messages=[USER, CALLS, RESULT])
    assert list(asked.messages) == [USER, CALLS, RESULT]
    assert not asked.asks_anew


def test_an_answer_that_a_client_begins_waits_to_be_finished() -> None:
    begun = {"role": "assistant", "content": "The card is"}
    asked = read(messages=[USER, begun])
    assert (asked.question, asked.asks_anew) == ("hi", True)
    assert asked.messages[-1] == begun


def test_of_a_message_only_what_engines_take_goes_on() -> None:
    answer = {"role": "assistant", "content": "hello", "refusal": None, "annotations": []}
    asked = read(messages=[USER, answer, {**USER, "name": "ada", "id": 7}])
    assert list(asked.messages) == [
        USER,
        {"role": "assistant", "content": "hello"},
        {**USER, "name": "ada"},
    ]
