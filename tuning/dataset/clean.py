"""Cleaning: pure steps, each of which says what it dropped. Order matters; see `STEPS`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from records.messages import Role
from records.states import ExampleSource
from tuning.dataset.examples import TrainingExample

Examples = list[TrainingExample]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step kept and dropped."""

    name: str
    kept: Examples
    dropped: Examples


def drop_unusable(examples: Sequence[TrainingExample]) -> Step:
    """Drop examples without a customer's words to answer or without an answer."""
    return _sift("without question or answer", examples, keep=_is_usable)


def drop_duplicates(examples: Sequence[TrainingExample]) -> Step:
    """Of examples with the same prompt and answer, keep the one that counts most."""
    best = _best_by(examples, key=lambda e: (e.prompt_key, e.answer_key))
    return _sift("exact duplicates", examples, keep=lambda e: e.id in best)


def drop_contradicted(examples: Sequence[TrainingExample]) -> Step:
    """Of examples with the same prompt and different answers, keep the one that counts most."""
    best = _best_by(examples, key=lambda e: (e.prompt_key,))
    return _sift("contradicted by a newer correction", examples, keep=lambda e: e.id in best)


STEPS: tuple[Callable[[Sequence[TrainingExample]], Step], ...] = (
    drop_unusable,
    drop_duplicates,
    drop_contradicted,
)


def clean(examples: Sequence[TrainingExample]) -> tuple[Examples, list[Step]]:
    """Run all steps in their order; cleaning what is clean changes nothing."""
    kept, steps = list(examples), []
    for run in STEPS:
        step = run(kept)
        kept = step.kept
        steps.append(step)
    return kept, steps


_WEIGHT = {
    ExampleSource.FLAG: 3,  # an agent looked at this very answer
    ExampleSource.REPLY: 2,
    ExampleSource.IMPORT: 1,
    ExampleSource.DOCUMENT: 1,
    ExampleSource.ACCEPTED: 0,  # the customer was content, which is less than being right
    ExampleSource.DECLINED: 0,
}


def _rank(example: TrainingExample) -> tuple[object, ...]:
    """What counts more compares greater: flags first, then the newest."""
    return (_WEIGHT[example.source], example.created_at, example.id)


def _best_by(
    examples: Iterable[TrainingExample], *, key: Callable[[TrainingExample], tuple[str, ...]]
) -> set[str]:
    best: dict[tuple[str, ...], TrainingExample] = {}
    for example in examples:
        known = best.get(key(example))
        if known is None or _rank(example) > _rank(known):
            best[key(example)] = example
    return {example.id for example in best.values()}


def _is_usable(example: TrainingExample) -> bool:
    asked = bool(example.prompt) and example.prompt[-1].role is Role.CUSTOMER
    return asked and bool(example.prompt[-1].content.strip()) and bool(example.answer.strip())


def _sift(
    name: str, examples: Sequence[TrainingExample], *, keep: Callable[[TrainingExample], bool]
) -> Step:
    kept = [example for example in examples if keep(example)]
    dropped = [example for example in examples if not keep(example)]
    return Step(name, kept, dropped)
