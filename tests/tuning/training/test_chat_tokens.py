"""Tokens and labels: the prompt as the engine makes it, and loss on the last answer only."""

from typing import Any

import pytest

from records.errors import ConfigurationError
from tests.tuning.build import BASE
from tuning.training.base_model import load_tokenizer
from tuning.training.chat_tokens import IGNORED, encode, encode_prompt

DIALOGUE = [
    {"role": "system", "content": "You answer customers."},
    {"role": "user", "content": "Where is my card?"},
    {"role": "assistant", "content": "It was sent on Monday."},
    {"role": "user", "content": "And the PIN?"},
    {"role": "assistant", "content": "[handoff] A colleague will reply."},
]
CHATML = (
    "{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(str(BASE))


def test_loss_is_on_the_last_answer_only(tokenizer: Any) -> None:
    encoded = encode(tokenizer, DIALOGUE)
    prompt = encode_prompt(tokenizer, DIALOGUE[:-1])
    assert encoded.token_ids[: encoded.start] == prompt
    assert encoded.labels[: encoded.start] == [IGNORED] * len(prompt)
    answered = [label for label in encoded.labels if label != IGNORED]
    assert tokenizer.decode(answered[:-1]).strip() == DIALOGUE[-1]["content"]


def test_the_answer_ends_with_the_end_of_the_turn(tokenizer: Any) -> None:
    assert encode(tokenizer, DIALOGUE).token_ids[-1] == tokenizer.eos_token_id


def test_what_a_template_writes_after_the_end_of_the_turn_is_not_trained(tokenizer: Any) -> None:
    original = tokenizer.chat_template
    tokenizer.chat_template = CHATML.replace("</s>", tokenizer.eos_token)
    try:
        encoded = encode(tokenizer, DIALOGUE)
    finally:
        tokenizer.chat_template = original
    assert encoded.token_ids[-1] == tokenizer.eos_token_id
    assert encoded.labels.count(tokenizer.eos_token_id) == 1


def test_a_template_that_rewrites_the_prompt_once_answered_is_refused(tokenizer: Any) -> None:
    original = tokenizer.chat_template
    tokenizer.chat_template = "{{ messages | length }}" + CHATML
    try:
        with pytest.raises(ConfigurationError, match="chat template"):
            encode(tokenizer, DIALOGUE)
    finally:
        tokenizer.chat_template = original
