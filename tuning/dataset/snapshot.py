"""Snapshots: a dataset as an immutable folder named by its content, and its rows in the records.

What the files hold is in `rows.py`.
"""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import EmptyDataset
from records.tables import Dataset, DatasetExample
from tuning.dataset.card import card
from tuning.dataset.clean import Step, clean
from tuning.dataset.examples import TrainingExample
from tuning.dataset.leaks import keep_cases_out
from tuning.dataset.options import resolve_data
from tuning.dataset.replay import mix
from tuning.dataset.rows import CARD, HELD_OUT, TRAIN, write_rows
from tuning.dataset.split import Split, split
from tuning.training.recipe import Recipe

_HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Prepared:
    """Examples ready to be trained on, and how they came to be."""

    parts: Split
    steps: list[Step]


def prepare(
    examples: Sequence[TrainingExample], recipe: Recipe, *, case_lines: dict[str, int]
) -> Prepared:
    """Clean, keep test cases out, mix replay in, split. Pure.

    Raises:
        EmptyDataset: nothing is left to train on.
        LeakedCases: see `keep_cases_out`.
    """
    kept, steps = clean(examples)
    steps.append(keep_cases_out(kept, case_lines, on_leak=recipe.on_leak))
    steps.append(mix(steps[-1].kept, share=recipe.replay_share, limit=recipe.replay_limit))
    usable = steps[-1].kept
    if all(example.is_replay for example in usable):
        raise EmptyDataset(
            "There is no approved correction to train on. Flag bad answers in Slack and approve "
            "their corrections, or add some with: understudy import FILE"
        )
    parts = split(usable, held_out_share=recipe.held_out_share)
    if all(example.is_replay for example in parts.train):
        parts = Split(train=usable, held_out=[])  # the few corrections there are must be trained on
    return Prepared(parts, steps)


def publish(
    database: Database, artifacts: Artifacts, assistant: Assistant, prepared: Prepared
) -> Dataset:
    """Write, name, publish and register a dataset; the same content gives the same dataset.

    Raises:
        StorageFull, StorageUnavailable: nothing half-written is seen.
    """
    with tempfile.TemporaryDirectory(prefix="understudy-dataset-") as temporary:
        folder = Path(temporary)
        write(folder, prepared, assistant)
        digest = json.loads((folder / CARD).read_text())["content_hash"]
        dataset_id = f"ds-{digest[:_HASH_DIGITS]}"
        path = f"datasets/{dataset_id}"
        stored = artifacts.publish(folder, path)
    row = Dataset(
        id=dataset_id,
        assistant=assistant.name,
        content_hash=digest,
        path=path,
        card=json.loads((stored / CARD).read_text()),
    )
    with database.write() as session:
        return _register(session, row, prepared.parts)


def write(folder: Path, prepared: Prepared, assistant: Assistant) -> None:
    """Write the files of a dataset into an empty folder."""
    parts = prepared.parts
    topic = resolve_data(assistant.data).topic
    digest = hashlib.sha256()
    for name, examples in ((TRAIN, parts.train), (HELD_OUT, parts.held_out)):
        rows = (
            example.row(system_prompt=assistant.system_prompt, topic=topic)
            for example in sorted(examples, key=lambda e: e.id)
        )
        digest.update(f"{name} {write_rows(folder / name, rows)}\n".encode())
    content = card(parts, prepared.steps, assistant=assistant.name)
    content["content_hash"] = digest.hexdigest()
    (folder / CARD).write_text(json.dumps(content, indent=2, ensure_ascii=False))


def _register(session: Session, row: Dataset, parts: Split) -> Dataset:
    known = session.get(Dataset, row.id)
    if known is not None:
        return known
    session.add(row)
    session.flush()
    sides = (("train", parts.train), ("held_out", parts.held_out))
    session.add_all(
        DatasetExample(dataset_id=row.id, example_id=example.id, split=side)
        for side, examples in sides
        for example in examples
    )
    return row
