"""Examples with a text that is too long: pasted logs, mostly. Pure."""

from tuning.dataset.examples import TrainingExample
from tuning.dataset.steps.step import Dropped


def keep_short(example: TrainingExample, *, longest: int) -> TrainingExample | Dropped:
    """The example, unless one of its texts has more than `longest` characters."""
    if any(len(message.content) > longest for message in example.prompt):
        return Dropped("question too long")
    if len(example.answer) > longest or len(example.rejected or "") > longest:
        return Dropped("answer too long")
    return example
