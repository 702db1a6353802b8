"""Splitting into train and held-out so that nothing is on both sides. Pure.

Examples of one conversation, one customer, or one (normalised) prompt stay together, also where
they are connected over a third example.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tuning.dataset.examples import TrainingExample, place


@dataclass(frozen=True, slots=True)
class Split:
    """The two sides, each in the order given."""

    train: list[TrainingExample]
    held_out: list[TrainingExample]


def split(examples: Sequence[TrainingExample], *, held_out_share: float) -> Split:
    """Hold out about `held_out_share` of the examples, group by group.

    A group's side depends on a hash of its prompts alone, so that examples added later hardly
    move it. A group larger than the whole share is always trained on.
    """
    most = held_out_share * len(examples)
    held: set[str] = set()
    for group in _groups(examples):
        if len(group) <= most and _place(group) < held_out_share:
            held |= {example.id for example in group}
    return Split(
        train=[example for example in examples if example.id not in held],
        held_out=[example for example in examples if example.id in held],
    )


def _place(group: Sequence[TrainingExample]) -> float:
    """Where a group falls between 0 and 1."""
    return place("split", min(example.prompt_key for example in group))


def _groups(examples: Sequence[TrainingExample]) -> list[list[TrainingExample]]:
    """Connected examples together, by union-find over what connects them."""
    parents = list(range(len(examples)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    first_with: dict[str, int] = {}
    for index, example in enumerate(examples):
        for tie in _ties(example):
            other = first_with.setdefault(tie, index)
            parents[root(index)] = root(other)
    groups: dict[int, list[TrainingExample]] = defaultdict(list)
    for index, example in enumerate(examples):
        groups[root(index)].append(example)
    return list(groups.values())


def _ties(example: TrainingExample) -> list[str]:
    ties = [f"prompt:{example.prompt_key}"]
    if example.conversation_id:
        ties.append(f"conversation:{example.conversation_id}")
    if example.customer:
        ties.append(f"customer:{example.customer}")
    return ties
