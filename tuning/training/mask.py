"""What is learned of a lesson, shown as text: the answers stand between marks."""

from collections.abc import Sequence
from typing import Any

from tuning.training.chat_tokens import Encoded

OPENING, CLOSING = "⟦", "⟧"


def marked(tokenizer: Any, example: Encoded) -> str:
    """The text of a lesson, as the model reads it, with what carries loss between ⟦ and ⟧."""
    ids, parts, at = example.token_ids, [], 0
    for begin, end in example.spans:
        parts += [tokenizer.decode(ids[at:begin]), OPENING]
        parts += [tokenizer.decode(ids[begin:end]), CLOSING]
        at = end
    return "".join([*parts, tokenizer.decode(ids[at:])])


def show(tokenizer: Any, examples: Sequence[Encoded], *, count: int = 3) -> list[dict[str, Any]]:
    """The first `count` lessons, those with the most answers first, for a manifest.

    `learned_tokens` of `tokens` carry loss; a lesson is named by its example's id, so that an
    erasure finds it.
    """
    chosen = sorted(examples, key=lambda example: -len(example.spans))[:count]
    return [
        {
            "example": example.id,
            "tokens": len(example.token_ids),
            "learned_tokens": example.learned,
            "weight": example.weight,
            "text": marked(tokenizer, example),
        }
        for example in chosen
    ]
