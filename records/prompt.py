"""What the model is asked in a turn, and what of its history is left out where it is long. Pure.

Customers' questions and those that colleagues try in Slack go through here, so that the model gets
the same from both.
"""

from collections.abc import Iterable, Sequence

from records.assistant import Assistant
from records.messages import ChatMessage, Message, to_chat

_LETTERS_PER_TOKEN = 3
"""Fewer than most tokenizers need, so that a question is rather counted too long."""


def prompt(
    assistant: Assistant, said: Iterable[Message], asked: Sequence[ChatMessage]
) -> list[ChatMessage]:
    """The whole prompt: the system prompt, what was `said` before, and what is asked now."""
    before = to_chat([m for m in said if m.content], system_prompt=assistant.system_prompt)
    return [*before, *asked]


def newer_half(said: tuple[Message, ...]) -> tuple[Message, ...]:
    """What was said, without its older half; nothing where there is but one message."""
    return said[(len(said) + 1) // 2 :]


def leaves_no_room(assistant: Assistant, question: str, *, tokens: int) -> bool:
    """Whether a history of so many tokens (0: not known) would cut the answer short."""
    room = assistant.engine.max_model_len - assistant.generation.max_tokens
    return bool(tokens) and tokens + len(question) // _LETTERS_PER_TOKEN > room
