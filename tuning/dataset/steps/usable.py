"""Examples that teach nothing: no customer's words to answer, or nothing right or wrong to say."""

from records.messages import Role
from tuning.dataset.examples import TrainingExample
from tuning.dataset.steps.step import Dropped


def keep_usable(example: TrainingExample) -> TrainingExample | Dropped:
    """The example, unless it lacks a question or an answer (the right or the wrong one)."""
    last = example.prompt[-1] if example.prompt else None
    if last is None or last.role is not Role.CUSTOMER or not last.content.strip():
        return Dropped("no question")
    if not example.answer.strip() and not (example.rejected or "").strip():
        return Dropped("no answer")
    return example
