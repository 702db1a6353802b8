"""Snapshots: a dataset as an immutable folder named by its content, and its rows in the records.

What the files hold is in `rows.py`; how it is chosen, in `pipeline.py`.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import delete, func, insert, select

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import Conflict
from records.states import TrainingMethod
from records.tables import Dataset, DatasetExample, Example
from tuning.augmentation.augment import Augmentation
from tuning.dataset.adding import Augment, other_wordings
from tuning.dataset.card import SAMPLES, card
from tuning.dataset.cases import read_cases
from tuning.dataset.cleaning import Task
from tuning.dataset.collect import collect
from tuning.dataset.documents import write_documents
from tuning.dataset.forgetting import KEPT_APART_SPLIT
from tuning.dataset.options import resolve_data
from tuning.dataset.pipeline import NO_SIDE, Effort, Prepared, prepare
from tuning.dataset.review import send_back
from tuning.dataset.rows import CARD, DOCUMENTS
from tuning.dataset.scratch import keys_file, storage_error
from tuning.dataset.statistics import SIDES
from tuning.dataset.writing import content_hash, write_files
from tuning.training.recipe import Recipe

LENGTHS, TOPICS = "lengths.png", "topics.png"
"""Plots; beside each lies its text in words (`lengths.txt`)."""
_HASH_DIGITS = 12
_BATCH = 2000
"""Rows registered in one transaction: so many that others hardly wait for the write lock."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a dataset is wanted for."""

    assistant: Assistant
    recipe: Recipe
    since: datetime | None = None
    """Corrections approved before are left out."""
    job_id: str | None = None
    augment: Augment | None = None
    effort: Effort = field(default_factory=Effort)


def take(database: Database, artifacts: Artifacts, order: Order, *, scratch: Path) -> Dataset:
    """Collect, clean, split, write, publish and register; the same content, the same dataset.

    `scratch` is a folder of its own, emptied first and removed at the end.

    Raises:
        EmptyDataset, LeakedCases: there is nothing, or something that must not be trained on.
        ConfigurationError: the recipe or the assistant's `data:` cannot be used.
        StorageFull, StorageUnavailable: nothing half-written is seen.
    """
    assistant = order.assistant
    options = resolve_data(assistant.data)
    cases = read_cases(assistant, least=options.near_duplicates)
    task = Task(assistant, options, cases)
    declined = order.recipe.method is TrainingMethod.KTO
    with _emptied(scratch) as (working, finished):
        prepared = prepare(
            collect(database, assistant, since=order.since, declined=declined),
            task,
            order.recipe,
            folder=working,
            settle=send_back(database, assistant, most=options.most_sent_back, job=order.job_id),
            effort=order.effort,
        )
        content = write(finished, prepared, task, order, database)
        return _publish(database, artifacts, finished, content, prepared)


@contextmanager
def _emptied(scratch: Path) -> Iterator[tuple[Path, Path]]:
    """Folders for the work and for what comes of it; what a killed run left there is removed.

    Raises:
        StorageFull: there is no space left.
        StorageUnavailable: memory is too short, even with what is spilled to disk.
    """
    import duckdb

    shutil.rmtree(scratch, ignore_errors=True)
    working, finished = scratch / "working", scratch / "finished"
    try:
        for folder in (working, finished):
            folder.mkdir(parents=True)
        yield working, finished
    except (OSError, duckdb.Error) as error:
        ours = storage_error(error)
        if ours is None:
            raise
        raise ours from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write(
    folder: Path, prepared: Prepared, task: Task, order: Order, database: Database
) -> dict[str, Any]:
    """Write the files of a dataset into an empty folder; returns its card."""
    added: pa.Table | None = None
    tallies = list(prepared.tallies)
    if order.augment is not None:
        added, tally = other_wordings(prepared, task, order.augment)
        tallies.append(tally)
    written = write_files(folder, prepared, added=added, samples=SAMPLES)
    content = card(
        prepared.figures,
        tallies,
        written.first,
        assistant=task.assistant.name,
        synthetic=added.num_rows if added is not None else 0,
        settled=prepared.settled,
    )
    if isinstance(order.augment, Augmentation):
        report = order.augment.report
        content["augmentation"] = report.as_json()
        content["warnings"] += [report.failure] if report.failure else []
    identities = dict(written.identities)
    if order.recipe.method is TrainingMethod.DOCUMENTS:
        pages = write_documents(database, task.assistant, folder, cases=task.cases)
        if pages is not None:
            content["documents"] = asdict(pages)
            identities[DOCUMENTS] = pages.identity
    content["content_hash"] = content_hash(identities)
    content["plots"] = _draw(folder, content)
    (folder / CARD).write_text(json.dumps(content, indent=2, ensure_ascii=False))
    return content


