"""Documents: pages of the team's knowledge, and the examples that were read out of them.

Adding a page once more replaces its text. What it no longer says it no longer teaches: examples
from words that are gone are withdrawn, whether somebody had approved them or not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from records import audit, examples
from records.database import lock_assistant
from records.errors import NotFound
from records.ids import utc_now
from records.imports import Imported, add_all_imported
from records.states import ExampleSource, ExampleState
from records.tables import Document, Example

WITHDRAWN = "example_withdrawn"
"""What the audit log calls taking an example back because its page no longer says it."""
_STREAMED = 50
_LIVE = (ExampleState.PROPOSED, ExampleState.APPROVED)


class Change(StrEnum):
    """What adding a page did."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Page:
    """A document before it is a record: what it is called, and its plain text with headings."""

    name: str
    title: str
    text: str
    licence: str | None = None


def put(session: Session, page: Page, *, assistant: str, actor: str) -> tuple[Document, Change]:
    """Add a page, or replace the one of the same name."""
    lock_assistant(session, assistant)
    known = session.scalar(
        select(Document).where(Document.assistant == assistant, Document.name == page.name)
    )
    if known is None:
        row = Document(assistant=assistant, name=page.name, added_by=actor)
        session.add(row)
        change = Change.ADDED
    else:
        row = known
        now = (row.title, row.text, row.licence)
        change = Change.SAME if now == (page.title, page.text, page.licence) else Change.CHANGED
    if change is not Change.SAME:
        row.title, row.text, row.licence = page.title, page.text, page.licence
        row.updated_at = utc_now()
        session.flush()
        audit.note(session, actor=actor, action=f"document_{change}", subject=row.id)
    return row, change


def get(session: Session, assistant: str, wanted: str) -> Document:
    """One document by its id or name.

    Raises:
        NotFound: no such document.
    """
    found = session.scalar(
        select(Document).where(
            Document.assistant == assistant, (Document.id == wanted) | (Document.name == wanted)
        )
    )
    if found is None:
        raise NotFound(f"No document {wanted!r}. See which there are: understudy documents list")
    return found


def listed(session: Session, assistant: str) -> list[Document]:
    """All documents by name, their text not loaded."""
    return list(
        session.scalars(
            select(Document)
            .where(Document.assistant == assistant)
            .order_by(Document.name)
            .options(defer(Document.text, raiseload=True))
        )
    )


def texts(session: Session, assistant: str) -> Iterator[Document]:
    """All documents with their text, by name, a few in memory at a time."""
    yield from session.scalars(
        select(Document)
        .where(Document.assistant == assistant)
        .order_by(Document.name)
        .execution_options(yield_per=_STREAMED)
    )


def remove(session: Session, document: Document, *, actor: str) -> int:
    """Take a document away; returns how many examples are withdrawn with it."""
    withdrawn = withdraw_others(session, document, said=lambda _: False, actor=actor)
    audit.note(session, actor=actor, action="document_removed", subject=document.id)
    session.delete(document)
    return withdrawn


def add_examples(
    session: Session, document: Document, wanted: Sequence[Imported], *, actor: str
) -> list[bool]:
    """Add a document's examples; for each whether it is new, or was withdrawn and is said again.

    Those that are approved here and waited before are approved.
    """
    added = add_all_imported(
        session,
        wanted,
        assistant=document.assistant,
        actor=actor,
        source=ExampleSource.DOCUMENT,
    )
    session.flush()
    again = [one for one, is_new in zip(wanted, added, strict=True) if not is_new]
    revived = _say_again(session, again, actor=actor)
    return [is_new or one.key in revived for one, is_new in zip(wanted, added, strict=True)]


def withdraw_others(
    session: Session, document: Document, *, said: Callable[[Example], bool], actor: str
) -> int:
    """Withdraw a document's examples but those that it still says; returns how many."""
    gone = [one for one in examples_of(session, document.id) if not said(one)]
    for example in gone:
        example.state = ExampleState.WITHDRAWN
        audit.note(session, actor=actor, action=WITHDRAWN, subject=example.id)
    return len(gone)


def examples_of(session: Session, document_id: str) -> Sequence[Example]:
    """A document's examples that are proposed or approved."""
    return session.scalars(
        select(Example)
        .where(
            Example.source == ExampleSource.DOCUMENT,
            Example.state.in_(_LIVE),
            Example.origin["document"].as_string() == document_id,
        )
        .order_by(Example.id)
    ).all()


def _say_again(session: Session, wanted: Sequence[Imported], *, actor: str) -> set[str]:
    """Bring withdrawn examples back, and approve what is approved now; the keys brought back."""
    approved = {one.key: one.approved for one in wanted}
    revived = set()
    for example in session.scalars(select(Example).where(Example.key.in_(approved))):
        if example.state is ExampleState.WITHDRAWN:
            example.state, example.decided_by = ExampleState.PROPOSED, None
            example.decided_at = None
            revived.add(example.key)
        if approved[example.key] and example.state is ExampleState.PROPOSED:
            examples.decide(session, example.id, approve=True, actor=actor)
    return revived
