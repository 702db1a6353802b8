"""The one message form used everywhere, and its translation to and from OpenAI's chat form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from records.errors import InvalidInput


class Role(StrEnum):
    """Who said something in a conversation."""

    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said: by whom, and its plain text."""

    role: Role
    content: str


ChatMessage = dict[str, Any]
"""A message in OpenAI's form: at least `role` and `content`."""

_FROM_CHAT = {"user": Role.CUSTOMER, "assistant": Role.ASSISTANT}


def to_chat(messages: Iterable[Message], *, system_prompt: str) -> list[ChatMessage]:
    """The conversation as the model sees it: the system prompt, then agents as the assistant."""
    chat: list[ChatMessage] = []
    if system_prompt:
        chat.append({"role": "system", "content": system_prompt})
    for message in messages:
        role = "user" if message.role is Role.CUSTOMER else "assistant"
        chat.append({"role": role, "content": message.content})
    return chat


def from_chat(chat: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Read OpenAI messages, leaving out system prompts (an assistant brings its own).

    Raises:
        InvalidInput: a message without role or text, an unknown role, or content that is not text
            that every database keeps.
    """
    messages = []
    for index, item in enumerate(chat):
        field = f"messages[{index}]"
        if type(item) is not dict and not isinstance(item, Mapping):
            raise InvalidInput(f"{field} must be an object with role and content.", field=field)
        role = item.get("role")
        if role in ("system", "developer"):
            continue
        if not isinstance(role, str) or role not in _FROM_CHAT:
            raise InvalidInput(
                f"{field}.role must be system, developer, user or assistant, not {role!r}.",
                field=f"{field}.role",
            )
        messages.append(Message(_FROM_CHAT[role], _text(item.get("content"), field=field)))
    return messages


def _text(content: object, *, field: str) -> str:
    """The text of a message's content: a string, or a list of text parts."""
    text = content if isinstance(content, str) else _joined(content)
    if text is None:
        raise InvalidInput(
            f"{field}.content must be text or a list of text parts.", field=f"{field}.content"
        )
    if "\x00" in text:  # PostgreSQL cannot keep it
        raise InvalidInput(
            f"{field}.content must not hold a NUL character.", field=f"{field}.content"
        )
    return text


def _joined(content: object) -> str | None:
    if not isinstance(content, list) or not content:
        return None
    parts = [
        part.get("text")
        for part in content
        if isinstance(part, Mapping) and part.get("type", "text") == "text"
    ]
    if len(parts) != len(content) or not all(isinstance(part, str) for part in parts):
        return None
    return "".join(str(part) for part in parts)
