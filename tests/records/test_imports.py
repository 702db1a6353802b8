"""A team's history becomes examples that wait in App Home."""

from sqlalchemy import select

from records import imports
from records.assistant import Assistant
from records.database import Database
from records.imports import Lesson
from records.messages import Message, Role
from records.tables import OutboxMessage


def test_importing_twice_adds_once(database: Database, assistant: Assistant) -> None:
    lesson = Lesson(prompt=[Message(Role.CUSTOMER, "Hi")], chosen="Hello.")
    with database.write() as session:
        added = [
            imports.add_imported(
                session, lesson, assistant=assistant.name, key="import:1", approved=True, actor="me"
            )
            for _ in range(2)
        ]
    assert added == [True, False]


def test_unapproved_imports_wait_without_a_card_each(database: Database) -> None:
    with database.write() as session:
        for number in range(3):
            lesson = Lesson(prompt=[Message(Role.CUSTOMER, f"Hi {number}")], chosen="Hello.")
            imports.add_imported(
                session,
                lesson,
                assistant="support",
                key=f"import:{number}",
                approved=False,
                actor="me",
            )
        for _ in range(2):
            imports.tell_imported(session, "support", run="imp_1", number=3)
    with database.read() as session:
        rows = session.scalars(select(OutboxMessage)).all()
    assert [(row.kind, row.payload) for row in rows] == [("examples_imported", {"number": 3})]
