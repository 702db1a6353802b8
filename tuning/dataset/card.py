"""The card of a dataset: what is in it, what was done to it, what to expect of it. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tuning.dataset.clean import Step
from tuning.dataset.examples import TrainingExample
from tuning.dataset.split import Split

_FEW = 1000
_SAMPLES = 3
_SAMPLE_CHARACTERS = 160


def card(parts: Split, steps: Sequence[Step], *, assistant: str) -> dict[str, Any]:
    """Counts by source and split, each step with samples of what it dropped, and warnings."""
    return {
        "assistant": assistant,
        "counts": {"train": len(parts.train), "held_out": len(parts.held_out)},
        "by_source": {"train": _sources(parts.train), "held_out": _sources(parts.held_out)},
        "should_escalate": {
            "train": sum(example.should_escalate for example in parts.train),
            "held_out": sum(example.should_escalate for example in parts.held_out),
        },
        "steps": [_step(step) for step in steps],
        "warnings": _warnings(parts),
        "samples": [_sample(example) for example in parts.train[:_SAMPLES]],
    }


def _sources(examples: Sequence[TrainingExample]) -> dict[str, int]:
    return dict(sorted(Counter(str(example.source) for example in examples).items()))


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "kept": len(step.kept),
        "dropped": len(step.dropped),
        "samples": [_sample(example) for example in step.dropped[:_SAMPLES]],
    }


def _sample(example: TrainingExample) -> dict[str, str]:
    asked = example.prompt[-1].content if example.prompt else ""
    return {
        "id": example.id,
        "asked": asked[:_SAMPLE_CHARACTERS],
        "answer": example.answer[:_SAMPLE_CHARACTERS],
    }


def _warnings(parts: Split) -> list[str]:
    warnings = []
    total = len(parts.train) + len(parts.held_out)
    if total < _FEW:
        warnings.append(
            f"Only {total} examples: expect better answers to what was corrected, but little that "
            f"carries over to new questions. {_FEW} or more make a difference."
        )
    if not parts.held_out:
        warnings.append(
            "Nothing is held out, so training cannot stop early: too few examples, or all from one "
            "customer."
        )
    if not any(example.is_replay for example in parts.train):
        warnings.append("No replay: training on corrections alone forgets what was right before.")
    return warnings
