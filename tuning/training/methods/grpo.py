"""Group relative policy optimisation (arXiv 2402.03300): the model's own answers, by their reward.

Each step writes a group of answers to some prompts; an answer's advantage is its reward's distance
from its group's mean, in standard deviations. One step of the optimiser per writing, so that the
paper's ratio is 1 and needs no clipping: loss = −A·log π + β·(e^d − d − 1), d = log π₀ − log π, a
mean over tokens (π₀: the model before the phase). The reward comes from evaluation's scores.
"""

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tuning.training.chat_tokens import Encoded
from tuning.training.generation import generate
from tuning.training.lessons import Prompt
from tuning.training.marking import Marking
from tuning.training.recipe import Recipe
from tuning.training.student import Student
from tuning.training.team import Team

_LEAST_DEVIATION = 1e-4


@dataclass(frozen=True, slots=True)
class Attempt:
    """An answer that the model wrote, with its advantage and the reference's log-probabilities."""

    said: Encoded
    advantage: float
    before: Tensor

    @property
    def tokens(self) -> int:
        """Prompt and answer."""
        return len(self.said.token_ids)

    @property
    def sequences(self) -> int:
        """It is one."""
        return 1

    @property
    def size(self) -> float:
        """Its written tokens: the loss is a mean over tokens."""
        return float(self.said.learned)


@dataclass(slots=True)
class Attempts:
    """GRPO over prompts with a known right answer."""

    prompts: Sequence[Prompt]
    marking: Marking
    recipe: Recipe
    most_tokens: int
    """An answer's length is bounded by it."""
    _rewards: list[float] = field(default_factory=list)
    """Of what was written since the last time."""
    _start: Tensor | None = None

    name = "own answers"
    prefers = judged = True

    @property
    def steps(self) -> int:
        """Of the optimiser."""
        return self.recipe.grpo_steps

    @property
    def learning_rate(self) -> float:
        """That of all preference methods."""
        return self.recipe.preference_learning_rate

    def begin(self, student: Student) -> None:
        """Keep the model's numbers: the reference."""
        self._start = student.flat.copy()

    def items(self, step: int, student: Student, team: Team) -> Sequence[Attempt]:
        """Write, score, and keep the groups whose answers differ in reward; none may be left."""
        recipe = self.recipe
        rng = random.Random(f"{recipe.seed}-{step}")
        count = min(recipe.grpo_prompts, len(self.prompts))
        asked = team.share(rng.sample(self.prompts, count))
        written = generate(
            student,
            [prompt.token_ids for prompt in asked for _ in range(recipe.grpo_group)],
            most_tokens=self.most_tokens,
            temperature=recipe.grpo_temperature,
            seed=rng.randrange(2**31) + team.rank,
        )
        said: list[Encoded] = []
        gained: list[float] = []
        for at, prompt in enumerate(asked):
            group = written[at * recipe.grpo_group : (at + 1) * recipe.grpo_group]
            texts = student.tokenizer.batch_decode(group, skip_special_tokens=True)
            marks = [self.marking.reward(prompt.row, text) for text in texts]
            self._rewards += marks
            if statistics.pstdev(marks) > _LEAST_DEVIATION:
                said += [_attempt(prompt, ids) for ids in group]
                gained += advantages(marks)
        return [
            Attempt(*found) for found in zip(said, gained, self._before(student, said), strict=True)
        ]

    def loss(self, student: Student, items: Sequence[Attempt]) -> Tensor:
        """The policy's gradient, and the price of moving away."""
        found = student.answers([item.said for item in items])
        advantage = torch.tensor([item.advantage for item in items], device=student.device)
        distance = torch.cat([item.before for item in items]) - found.logprobs
        price = distance.exp() - distance - 1
        gain = advantage[found.rows] * found.logprobs
        return (self.recipe.grpo_divergence * price - gain).sum()

    def figures(self) -> Mapping[str, float]:
        """The mean reward of what was written."""
        rewards, self._rewards = self._rewards, []
        return {"reward": statistics.fmean(rewards)} if rewards else {}

    def _before(self, student: Student, said: Sequence[Encoded]) -> list[Tensor]:
        """Each answer's log-probabilities, token by token, by the model at the start."""
        if not said:
            return []
        assert self._start is not None
        found: list[Tensor] = []
        with student.flat.at(self._start):
            size = self.recipe.largest_batch
            for begin in range(0, len(said), size):
                part = said[begin : begin + size]
                found += student.answers(part).logprobs.split([one.learned for one in part])
        return found


def advantages(rewards: Sequence[float]) -> list[float]:
    """How far each reward is from the group's mean, in the group's standard deviations."""
    mean, deviation = statistics.fmean(rewards), statistics.pstdev(rewards)
    return [(reward - mean) / (deviation + _LEAST_DEVIATION) for reward in rewards]


def _attempt(prompt: Prompt, answer: Sequence[int]) -> Encoded:
    ids = [*prompt.token_ids, *answer]
    return Encoded(ids, ((len(prompt.token_ids), len(ids)),), id=prompt.row.id)
