"""Tokens: prompts as the engine makes them, and loss on answers only, whatever the template."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.errors import ConfigurationError
from tests.tuning.build import BASE
from tuning.training.base_model import load_tokenizer
from tuning.training.chat_tokens import IGNORED, Encoded, encode, encode_prompt, encode_turns
from tuning.training.mask import marked, show

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
THINKING = (  # as Qwen3's: only the last answer keeps its (empty) thoughts
    "{% for m in messages %}<s>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}"
    "{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def shared() -> Any:
    return load_tokenizer(str(BASE))


@pytest.fixture
def tokenizer(shared: Any) -> Iterator[Any]:
    original = shared.chat_template
    yield shared
    shared.chat_template = original


def template(tokenizer: Any, text: str) -> Any:
    tokenizer.chat_template = text.replace("</s>", tokenizer.eos_token)
    return tokenizer


def spans_are_as_the_engine_sees_them(tokenizer: Any, found: list[Encoded], learn: set[int]) -> int:
    """Hold every span's context against the engine's prompt for it; returns how many there are."""
    prompts = {tuple(encode_prompt(tokenizer, DIALOGUE[:at])): at for at in learn}
    for example in found:
        for begin, end in example.spans:
            at = prompts.pop(tuple(example.token_ids[:begin]))
            said = tokenizer.decode(example.token_ids[begin:end], skip_special_tokens=True)
            assert said.endswith(DIALOGUE[at]["content"])
            assert example.token_ids[end - 1] == tokenizer.eos_token_id
    return len(learn) - len(prompts)


def test_loss_is_on_the_answer_only(tokenizer: Any) -> None:
    encoded = encode(tokenizer, DIALOGUE)
    prompt = encode_prompt(tokenizer, DIALOGUE[:-1])
    assert encoded.token_ids[: encoded.start] == prompt
    assert encoded.labels[: encoded.start] == [IGNORED] * len(prompt)
    answered = [label for label in encoded.labels if label != IGNORED]
    assert tokenizer.decode(answered[:-1]).strip() == DIALOGUE[-1]["content"]
    assert encoded.learned == len(answered)


def test_the_answer_ends_with_the_end_of_the_turn(tokenizer: Any) -> None:
    assert encode(tokenizer, DIALOGUE).token_ids[-1] == tokenizer.eos_token_id


def test_what_a_template_writes_after_the_end_of_the_turn_is_not_trained(tokenizer: Any) -> None:
    encoded = encode(template(tokenizer, CHATML), DIALOGUE)
    assert encoded.token_ids[-1] == tokenizer.eos_token_id
    assert encoded.labels.count(tokenizer.eos_token_id) == 1


def test_a_template_that_rewrites_the_prompt_once_answered_is_refused(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ messages | length }}" + CHATML
    with pytest.raises(ConfigurationError, match="chat template"):
        encode_turns(tokenizer, DIALOGUE, {4})


@pytest.mark.parametrize("text", [None, CHATML])
def test_all_answers_of_a_conversation_are_learned_in_one_pass(
    tokenizer: Any, text: str | None
) -> None:
    if text is not None:
        template(tokenizer, text)
    (one,) = encode_turns(tokenizer, DIALOGUE, {2, 4})
    assert one.token_ids == encode(tokenizer, DIALOGUE).token_ids
    assert spans_are_as_the_engine_sees_them(tokenizer, [one], {2, 4}) == 2
    text = marked(tokenizer, one)
    assert text.count("⟦") == text.count("⟧") == 2
    assert f"⟦It was sent on Monday.{tokenizer.eos_token}⟧" in text


def test_an_answer_that_the_template_later_rewrites_is_learned_by_itself(tokenizer: Any) -> None:
    found = encode_turns(template(tokenizer, THINKING), DIALOGUE, {2, 4})
    assert [len(example.spans) for example in found] == [1, 1]
    assert spans_are_as_the_engine_sees_them(tokenizer, found, {2, 4}) == 2


def test_an_answer_that_is_not_to_be_learned_carries_no_loss(tokenizer: Any) -> None:
    (one,) = encode_turns(tokenizer, DIALOGUE, {4})
    assert len(one.spans) == 1
    (only_first,) = encode_turns(tokenizer, DIALOGUE, {2})
    assert only_first.token_ids == encode(tokenizer, DIALOGUE[:3]).token_ids
    assert encode_turns(tokenizer, DIALOGUE, set()) == []


@given(
    said=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4),
    text=st.sampled_from([None, CHATML, THINKING]),
    mask=st.lists(st.booleans(), min_size=4, max_size=4),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_learned_answer_follows_what_the_engine_would_see(
    shared: Any, said: list[str], text: str | None, mask: list[bool]
) -> None:
    original = shared.chat_template
    try:
        if text is not None:
            template(shared, text)
        messages = [
            {"role": role, "content": words} for words in said for role in ("user", "assistant")
        ]
        learn = {2 * at + 1 for at in range(len(said)) if mask[at]}
        found = encode_turns(shared, messages, learn)
        contexts = sorted(e.token_ids[:begin] for e in found for begin, _ in e.spans)
        assert contexts == sorted(encode_prompt(shared, messages[:at]) for at in learn)
        whole = [encode(shared, messages[: at + 1]).token_ids for at in learn]
        assert sorted(e.token_ids[:end] for e in found for _, end in e.spans) == sorted(whole)
    finally:
        shared.chat_template = original


def test_the_mask_shows_lessons_with_most_answers_first_by_their_ids(tokenizer: Any) -> None:
    two = encode_turns(tokenizer, DIALOGUE, {2, 4})
    one = encode_turns(tokenizer, DIALOGUE, {4})
    shown = show(tokenizer, [*one, *two], count=1)
    assert shown[0]["text"].count("⟦") == 2
    assert shown[0]["learned_tokens"] == two[0].learned
    assert shown[0]["tokens"] == len(two[0].token_ids)
