"""Earlier answers in a conversation: they are learned too, unless a step takes them out. Pure."""

from collections.abc import Callable
from dataclasses import replace

from records.messages import Role
from tuning.dataset.examples import TrainingExample


def unlearn(example: TrainingExample, is_bad: Callable[[str], bool]) -> TrainingExample:
    """The example with those earlier answers not learned that are bad; they stay to be read."""
    bad = {
        at
        for at, message in enumerate(example.prompt)
        if message.role is not Role.CUSTOMER and is_bad(message.content)
    }
    if bad <= example.unlearned:
        return example
    return replace(example, unlearned=example.unlearned | bad)
