"""From messages to token ids, as the engine makes them.

The prompt by the chat template, then the answer as the engine would have to generate it, up to
the token that ends the turn. Of a conversation with several answers to learn, each is trained
after exactly the tokens that the engine would see before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from records.errors import ConfigurationError

IGNORED = -100
"""The label of a token that carries no loss."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation in tokens; `spans` are the answers in it, from a position up to another."""

    token_ids: list[int]
    spans: tuple[tuple[int, int], ...]
    weight: float = 1.0
    """How much its loss counts beside others'."""
    id: str = ""
    """The lesson that it comes from."""

    @property
    def start(self) -> int:
        """Where the last answer begins; it ends with the conversation."""
        return self.spans[-1][0]

    @property
    def labels(self) -> list[int]:
        """What each position should predict: nothing outside the answers."""
        labels = [IGNORED] * len(self.token_ids)
        for begin, end in self.spans:
            labels[begin:end] = self.token_ids[begin:end]
        return labels

    @property
    def learned(self) -> int:
        """How many tokens carry loss."""
        return sum(end - begin for begin, end in self.spans)


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
    ids = [*prompt, *_ended(answer, tokenizer.eos_token_id)]
    return Encoded(ids, ((len(prompt), len(ids)),))


def encode_turns(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], learn: Iterable[int]
) -> list[Encoded]:
    """Token ids by which the answers at the positions `learn` of a conversation are learned.

    Each answer is encoded as the last of its own conversation. One whose tokens begin a longer
    conversation exactly is learned within that; the others stand alone (templates that take
    thoughts out of earlier answers, or tokens that join over the end of an answer). The longest
    comes first. Empty where nothing is to be learned.

    Raises:
        ConfigurationError: the chat template writes a prompt otherwise once it is answered.
    """
    kept: list[Encoded] = []
    for position in sorted(learn, reverse=True):
        alone = encode(tokenizer, messages[: position + 1])
        at = next((i for i, longer in enumerate(kept) if _begins(alone, longer)), None)
        if at is None:
            kept.append(alone)
        else:
            kept[at] = Encoded(kept[at].token_ids, (*alone.spans, *kept[at].spans))
    return kept


def _begins(short: Encoded, long: Encoded) -> bool:
    return long.token_ids[: len(short.token_ids)] == short.token_ids


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
