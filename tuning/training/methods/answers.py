"""Learning answers (SFT), or the words of documents: each token as likely as can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning.training.chat_tokens import Encoded
from tuning.training.student import Student
from tuning.training.team import Team


@dataclass(frozen=True, slots=True)
class Lesson:
    """Something said, as an item of a step."""

    said: Encoded

    @property
    def tokens(self) -> int:
        """All of its tokens."""
        return len(self.said.token_ids)

    @property
    def sequences(self) -> int:
        """It is one."""
        return 1

    @property
    def size(self) -> float:
        """Its learned tokens, by its weight: the loss is a mean over tokens."""
        return self.said.weight * self.said.learned


@dataclass(frozen=True, slots=True)
class Answers:
    """Mean negative log-likelihood per learned token, weighed by lesson."""

    name: str
    lessons: Sequence[Encoded]
    plan: Sequence[Sequence[int]]
    """For each step the positions of its lessons."""
    learning_rate: float
    judged: bool = True
    prefers: bool = False

    @property
    def steps(self) -> int:
        """Of the optimiser."""
        return len(self.plan)

    def begin(self, student: Student) -> None:
        """Nothing is compared with what was."""

    def items(self, step: int, student: Student, team: Team) -> Sequence[Lesson]:
        """The plan's."""
        return [Lesson(self.lessons[at]) for at in team.share(self.plan[step])]

    def loss(self, student: Student, items: Sequence[Lesson]) -> Tensor:
        """Negative log-likelihoods, weighed and summed."""
        found = student.answers([item.said for item in items])
        weights = torch.tensor([item.said.weight for item in items], device=student.device)
        return -(found.logprobs * weights[found.rows]).sum()

    def figures(self) -> Mapping[str, float]:
        """The loss says it all."""
        return {}