def _draw(folder: Path, content: Mapping[str, Any]) -> list[dict[str, str]]:
    """Draw the plots; each one's text in words lies beside it."""
    from evaluation.dataset_plots import draw_lengths, draw_topics

    drawn = {LENGTHS: draw_lengths(content["lengths"], folder / LENGTHS)}
    if any(content["by_topic"].values()):
        drawn[TOPICS] = draw_topics(content["by_topic"], folder / TOPICS)
    for name, words in drawn.items():
        (folder / name).with_suffix(".txt").write_text(words + "\n")
    return [{"file": name, "alt": words} for name, words in drawn.items()]


def _publish(
    database: Database,
    artifacts: Artifacts,
    folder: Path,
    content: Mapping[str, Any],
    prepared: Prepared,
) -> Dataset:
    digest = content["content_hash"]
    dataset_id = f"ds-{digest[:_HASH_DIGITS]}"
    path = f"datasets/{dataset_id}"
    stored = artifacts.publish(folder, path)
    row = Dataset(
        id=dataset_id,
        assistant=content["assistant"],
        content_hash=digest,
        path=path,
        card=json.loads((stored / CARD).read_text()),
    )
    with database.write() as session:
        known = session.get(Dataset, dataset_id)
        if known is None:
            session.add(row)
    if not _register(database, dataset_id, prepared):
        _forget(database, artifacts, row)
        raise Conflict(
            "Examples were erased while the dataset was made, so it was thrown away. Retrain once "
            "more."
        )
    return known or row


def _forget(database: Database, artifacts: Artifacts, row: Dataset) -> None:
    """Leave nothing of a dataset that holds words which were erased meanwhile."""
    artifacts.erase(row.path)
    with database.write() as session:
        session.execute(delete(DatasetExample).where(DatasetExample.dataset_id == row.id))
        session.execute(delete(Dataset).where(Dataset.id == row.id))


def _register(database: Database, dataset_id: str, prepared: Prepared) -> bool:
    """Note which examples a dataset holds; False where some were erased meanwhile.

    Synthetic lessons are their parents', which are noted. What a killed run noted is left alone.
    """
    wanted = int((prepared.sides != NO_SIDE).sum())
    if _noted(database, dataset_id) == wanted:
        return True
    for batch in _memberships(prepared):
        with database.write() as session:
            ids = [row["example_id"] for row in batch]
            known = set(
                session.scalars(
                    select(DatasetExample.example_id).where(
                        DatasetExample.dataset_id == dataset_id, DatasetExample.example_id.in_(ids)
                    )
                )
            )
            there = set(session.scalars(select(Example.id).where(Example.id.in_(ids))))
            new = [
                {"dataset_id": dataset_id, **row}
                for row in batch
                if row["example_id"] in there - known
            ]
            if new:
                session.execute(insert(DatasetExample), new)
    return _noted(database, dataset_id) == wanted


def _noted(database: Database, dataset_id: str) -> int:
    counted = select(func.count()).where(DatasetExample.dataset_id == dataset_id)
    with database.read() as session:
        return session.scalar(counted) or 0


def _memberships(prepared: Prepared) -> Iterator[list[dict[str, str]]]:
    """The ids of a dataset's examples and their sides, in batches."""
    start, names = 0, (*SIDES, KEPT_APART_SPLIT)
    with pq.ParquetFile(keys_file(prepared.folder)) as file:
        for found in file.iter_batches(batch_size=_BATCH, columns=["id"]):
            sides = prepared.sides[start : start + found.num_rows]
            start += found.num_rows
            ids = found.column("id").to_pylist()
            yield [
                {"example_id": name, "split": names[side]}
                for name, side in zip(ids, sides, strict=True)
                if side != NO_SIDE
            ]
