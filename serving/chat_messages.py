"""The messages of a chat request: what the engine gets of them, and what was said in words. Pure.

Only what is known of a message goes on: a client that gives an answer back as it got it sends
fields that no engine takes.
"""

from collections.abc import Mapping
from typing import Any

from records.errors import InvalidInput
from records.messages import ChatMessage, Message, Role, from_chat
from serving.storable import is_blank

MOST_CALLS = 128


def read_messages(raw: Any) -> tuple[list[ChatMessage], list[Message]]:
    """The messages without system prompts, and those of them that hold words.

    Raises:
        InvalidInput: with the field that cannot be used.
    """
    if not isinstance(raw, list) or not raw:
        raise InvalidInput("messages must be a list with at least one message.", field="messages")
    kept: list[ChatMessage] = []
    words: list[Message] = []
    for index, item in enumerate(raw):
        field = f"messages[{index}]"
        if isinstance(item, dict) and item.get("role") in ("tool", "assistant"):
            said = _of_assistant_or_tool(item, field, kept)
        else:
            said = _read(item, field)
            if said:
                kept.append(
                    _with_name({"role": item["role"], "content": said[0].content}, item, field)
                )
        words += said
    if not any(m.role is Role.CUSTOMER and not is_blank(m.content) for m in words):
        raise InvalidInput("messages must hold a message of the user with text.", field="messages")
    return kept, words


def _of_assistant_or_tool(
    item: Mapping[str, Any], field: str, kept: list[ChatMessage]
) -> list[Message]:
    if item["role"] == "tool":
        kept.append(_result(item, field))
        return []
    calls = _calls(item.get("tool_calls"), f"{field}.tool_calls")
    only_calls = calls and item.get("content") in (None, "")
    said = [] if only_calls else _read(item, field)
    message: ChatMessage = {"role": "assistant", "content": said[0].content if said else None}
    if calls:
        message["tool_calls"] = calls
    kept.append(_with_name(message, item, field))
    return said


def _read(item: Any, field: str) -> list[Message]:
    """A message in words; none of a system prompt."""
    try:
        return from_chat([item])
    except InvalidInput as error:
        message = str(error).replace("messages[0]", field)
        raise InvalidInput(message, field=(error.field or "").replace("messages[0]", field)) \
            from error  # fmt: skip


def _with_name(message: ChatMessage, item: Mapping[str, Any], field: str) -> ChatMessage:
    name = item.get("name")
    if name is not None:
        if type(name) is not str:
            raise InvalidInput(f"{field}.name must be text.", field=f"{field}.name")
        message["name"] = name
    return message


def _result(item: Mapping[str, Any], field: str) -> ChatMessage:
    """What a tool gave."""
    call = item.get("tool_call_id")
    if type(call) is not str:
        raise InvalidInput(
            f"{field}.tool_call_id must name the call that it answers.",
            field=f"{field}.tool_call_id",
        )
    said = _read({"role": "user", "content": item.get("content")}, field)
    return {"role": "tool", "tool_call_id": call, "content": said[0].content}


def _calls(value: Any, field: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if type(value) is not list or len(value) > MOST_CALLS or not all(map(_is_call, value)):
        raise InvalidInput(
            f"{field} must be a list of at most {MOST_CALLS} objects of type function, each with "
            "an id and a function with name and arguments as text.",
            field=field,
        )
    return value


def _is_call(value: Any) -> bool:
    if (
        type(value) is not dict
        or value.get("type") != "function"
        or type(value.get("id")) is not str
    ):
        return False
    function = value.get("function")
    return type(function) is dict and all(
        type(function.get(name)) is str for name in ("name", "arguments")
    )
