"""From messages to token ids, as the engine makes them.

The prompt by the chat template, then the answer as the engine would have to generate it, up to
the token that ends the turn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from records.errors import ConfigurationError

IGNORED = -100
"""The label of a token that carries no loss."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example in tokens; the answer is `token_ids[start:]`."""

    token_ids: list[int]
    start: int

    @property
    def labels(self) -> list[int]:
        """What each position should predict: nothing in the prompt, all of the last answer."""
        return [IGNORED] * self.start + self.token_ids[self.start :]


def encode_prompt(tokenizer: Any, messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Token ids of a conversation that waits for an answer."""
    encoded = tokenizer.apply_chat_template(
        list(messages), add_generation_prompt=True, tokenize=True, return_dict=True
    )
    return list(encoded["input_ids"])


def encode(tokenizer: Any, messages: Sequence[Mapping[str, Any]]) -> Encoded:
    """Token ids of a conversation whose last message is the right answer.

    Raises:
        ConfigurationError: the chat template writes the prompt otherwise once it is answered.
    """
    prompt = encode_prompt(tokenizer, messages[:-1])
    asked = _text(tokenizer, messages[:-1], answered=False)
    whole = _text(tokenizer, messages, answered=True)
    if not whole.startswith(asked):
        raise ConfigurationError(
            "The base model's chat template writes a prompt differently once it is answered, so "
            "what would be trained is not what is served. Use a template that keeps the prompt."
        )
    answer = tokenizer(whole[len(asked) :], add_special_tokens=False)["input_ids"]
    return Encoded([*prompt, *_ended(answer, tokenizer.eos_token_id)], len(prompt))


def _text(tokenizer: Any, messages: Sequence[Mapping[str, Any]], *, answered: bool) -> str:
    return str(
        tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=not answered, tokenize=False
        )
    )


def _ended(answer: list[int], end: int) -> list[int]:
    """The answer with the end of the turn as its last token (templates may write on after it)."""
    if end not in answer:
        return [*answer, end]
    last = len(answer) - 1 - answer[::-1].index(end)
    return answer[: last + 1]
