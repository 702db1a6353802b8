"""Kahneman-Tversky optimisation (arXiv 2402.01306): from answers known to be right or wrong, alone.

With r an answer's log-probability over what it was before, and z how far the model has moved on
the whole (its mean r on answers to other prompts, at least 0): loss = λ·(1 − σ(β(r − z))) where it
was right, λ·(1 − σ(β(z − r))) where it was wrong (equation 8). λ makes both kinds weigh the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tuning.training.chat_tokens import Encoded
from tuning.training.lessons import Judged
from tuning.training.methods.reference import logprobs_of
from tuning.training.student import Student
from tuning.training.team import Team


@dataclass(frozen=True, slots=True)
class Opinion:
    """A judged answer as an item of a step, with what was measured before the phase, in nats."""

    judged: Judged
    stray: Encoded
    """Another lesson's answer after this one's prompt: what z is measured on."""
    before: float
    stray_before: float
    weight: float

    @property
    def tokens(self) -> int:
        """Those with gradients; the stray goes through without."""
        return len(self.judged.answer.token_ids)

    @property
    def sequences(self) -> int:
        """It and its stray."""
        return 2

    @property
    def size(self) -> float:
        """An answer counts as one, by its weight."""
        return self.judged.answer.weight


class Opinions:
    """KTO over judged answers."""

    name = "judged answers"
    prefers = judged = True

    def __init__(
        self,
        judged: Sequence[Judged],
        plan: Sequence[Sequence[int]],
        *,
        learning_rate: float,
        beta: float,
    ) -> None:
        """Take the answers, and for each step the positions of its own."""
        self._judged, self._plan = judged, plan
        self._strays = [stray(judged, at) for at in range(len(judged))]
        self._weights = weights(judged)
        self.learning_rate, self._beta = learning_rate, beta
        self._before: list[float] = []
        self._strays_before: list[float] = []

    @property
    def steps(self) -> int:
        """Of the optimiser."""
        return len(self._plan)

    def begin(self, student: Student) -> None:
        """Measure every answer, and every stray."""
        self._before = logprobs_of(student, [one.answer for one in self._judged]).tolist()
        self._strays_before = logprobs_of(student, self._strays).tolist()

    def items(self, step: int, student: Student, team: Team) -> Sequence[Opinion]:
        """The plan's."""
        return [
            Opinion(
                self._judged[at],
                self._strays[at],
                self._before[at],
                self._strays_before[at],
                self._weights[self._judged[at].right],
            )
            for at in team.share(self._plan[step])
        ]

    def loss(self, student: Student, items: Sequence[Opinion]) -> Tensor:
        """What z is is measured on this batch, and not learned."""
        count, on = len(items), student.device
        before = torch.tensor([item.before for item in items], device=on)
        strays_before = torch.tensor([item.stray_before for item in items], device=on)
        with torch.no_grad():
            moved = student.answers([item.stray for item in items]).per_conversation(count)
            z = (moved - strays_before).mean().clamp(min=0)
        said = student.answers([item.judged.answer for item in items]).per_conversation(count)
        signs = torch.tensor([1.0 if item.judged.right else -1.0 for item in items], device=on)
        scale = torch.tensor([item.size * item.weight for item in items], device=on)
        return (scale * (1 - torch.sigmoid(self._beta * signs * (said - before - z)))).sum()

    def figures(self) -> Mapping[str, float]:
        """The loss says it all."""
        return {}


def stray(judged: Sequence[Judged], at: int) -> Encoded:
    """The next lesson's answer, put after this one's prompt."""
    own, other = judged[at].answer, judged[(at + 1) % len(judged)].answer
    ids = [*own.token_ids[: own.start], *other.token_ids[other.start :]]
    return replace(own, token_ids=ids, spans=((own.start, len(ids)),))


def weights(judged: Sequence[Judged]) -> dict[bool, float]:
    """λ by whether an answer is right: the rarer kind counts more, so that both weigh the same."""
    right = sum(one.right for one in judged)
    wrong = len(judged) - right
    most = max(right, wrong)
    return {True: most / max(right, 1), False: most / max(wrong, 1)}
