"""Direct preference optimisation (arXiv 2305.18290): the right answer likelier than the wrong one.

With m the difference between the log-probabilities of right and wrong, and m₀ the same before the
phase: loss = −log σ(β·(m − m₀)) (equation 7), plus a little of the right answer's own loss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tuning.training.lessons import Pair
from tuning.training.methods.reference import logprobs_of
from tuning.training.student import Student
from tuning.training.team import Team


@dataclass(frozen=True, slots=True)
class Preference:
    """A pair as an item of a step, with its margin before the phase, in nats."""

    pair: Pair
    margin_before: float

    @property
    def tokens(self) -> int:
        """Of both sides."""
        return len(self.pair.right.token_ids) + len(self.pair.wrong.token_ids)

    @property
    def sequences(self) -> int:
        """Right and wrong."""
        return 2

    @property
    def size(self) -> float:
        """A pair counts as one, by its weight."""
        return self.pair.right.weight


class Preferences:
    """DPO over pairs."""

    name = "pairs"
    prefers = judged = True

    def __init__(
        self,
        pairs: Sequence[Pair],
        plan: Sequence[Sequence[int]],
        *,
        learning_rate: float,
        beta: float,
        answer_weight: float,
    ) -> None:
        """Take the pairs, and for each step the positions of its own."""
        self._pairs, self._plan = pairs, plan
        self.learning_rate = learning_rate
        self._beta, self._answer_weight = beta, answer_weight
        self._before: list[float] = []
        self._won: list[Tensor] = []

    @property
    def steps(self) -> int:
        """Of the optimiser."""
        return len(self._plan)

    def begin(self, student: Student) -> None:
        """Measure every pair's margin."""
        right = logprobs_of(student, [pair.right for pair in self._pairs])
        wrong = logprobs_of(student, [pair.wrong for pair in self._pairs])
        self._before = (right - wrong).tolist()

    def items(self, step: int, student: Student, team: Team) -> Sequence[Preference]:
        """The plan's."""
        mine = team.share(self._plan[step])
        return [Preference(self._pairs[at], self._before[at]) for at in mine]

    def loss(self, student: Student, items: Sequence[Preference]) -> Tensor:
        """Both sides of all pairs go through the model together."""
        count = len(items)
        sides = [item.pair.right for item in items] + [item.pair.wrong for item in items]
        right, wrong = student.answers(sides).per_conversation(2 * count).split(count)
        before = torch.tensor([item.margin_before for item in items], device=student.device)
        lengths = torch.tensor([i.pair.right.learned for i in items], device=student.device)
        weights = torch.tensor([item.size for item in items], device=student.device)
        gained = right - wrong - before
        self._won.append((gained.detach() > 0).float())
        preference = -functional.logsigmoid(self._beta * gained)
        answer = -right / lengths
        return (weights * (preference + self._answer_weight * answer)).sum()

    def figures(self) -> Mapping[str, float]:
        """The share of pairs whose right answer has gained on the wrong one."""
        won, self._won = self._won, []
        return {"pairs_won": torch.cat(won).mean().item()} if won else {}
