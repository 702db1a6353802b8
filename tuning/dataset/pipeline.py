"""From approved examples to what a dataset will hold: all steps in their order.

Examples stream: through the steps for one example, on all cores, to a scratch folder; then the
steps for the whole set work on their keys. Memory does not grow with the number of examples, but
for some twenty bytes each. The same examples and options give the same result with any number of
processes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records.errors import EmptyDataset
from tuning.dataset import balance, contradictions, duplicates, forgetting
from tuning.dataset.cleaning import Task
from tuning.dataset.collect import Gathered
from tuning.dataset.crew import Crew, cores
from tuning.dataset.label_noise import Noise
from tuning.dataset.leaks import keep_cases_out
from tuning.dataset.leaving import interrupted
from tuning.dataset.noise import doubt_noise
from tuning.dataset.scratch import ScratchWriter
from tuning.dataset.settling import Settle, Settled, send_none_back
from tuning.dataset.sheet import Sheet
from tuning.dataset.split import split
from tuning.dataset.statistics import statistics
from tuning.dataset.tally import Tally
from tuning.training.recipe import Recipe

Batches = Iterable[Sequence[Gathered]]
OnProgress = Callable[[Mapping[str, Any]], None]


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Effort:
    """How the work is done; nothing of it changes what comes out."""

    processes: int = field(default_factory=cores)
    nice: int = 0
    """How far they step back for others on the same cores."""
    check: Callable[[], None] = _nothing
    """Called often: raises where the work is to be left."""
    on_progress: OnProgress = _nothing
    """Told how many examples are cleaned."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a dataset will hold, by the numbers of the examples in the scratch folder."""

    folder: Path
    sides: NDArray[np.int8]
    """For each example: `TRAIN_SIDE`, `HELD_OUT_SIDE`, or `NO_SIDE` where it was dropped.

    `KEPT_APART_SIDE` are those that evaluations ask (`forgetting.py`).
    """
    weights: NDArray[np.float32]
    tallies: list[Tally]
    figures: dict[str, Any]
    """What is in it, see `statistics.py`."""
    settled: Settled


NO_SIDE, TRAIN_SIDE, HELD_OUT_SIDE, KEPT_APART_SIDE = -1, 0, 1, 2


def prepare(
    batches: Batches,
    task: Task,
    recipe: Recipe,
    *,
    folder: Path,
    settle: Settle = send_none_back,
    effort: Effort | None = None,
) -> Prepared:
    """Clean, keep test cases out, balance and split, with `folder` (empty) for scratch.

    Raises:
        EmptyDataset: nothing, or less than the options want, is left to train on.
        LeakedCases: see `keep_cases_out`.
        ConfigurationError: an option or the recipe cannot be used.
    """
    effort = effort or Effort()
    is_small, batches = _peeked(batches)
    processes = 1 if is_small else effort.processes
    with Crew(task, processes=processes, nice=effort.nice) as crew:
        tallies = _clean(batches, task, crew, folder=folder, effort=effort)
        with (
            Sheet(folder, threads=processes) as sheet,
            interrupted(sheet.connection.interrupt, check=effort.check),
        ):
            noise, settled = _choose(sheet, crew, task, recipe, settle=settle, effort=effort)
            require_enough(sheet, minimum=task.options.minimum_examples, tallies=tallies)
            split(sheet, held_out_share=recipe.held_out_share)
            balance.weigh(sheet, half_life_days=recipe.recency_half_life_days)
            sides, weights = _sides(sheet)
            figures = statistics(sheet)
            if noise is not None:
                figures["label_noise"] = noise.as_json()
            return Prepared(folder, sides, weights, tallies + sheet.tallies, figures, settled)


def _peeked(batches: Batches) -> tuple[bool, Iterator[Sequence[Gathered]]]:
    """Whether there is no more than one batch, for which no process is worth starting."""
    waiting = iter(batches)
    first = list(islice(waiting, 2))
    return len(first) < 2, chain(first, waiting)


def _clean(
    batches: Iterator[Sequence[Gathered]],
    task: Task,
    crew: Crew,
    *,
    folder: Path,
    effort: Effort,
) -> list[Tally]:
    """Run the steps for one example; what is left is in the scratch folder then."""
    tallies: dict[str, Tally] = {}

    def full() -> list[str]:
        return [name for name, tally in tallies.items() if tally.is_full]

    with ScratchWriter(folder, task.bands) as writer:
        for cleaned in crew.clean(batches, full=full):
            effort.check()
            writer.write(cleaned)
            for tally in cleaned.tallies:
                tallies.setdefault(tally.name, Tally(tally.name)).add(tally)
            effort.on_progress({"cleaned": writer.rows})
    return list(tallies.values())


def _choose(
    sheet: Sheet, crew: Crew, task: Task, recipe: Recipe, *, settle: Settle, effort: Effort
) -> tuple[Noise | None, Settled]:
    """Run the steps for the whole set, but for the split."""
    least = task.options.near_duplicates
    keep_cases_out(sheet, on_leak=recipe.on_leak)
    duplicates.drop_equal(sheet)
    effort.check()
    duplicates.cluster_prompts(sheet, crew, bands=task.bands, least=least)
    effort.check()
    contradictions.drop_replaced(sheet)
    settled = contradictions.drop_contradictions(sheet, settle)
    duplicates.drop_nearly_equal(sheet)
    effort.check()
    noise, doubted = doubt_noise(sheet, task.options.label_noise, settle)
    effort.check()
    own = task.assistant.forgetting_cases is not None
    forgetting.keep_apart(sheet, share=0.0 if own else task.options.kept_apart)
    balance.cap_topics(sheet, recipe, task.options)
    balance.mix_replay(sheet, share=recipe.replay_share, limit=recipe.replay_limit)
    return noise, settled | doubted


def require_enough(sheet: Sheet, *, minimum: int, tallies: Sequence[Tally]) -> None:
    """See that enough is left to learn from, replay aside.

    Raises:
        EmptyDataset: it is not; the sentence says what was dropped.
    """
    left = sheet.count(balance.TEACHING)
    if left >= max(minimum, 1):
        return
    lost = [f"{t.name}: {t.dropped}" for t in [*tallies, *sheet.tallies] if t.dropped]
    dropped = f" Left out were: {'; '.join(lost)}." if lost else ""
    if not left:
        raise EmptyDataset(
            "There is no approved correction to train on. Flag bad answers in Slack and approve "
            f"their corrections, or add some with: understudy import FILE.{dropped}"
        )
    raise EmptyDataset(
        f"Only {left} corrections can be trained on, and the assistant's data.minimum_examples "
        f"wants {minimum}. Approve more, add some with: understudy import FILE, or lower it."
        f"{dropped}"
    )


def _sides(sheet: Sheet) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The side and weight of each example, by its number."""
    sides = np.full(sheet.size, NO_SIDE, np.int8)
    weights = np.ones(sheet.size, np.float32)
    query = "SELECT n, held, weight FROM sides JOIN weights USING (n)"
    for batch in sheet.batches(query, rows=65_536):
        numbers = batch.column("n").to_numpy()
        held = batch.column("held").to_numpy(zero_copy_only=False)
        sides[numbers] = np.where(held, HELD_OUT_SIDE, TRAIN_SIDE)
        weights[numbers] = batch.column("weight").to_numpy().astype(np.float32)
    (apart,) = sheet.numbers("SELECT n FROM apart")
    sides[apart] = KEPT_APART_SIDE
    return sides, weights
