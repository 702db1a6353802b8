"""What every way of training offers to the loop in `train.py`."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

from tuning.training.student import Student
from tuning.training.team import Team


class Item(Protocol):
    """A lesson in a step."""

    @property
    def tokens(self) -> int:
        """Tokens that go through the model for it, with gradients."""

    @property
    def sequences(self) -> int:
        """Sequences in which they do."""

    @property
    def size(self) -> float:
        """Its part of what the step's loss is a mean over."""


class Phase(Protocol):
    """A part of a run, with an optimiser and a plan of its own."""

    @property
    def name(self) -> str:
        """For people: what is trained on."""

    @property
    def steps(self) -> int:
        """Of the optimiser."""

    @property
    def learning_rate(self) -> float:
        """At its highest."""

    @property
    def prefers(self) -> bool:
        """Whether it makes answers better rather than likelier, so that quality judges it."""

    @property
    def judged(self) -> bool:
        """Whether looks at held-out answers say when it is best, and when to end it."""

    def begin(self, student: Student) -> None:
        """Look at the model as it is before the first step; done again when a run goes on."""

    def items(self, step: int, student: Student, team: Team) -> Sequence[Any]:
        """This trainer's lessons of a step, counted from 0; the same ones each time."""

    def loss(self, student: Student, items: Sequence[Any]) -> Tensor:
        """The sum of these lessons' losses, in nats, to be divided by the step's whole size."""

    def figures(self) -> Mapping[str, float]:
        """What else is worth a curve, as means since the last time."""
