"""Documents: replaced by name, and what they no longer say is withdrawn."""

from typing import Any

import pytest
from sqlalchemy import select

from records import documents
from records.database import Database
from records.documents import Change, Page
from records.errors import NotFound
from records.imports import Imported, Lesson
from records.messages import Message, Role
from records.states import ExampleSource, ExampleState
from records.tables import Audit, Document, Example


def put(session: Any, text: str = "Words.", **changes: str) -> tuple[Document, Change]:
    page = Page(**{"name": "faq.md", "title": "FAQ", "text": text, **changes})
    return documents.put(session, page, assistant="support", actor="ann")


def said(document: Document, key: str, *, approved: bool = False) -> Imported:
    lesson = Lesson([Message(Role.CUSTOMER, key)], "Yes.", origin={"document": document.id})
    return Imported(lesson, approved, key)


def states(database: Database) -> dict[str, ExampleState]:
    with database.read() as session:
        return dict(session.execute(select(Example.key, Example.state)).tuples().all())


def test_adding_again_changes_only_what_changed(database: Database) -> None:
    with database.write() as session:
        first, added = put(session)
        _, same = put(session)
        again, changed = put(session, "Other words.", licence="MIT")
    assert (added, same, changed) == (Change.ADDED, Change.SAME, Change.CHANGED)
    assert first.id == again.id
    with database.read() as session:
        assert [d.text for d in documents.texts(session, "support")] == ["Other words."]
        assert [d.licence for d in documents.listed(session, "support")] == ["MIT"]
        assert list(documents.texts(session, "other")) == []
        noted = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert noted == ["document_added", "document_changed"]


def test_a_document_is_found_by_its_name_and_id(database: Database) -> None:
    with database.write() as session:
        document, _ = put(session)
        assert documents.get(session, "support", "faq.md") is document
        assert documents.get(session, "support", document.id) is document
        with pytest.raises(NotFound, match="documents list"):
            documents.get(session, "other", "faq.md")


def test_what_is_no_longer_said_is_withdrawn_and_comes_back_when_it_is(database: Database) -> None:
    with database.write() as session:
        document, _ = put(session)
        documents.add_examples(
            session,
            document,
            [said(document, "a", approved=True), said(document, "b")],
            actor="ann",
        )
    with database.write() as session:
        gone = documents.withdraw_others(
            session, document, said=lambda example: example.key == "b", actor="ann"
        )
    assert gone == 1
    assert states(database) == {"a": ExampleState.WITHDRAWN, "b": ExampleState.PROPOSED}
    with database.write() as session:
        new = documents.add_examples(
            session,
            document,
            [said(document, "a"), said(document, "b", approved=True)],
            actor="bob",
        )
    assert new == [True, False]
    assert states(database) == {"a": ExampleState.PROPOSED, "b": ExampleState.APPROVED}
    with database.read() as session:
        found = session.scalars(select(Example)).all()
    assert {example.source for example in found} == {ExampleSource.DOCUMENT}
    assert {example.key: example.decided_by for example in found} == {"a": None, "b": "bob"}


def test_what_somebody_rejected_stays_rejected(database: Database) -> None:
    with database.write() as session:
        document, _ = put(session)
        documents.add_examples(session, document, [said(document, "a")], actor="ann")
        session.scalars(select(Example)).one().state = ExampleState.REJECTED
    with database.write() as session:
        document = documents.get(session, "support", "faq.md")
        new = documents.add_examples(
            session, document, [said(document, "a", approved=True)], actor="ann"
        )
    assert new == [False]
    assert states(database) == {"a": ExampleState.REJECTED}


def test_removing_a_document_withdraws_its_examples_alone(database: Database) -> None:
    with database.write() as session:
        one, _ = put(session)
        other, _ = put(session, name="terms.md")
        documents.add_examples(session, one, [said(one, "a", approved=True)], actor="ann")
        documents.add_examples(session, other, [said(other, "b")], actor="ann")
        assert documents.remove(session, one, actor="ann") == 1
    assert states(database) == {"a": ExampleState.WITHDRAWN, "b": ExampleState.PROPOSED}
    with database.read() as session:
        assert [d.name for d in documents.listed(session, "support")] == ["terms.md"]
