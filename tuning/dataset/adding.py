"""Synthetic lessons: other wordings of what is trained on, checked before they join it.

They are never held out, and none may be a test case or nearly ask what is held out: either would
make a figure look better than it is.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from records.messages import Message, Role
from records.states import ExampleSource
from tuning.dataset.cases import Cases
from tuning.dataset.cleaning import LESSONS, Cleaner, Task
from tuning.dataset.examples import TrainingExample
from tuning.dataset.nearness import Asked
from tuning.dataset.pipeline import HELD_OUT_SIDE, KEPT_APART_SIDE, TRAIN_SIDE, Prepared
from tuning.dataset.scratch import keys_file, read_lessons
from tuning.dataset.tally import SAMPLES, Tally, sample

Augment = Callable[[Iterator[TrainingExample]], Iterator[TrainingExample]]
"""Given what is trained on, gives other wordings of it; what isn't synthetic is ignored."""
NAME = "synthetic wordings"
_BATCH = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def other_wordings(prepared: Prepared, task: Task, augment: Augment) -> tuple[pa.Table, Tally]:
    """Lessons (`cleaning.LESSONS`) that are added to those that are trained on, and what was done.

    They are cleaned as all others are. They are held in memory: each cost a model's answer, so they
    are not many.
    """
    started = time.process_time()
    cleaner, tally = Cleaner(task), Tally(NAME)
    held_out = _held_out(prepared, least=task.options.near_duplicates)
    tables = [LESSONS.empty_table()]
    made = (e for e in augment(_trained_on(prepared)) if e.synthetic_of is not None)
    while batch := list(islice(made, _BATCH)):
        tables.append(_added(batch, cleaner, task.cases, held_out, tally))
    tally.seconds = time.process_time() - started
    return pa.concat_tables(tables), tally


def _added(
    given: list[TrainingExample], cleaner: Cleaner, cases: Cases, held_out: Cases, tally: Tally
) -> pa.Table:
    """What is left of synthetic examples."""
    clean, _ = cleaner.run_steps(given)
    known = {example.id for example in clean}
    dropped = [(example, "not clean") for example in given if example.id not in known]
    prompts = [example.prompt for example in clean]
    kept = []
    contacts = zip(clean, cases.contact(prompts), held_out.contact(prompts), strict=True)
    for example, case, held in contacts:
        if case is not None:
            dropped.append((example, f"line {case} of the cases file"))
        elif held is not None:
            dropped.append((example, "asks what is held out"))
        else:
            kept.append(example)
    tally.kept += len(kept)
    tally.dropped += len(dropped)
    tally.whys.update(why for _, why in dropped)
    shown = [sample(example, why) for example, why in dropped[:SAMPLES]]
    tally.samples = (tally.samples + shown)[:SAMPLES]
    return pa.Table.from_batches([cleaner.finish(kept, kept, []).lessons])


def _held_out(prepared: Prepared, *, least: float) -> Cases:
    """The held-out prompts, to be found by their likeness to others."""
    lines: dict[str, int] = {}
    prompts: list[tuple[int, Asked]] = []
    columns = ["n", "prompt", "last", "talk"]
    for keys in _key_groups(prepared, columns):
        for key in keys.to_pylist():
            if prepared.sides[key["n"]] in (HELD_OUT_SIDE, KEPT_APART_SIDE):
                lines[f"{key['prompt']:016x}"] = key["n"]
                prompts.append((key["n"], Asked(key["last"], key["talk"])))
    return Cases(lines=lines, prompts=prompts, least=least)


def _trained_on(prepared: Prepared) -> Iterator[TrainingExample]:
    """What is trained on, as examples without customer and conversation."""
    groups = _key_groups(prepared, ["n", "created"])
    for lessons, keys in zip(read_lessons(prepared.folder), groups, strict=True):
        numbers, created = keys.column("n").to_numpy(), keys.column("created").to_pylist()
        for at, record in enumerate(lessons.to_pylist()):
            if prepared.sides[numbers[at]] == TRAIN_SIDE:
                yield _example(record, created[at])


def _key_groups(prepared: Prepared, columns: Iterable[str]) -> Iterator[pa.Table]:
    with pq.ParquetFile(keys_file(prepared.folder)) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=list(columns))


def _example(record: dict[str, Any], created: int) -> TrainingExample:
    said = [message for message in record["prompt"] if message["role"] != "system"]
    roles = {"user": Role.CUSTOMER, "assistant": Role.ASSISTANT}
    return TrainingExample(
        id=record["id"],
        source=ExampleSource(record["source"]),
        prompt=tuple(Message(roles[m["role"]], m["content"]) for m in said),
        answer=record["answer"] or "",
        created_at=_EPOCH + timedelta(microseconds=created),
        should_escalate=record["should_escalate"],
        slice=json.loads(record["slice"]),
        rejected=record["rejected"],
        origin=json.loads(record["origin"]),
        weight=record["weight"],
        unlearned=frozenset(
            at for at, m in enumerate(said) if m["role"] == "assistant" and not m["learn"]
        ),
    )
