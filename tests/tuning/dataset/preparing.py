"""Runs the pipeline on examples made in a test, and says what became of each."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from records.assistant import Assistant
from records.examples import StoredExample, to_json
from records.handoff import without_marker
from tests.tuning.build import BASE
from tuning.dataset.cases import Cases
from tuning.dataset.cleaning import Task
from tuning.dataset.collect import Gathered
from tuning.dataset.examples import TrainingExample
from tuning.dataset.options import resolve_data
from tuning.dataset.pipeline import HELD_OUT_SIDE, TRAIN_SIDE, Effort, Prepared, prepare
from tuning.dataset.scratch import keys_file
from tuning.dataset.settling import Settle, send_none_back
from tuning.training.recipe import Recipe

ASSISTANT = Assistant(name="support", system_prompt="Be brief.", base_model=str(BASE))


def gathered(example: TrainingExample) -> Gathered:
    """The example as the database would hold it."""
    marker = ASSISTANT.handoff_marker
    return Gathered(
        StoredExample(
            id=example.id,
            source=example.source,
            prompt=json.dumps(to_json(example.prompt)),
            chosen=without_marker(example.answer, marker=marker)[1],
            rejected=example.rejected,
            should_escalate=example.should_escalate,
            slice=json.dumps(example.slice),
            origin=json.dumps(example.origin),
            customer=example.customer,
            conversation_id=example.conversation_id,
            created_at=example.created_at,
        )
    )


@dataclass
class Outcome:
    """What became of examples, by their ids."""

    prepared: Prepared
    train: list[str]
    held_out: list[str]
    weights: dict[str, float]

    @property
    def kept(self) -> list[str]:
        return sorted([*self.train, *self.held_out])

    def dropped(self, step: str) -> int:
        return next((t.dropped for t in self.prepared.tallies if t.name == step), 0)

    def whys(self, step: str) -> list[str]:
        found = [t for t in self.prepared.tallies if t.name == step]
        return [sample["why"] for tally in found for sample in tally.samples]


def run(
    folder: Path,
    examples: Sequence[TrainingExample],
    *,
    recipe: Recipe | None = None,
    cases: Cases | None = None,
    settle: Settle = send_none_back,
    batch: int = 512,
    processes: int = 1,
    **data: Any,
) -> Outcome:
    """Prepare a dataset in a new folder of `folder`; `data` is the assistant's section."""
    scratch = folder / f"scratch-{len(list(folder.iterdir()))}"
    scratch.mkdir()
    prepared = prepare(
        batches(examples, size=batch),
        Task(ASSISTANT, resolve_data(data), cases or Cases()),
        recipe or Recipe(replay_share=0.95),
        folder=scratch,
        settle=settle,
        effort=Effort(processes=processes),
    )
    ids = pq.read_table(keys_file(scratch), columns=["id"]).column("id").to_pylist()
    sides = dict(zip(ids, prepared.sides.tolist(), strict=True))
    return Outcome(
        prepared,
        train=[name for name in ids if sides[name] == TRAIN_SIDE],
        held_out=[name for name in ids if sides[name] == HELD_OUT_SIDE],
        weights=dict(zip(ids, prepared.weights.tolist(), strict=True)),
    )


def batches(examples: Sequence[TrainingExample], *, size: int) -> Iterator[list[Gathered]]:
    """By their ids, as a database gives them."""
    ordered = sorted(examples, key=lambda example: example.id)
    for start in range(0, len(ordered), size):
        yield [gathered(example) for example in ordered[start : start + size]]
