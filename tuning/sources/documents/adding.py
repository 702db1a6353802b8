"""Adding documents: their text becomes a record, what they ask and answer becomes examples."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from evaluation.cases import prompt_id
from records import documents
from records.assistant import Assistant
from records.database import Database
from records.documents import Change, Page
from records.errors import InvalidInput
from records.handoff import without_marker
from records.ids import new_id
from records.imports import Imported, Lesson, tell_imported
from records.messages import Message, Role
from records.tables import Document, Example
from records.text import normalise
from tuning.sources.documents.blocks import Pair, sections
from tuning.sources.documents.reading import ReadDocument, read_document

BY_PAGE, BY_MODEL = "page", "model"
"""Who asked the question of a document's example: the page itself, or a model."""
_KEY_DIGITS = 40


@dataclass(slots=True)
class Added:
    """What came of a run over documents."""

    assistant: str
    added: int = 0
    changed: int = 0
    same: int = 0
    examples: int = 0
    """New ones, and those that were withdrawn and are said again."""
    approved: int = 0
    withdrawn: int = 0
    """Examples from words that a page no longer has."""
    bad: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "assistant": self.assistant,
            "documents": {"added": self.added, "changed": self.changed, "same": self.same},
            "examples_added": self.examples,
            "examples_approved": self.approved,
            "examples_withdrawn": self.withdrawn,
            "bad_files": self.bad,
        }


def add_documents(
    database: Database,
    files: Iterable[tuple[Path, str]],
    *,
    assistant: Assistant,
    actor: str,
    approved: bool = False,
    licence: str | None = None,
    on_bad: Callable[[Path, str], None] = lambda _path, _reason: None,
) -> Added:
    """Add files under the names given, each in a transaction of its own; bad ones are reported.

    Raises:
        StorageError: the file at hand was not added; the ones before it were.
    """
    done, run = Added(assistant.name), new_id("imp")
    for path, name in files:
        try:
            read = read_document(path)
        except (InvalidInput, OSError) as error:
            reason = str(error) if isinstance(error, InvalidInput) else str(error.strerror)
            done.bad.append({"file": str(path), "reason": reason})
            on_bad(path, reason)
            continue
        with database.write() as session:
            _add(session, done, read, name=name, assistant=assistant, actor=actor,
                 approved=approved, licence=licence)  # fmt: skip
    if waiting := done.examples - done.approved:
        with database.write() as session:
            tell_imported(session, assistant.name, run=run, number=max(0, waiting))
    return done


def _add(
    session: Session,
    done: Added,
    read: ReadDocument,
    *,
    name: str,
    assistant: Assistant,
    actor: str,
    approved: bool,
    licence: str | None,
) -> None:
    page = Page(name, read.title, read.text, licence)
    document, change = documents.put(session, page, assistant=assistant.name, actor=actor)
    wanted = [
        to_example(document, pair, assistant=assistant, approved=approved, asked_by=BY_PAGE)
        for pair in read.pairs
    ]
    added = documents.add_examples(session, document, wanted, actor=actor)
    keys = {one.key for one in wanted}
    answers = {section.text for section in sections(document.text)}

    def still_said(example: Example) -> bool:
        if example.origin.get("asked_by") == BY_MODEL:
            return example.chosen in answers
        return example.key in keys

    done.withdrawn += documents.withdraw_others(session, document, said=still_said, actor=actor)
    done.added += change is Change.ADDED
    done.changed += change is Change.CHANGED
    done.same += change is Change.SAME
    done.examples += sum(added)
    done.approved += sum(added) if approved else 0


def to_example(
    document: Document,
    pair: Pair,
    *,
    assistant: Assistant,
    approved: bool,
    asked_by: str,
    model: str | None = None,
) -> Imported:
    """An example of a document; the same question and answer of the same document is the same."""
    marked, answer = without_marker(pair.answer, marker=assistant.handoff_marker)
    prompt = [Message(Role.CUSTOMER, pair.question)]
    parts = (assistant.name, document.name, prompt_id(prompt), normalise(answer) or answer)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_KEY_DIGITS]
    origin = {
        "document": document.id,
        "page": document.name,
        "section": pair.section,
        "asked_by": asked_by,
    }
    if document.licence:
        origin["licence"] = document.licence
    if model:
        origin["model"] = model
    lesson = Lesson(prompt, answer, should_escalate=marked, origin=origin)
    return Imported(lesson, approved, f"document:{key}")
