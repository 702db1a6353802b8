"""Old skills: what customers were content with, asked again of champion and challenger.

The questions are those that an assistant's file names (`forgetting_cases`), or else accepted
answers that the challenger's dataset keeps apart and that are never trained on. Their texts are
customers', so that reports name them by their ids only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.cases import Case, prompt_id, read_cases
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import NotFound
from records.handoff import without_marker
from records.messages import from_chat
from records.tables import Dataset, Version

NAME = "old skills"
"""The line of the report that says how they fared."""
MOST = 200
"""Questions that are asked: more would make an evaluation longer, and show little more."""
_FILE = "kept_apart.parquet"


@dataclass(frozen=True, slots=True)
class Suite:
    """Questions about old skills, in the order of their ids."""

    cases: tuple[Case, ...]
    source: str
    """The file or dataset that they come from."""
    named: bool
    """Whether the assistant's file names them: then too few of them are too few."""
    names: Mapping[str, str]
    """What people know a case by: the id of its example, or its own."""
    left_out: int = 0
    """Questions that a version was trained on, or that are frozen cases anyway."""

    def without(self, ids: Iterable[str]) -> "Suite":
        """The suite without some cases."""
        gone = set(ids)
        kept = tuple(case for case in self.cases if case.id not in gone)
        left_out = self.left_out + len(self.cases) - len(kept)
        return Suite(kept, self.source, self.named, self.names, left_out)


def find_suite(
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    versions: Sequence[Version],
) -> Suite | None:
    """The questions to ask: the assistant's own, or what a version's dataset keeps apart.

    Of the versions, which come champion first, the last one with such a dataset counts. None where
    there are no questions: the history is short, or its datasets were erased.

    Raises:
        NotFound, InvalidInput: the file that the assistant names cannot be read.
        StorageUnavailable: a dataset cannot be read.
    """
    if assistant.forgetting_cases is not None:
        return _named(Path(assistant.forgetting_cases))
    for version in reversed(versions):
        found = _kept_apart(database, artifacts, assistant, version)
        if found is not None:
            return found
    return None


def _named(path: Path) -> Suite | None:
    cases = read_cases(path).cases[:MOST]
    return Suite(cases, str(path), named=True, names={c.id: c.id for c in cases}) if cases else None


def _kept_apart(
    database: Database, artifacts: Artifacts, assistant: Assistant, version: Version
) -> Suite | None:
    with database.read() as session:
        dataset = session.get(Dataset, version.dataset_id) if version.dataset_id else None
    if dataset is None:
        return None
    try:
        file = artifacts.fetch(dataset.path) / _FILE
    except NotFound:  # erased
        return None
    if not file.exists():
        return None
    found: dict[str, tuple[Case, str]] = {}
    for record in _records(file):
        case = _case(record, marker=assistant.handoff_marker)
        found.setdefault(case.id, (case, str(record["id"])))
    ordered = [found[key] for key in sorted(found)][:MOST]
    return Suite(
        tuple(case for case, _ in ordered),
        dataset.id,
        named=False,
        names={case.id: name for case, name in ordered},
    )


def _records(file: Path) -> list[dict[str, Any]]:
    """Rows as `tuning/dataset/rows.py` keeps them."""
    import pyarrow.parquet as pq

    columns = ["id", "prompt", "answer", "should_escalate"]
    found: list[dict[str, Any]] = pq.read_table(file, columns=columns).to_pylist()
    return found


def _case(record: Mapping[str, Any], *, marker: str) -> Case:
    messages = tuple(from_chat(record["prompt"]))
    _, reference = without_marker(record["answer"] or "", marker=marker)
    return Case(
        id=prompt_id(messages),
        messages=messages,
        reference=reference,
        should_escalate=record["should_escalate"],
        topic=None,
        slice={},
    )
