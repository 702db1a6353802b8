"""Answers that a model writes itself while it is trained: to be scored, at looks and in GRPO."""

from collections.abc import Sequence

import torch
from transformers import GenerationConfig

from tuning.training.student import Student

_AT_ONCE = 64


@torch.no_grad()  # type: ignore[untyped-decorator]
def generate(
    student: Student,
    prompts: Sequence[Sequence[int]],
    *,
    most_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[int]]:
    """An answer's token ids for each prompt, the end of the turn included where it was reached.

    Temperature 0 is greedy, as customers are served; above it the whole distribution is sampled,
    repeatably by `seed`. None for no prompts.
    """
    was_training = student.model.training
    student.model.eval()
    torch.manual_seed(seed)
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    found: dict[int, list[int]] = {}
    for begin in range(0, len(order), _AT_ONCE):
        part = order[begin : begin + _AT_ONCE]
        said = _generate(student, [prompts[i] for i in part], most_tokens, temperature)
        found.update(zip(part, said, strict=True))
    student.model.train(was_training)
    return [found[i] for i in range(len(prompts))]


def _generate(
    student: Student, prompts: Sequence[Sequence[int]], most_tokens: int, temperature: float
) -> list[list[int]]:
    """One batch; prompts are filled up at the left, as generation wants."""
    width = max(map(len, prompts))
    fill = student.filler
    ids = [[fill] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    written = student.model.generate(
        input_ids=torch.tensor(ids, device=student.device),
        attention_mask=torch.tensor(mask, device=student.device),
        generation_config=_settings(student, most_tokens, temperature),
    )
    ends = set(_ends(student))
    return [_up_to_end(answer, ends) for answer in written[:, width:].tolist()]


def _settings(student: Student, most_tokens: int, temperature: float) -> GenerationConfig:
    sampling = {"temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature else {}
    return GenerationConfig(
        max_new_tokens=most_tokens,
        do_sample=bool(temperature),
        pad_token_id=student.filler,
        eos_token_id=_ends(student),
        **sampling,
    )


def _ends(student: Student) -> list[int]:
    """The tokens that end an answer: the tokenizer's, and the model's own where it has more."""
    own = getattr(student.model.generation_config, "eos_token_id", None)
    more = own if isinstance(own, list) else [own]
    return sorted({student.tokenizer.eos_token_id, *(end for end in more if end is not None)})


def _up_to_end(answer: list[int], ends: set[int]) -> list[int]:
    at = next((i for i, token in enumerate(answer) if token in ends), None)
    return answer if at is None else answer[: at + 1]
