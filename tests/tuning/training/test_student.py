"""The student's shortcuts change nothing: log-probabilities and gradients are the plain ones."""

from collections.abc import Callable
from typing import Any

import pytest

from tuning.training import lessons
from tuning.training.chat_tokens import Encoded

pytestmark = pytest.mark.slow

LONG = " Be brief and kind." * 12


def examples(count: int = 6, *, system: str = LONG) -> list[Encoded]:
    from tests.tuning.training.students import rows, tokenizer

    return list(lessons.answers(rows(count, system=system), tokenizer()))


def gradient(student: Any, found: list[Encoded]) -> Any:
    student.flat.gradient.zero_()
    student.answers(found).logprobs.sum().backward()
    return student.flat.gradient.clone()


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "gemma2"])
def test_shortcuts_give_the_plain_logprobs_and_gradients(family: str) -> None:
    import torch

    from tests.tuning.training.students import student

    found = examples()
    one = student(family)
    plain, slope = one.answers(found).logprobs, gradient(one, found)
    one.take_shortcuts(found[:3])
    wanted = {"fused"} if family == "gemma2" else {"fused", "answers only", "packed"}
    assert one.shortcuts == wanted  # Gemma 2 caps its logits, and looks back through windows
    torch.testing.assert_close(one.answers(found).logprobs, plain, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(gradient(one, found), slope, atol=1e-3, rtol=1e-3)


def test_a_shortcut_that_changes_something_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from torch import nn

    from tests.tuning.training.students import student

    one = student()
    plain = one.answers(examples(2)).logprobs
    head = one.model.get_base_model().lm_head

    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = head.weight

        def forward(self, states: Any) -> Any:
            return head(states) * 2

    one._head = Odd()
    one.take_shortcuts(examples(2))
    assert one.shortcuts == {"fused"}
    torch.testing.assert_close(one.answers(examples(2)).logprobs, plain, atol=1e-4, rtol=1e-4)


def test_layers_that_drop_inputs_keep_pefts_way() -> None:
    from tests.tuning.training.students import student
    from tuning.training.fused_lora import fuse

    assert fuse(student().model) == 14
    assert fuse(student(dropout=0.1).model) == 0


def test_a_fused_layer_can_be_switched_off_and_given_back() -> None:
    import torch

    from tests.tuning.training.students import student
    from tuning.training.fused_lora import fuse, unfuse

    one, found = student(), examples(2)
    with torch.no_grad(), one.model.disable_adapter():
        bare = one.answers(found).logprobs
        fuse(one.model)
        torch.testing.assert_close(one.answers(found).logprobs, bare)
    unfuse(one.model)
    assert all("forward" not in layer.__dict__ for layer in one.model.modules())


def test_the_same_numbers_in_bfloat16_are_nearly_the_same() -> None:
    import torch

    from tests.tuning.training.students import student

    one, found = student(), examples(3)
    plain = one.answers(found).logprobs.detach()
    half = student()
    half.model.get_base_model().to(torch.bfloat16)
    assert half.flat.values.dtype == torch.float32
    half.take_shortcuts(found)
    assert "fused" in half.shortcuts
    assert (half.answers(found).logprobs - plain).abs().mean() < 0.2


def test_gradients_are_the_same_when_activations_are_computed_twice() -> None:
    import torch

    from tests.tuning.training.students import student

    one, found = student(), examples(3)
    one.take_shortcuts(found)
    one.model.train()
    slope = gradient(one, found)
    one.checkpoint_gradients()
    torch.testing.assert_close(gradient(one, found), slope, atol=1e-3, rtol=1e-3)


def test_what_it_would_say_word_for_word_is_what_it_writes() -> None:
    from tests.tuning.training.students import student
    from tuning.training.chat_tokens import Encoded
    from tuning.training.generation import generate

    one = student()
    prompts = [example.token_ids[: example.start] for example in examples(4, system="")]
    written = generate(one, prompts, most_tokens=6)
    own = [
        Encoded([*prompt, *said], ((len(prompt), len(prompt) + len(said)),))
        for prompt, said in zip(prompts, written, strict=True)
    ]
    assert one.would_say(own) == [True] * 4
    other = [*own[0].token_ids[:-1], (own[0].token_ids[-1] + 1) % 100]
    assert one.would_say([own[1], Encoded(other, own[0].spans)]) == [True, False]


def test_sampled_answers_are_repeatable_by_seed_and_differ() -> None:
    from tests.tuning.training.students import student
    from tuning.training.generation import generate

    one = student()
    prompts = [example.token_ids[: example.start] for example in examples(3, system="")]

    def write(seed: int) -> list[list[int]]:
        return generate(one, prompts, most_tokens=8, temperature=1.0, seed=seed)

    assert write(1) == write(1) != write(2)
    assert generate(one, [], most_tokens=8) == []


@pytest.fixture
def flat() -> Callable[[], Any]:
    def make() -> Any:
        from tests.tuning.training.students import student

        return student().flat

    return make


def test_an_adapter_is_one_vector_that_the_model_looks_at(flat: Callable[[], Any]) -> None:
    import torch

    found = flat()
    kept = found.copy()
    with found.at(torch.zeros_like(kept)):
        assert not found.values.data.any()
        assert not torch.is_grad_enabled()
    assert torch.equal(found.values.data, kept)
