"""What a cleaning step for one example is: it keeps, changes or drops it, and knows no other."""

from collections.abc import Callable
from dataclasses import dataclass

from tuning.dataset.examples import TrainingExample


@dataclass(frozen=True, slots=True)
class Dropped:
    """An example that must not train, and why, in a few words for the dataset's card."""

    why: str


@dataclass(frozen=True, slots=True)
class ExampleStep:
    """One step, named as the card shows it.

    `work` is a pure function that never raises: it returns the example itself where there is
    nothing to do, an equal one with other words, or why it is dropped. Doing it twice is doing it
    once. It may hold compiled patterns and engines, so it isn't pickled: another process builds
    its own from the options and the assistant (`all_steps.example_steps`).
    """

    name: str
    work: Callable[[TrainingExample], TrainingExample | Dropped]
