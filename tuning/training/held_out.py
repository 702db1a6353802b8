"""How good a model is on what it is not trained on: loss of right answers, and quality of its own.

Quality is the share of held-out prompts to which it would serve customers right, by evaluation's
scores, answering greedily as the engine does.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch

from tuning.training.chat_tokens import Encoded
from tuning.training.generation import generate
from tuning.training.lessons import Prompt
from tuning.training.marking import Marking
from tuning.training.student import Student
from tuning.training.team import Team

_AT_ONCE = 32
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a model; None where there is nothing to look at."""

    loss: float | None
    """Mean negative log-likelihood per learned token, in nats."""
    quality: float | None
    """0..1."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What looks are taken at."""

    answers: Sequence[Encoded]
    prompts: Sequence[Prompt]
    marking: Marking
    most_tokens: int
    """An answer's length is bounded by it."""
    team: Team = field(default_factory=Team)

    def look(self, student: Student) -> Look:
        """Measure both, each trainer of a team its share."""
        was_training = student.model.training
        student.model.eval()
        found = Look(self._loss(student), self._quality(student))
        student.model.train(was_training)
        return found

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _loss(self, student: Student) -> float | None:
        if not self.answers:
            return None
        found = torch.zeros(2, dtype=torch.float64)
        mine = sorted(self.team.share(self.answers), key=lambda one: len(one.token_ids))
        for begin in range(0, len(mine), _AT_ONCE):
            logprobs = student.answers(mine[begin : begin + _AT_ONCE]).logprobs
            found += torch.tensor([logprobs.sum(dtype=torch.float64).item(), len(logprobs)])
        total, tokens = self._summed(student, found)
        return -total / tokens

    def _quality(self, student: Student) -> float | None:
        if not self.prompts:
            return None
        mine = self.team.share(self.prompts)
        others = self._not_word_for_word(student, mine)
        asked = [prompt.token_ids for prompt in others]
        written = generate(student, asked, most_tokens=self.most_tokens)
        texts = student.tokenizer.batch_decode(written, skip_special_tokens=True)
        marks = [self.marking.served_right(p.row, t) for p, t in zip(others, texts, strict=True)]
        right = len(mine) - len(others) + sum(marks)
        right, count = self._summed(student, torch.tensor([right, float(len(mine))]))
        return right / count

    def _not_word_for_word(self, student: Student, prompts: Sequence[Prompt]) -> list[Prompt]:
        """The prompts whose right answer is not what the model says: only they must be written."""
        ordered = sorted(prompts, key=lambda prompt: len(prompt.answered.token_ids))
        left: list[Prompt] = []
        for begin in range(0, len(ordered), _AT_ONCE):
            part = ordered[begin : begin + _AT_ONCE]
            said = student.would_say([prompt.answered for prompt in part])
            left += [prompt for prompt, right in zip(part, said, strict=True) if not right]
        return left

    def _summed(self, student: Student, pair: torch.Tensor) -> tuple[float, float]:
        first, second = self.team.sum(pair.to(student.device)).tolist()
        return first, second


def sample(items: Sequence[ItemT], most: int, *, seed: int) -> list[ItemT]:
    """At most so many of them, drawn at random, in their order."""
    if len(items) <= most:
        return list(items)
    chosen = sorted(random.Random(seed).sample(range(len(items)), most))
    return [items[at] for at in chosen]
