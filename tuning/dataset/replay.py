"""Replay against forgetting: how many accepted answers are mixed in, and which. Pure."""

from collections.abc import Sequence

from tuning.dataset.clean import Step
from tuning.dataset.examples import TrainingExample, place

NAME = "replay beyond its share"


def mix(examples: Sequence[TrainingExample], *, share: float, limit: int) -> Step:
    """Keep all corrections, and accepted answers up to `share` of the whole and `limit`.

    Which ones is decided by hash, so that a growing history changes the choice little. A share of
    0 trains on corrections alone ("naive").
    """
    corrections = sum(not example.is_replay for example in examples)
    wanted = min(limit, round(corrections * share / (1 - share)))
    accepted = sorted(
        (example for example in examples if example.is_replay),
        key=lambda example: (place("replay", example.prompt_key), example.id),
    )
    left_out = {example.id for example in accepted[wanted:]}
    return Step(
        NAME,
        [example for example in examples if example.id not in left_out],
        [example for example in examples if example.id in left_out],
    )
