"""Pages for continued pre-training: written by name, named by content, without test cases."""

from pathlib import Path

from evaluation.cases import prompt_id
from records import documents
from records.assistant import Assistant
from records.database import Database
from records.documents import Page
from records.messages import Message, Role
from tuning.dataset.cases import Cases
from tuning.dataset.documents import read_documents, write_documents
from tuning.dataset.nearness import asked
from tuning.dataset.rows import DOCUMENTS

TEXT = "# Help\n\nWelcome.\n\n## Is it free of charge?\n\nYes.\n\n## Where?\n\nHere."


def put(database: Database, *names: str, text: str = TEXT) -> None:
    with database.write() as session:
        for name in names:
            page = Page(name, "Help", text, "MIT")
            documents.put(session, page, assistant="support", actor="ann")


def test_without_pages_there_is_no_file(
    sqlite: Database, assistant: Assistant, tmp_path: Path
) -> None:
    assert write_documents(sqlite, assistant, tmp_path, cases=Cases()) is None
    assert list(read_documents(tmp_path / DOCUMENTS)) == []
    assert list(tmp_path.glob("*.parquet")) == []


def test_many_pages_are_written_once_each_by_name(
    database: Database, assistant: Assistant, tmp_path: Path
) -> None:
    put(database, *(f"{n:03d}.md" for n in reversed(range(150))))
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    first = write_documents(database, assistant, one, cases=Cases())
    again = write_documents(database, assistant, two, cases=Cases())
    assert first == again
    assert first is not None
    assert (first.pages, first.sections_left_out, first.licences) == (150, 0, ("MIT",))
    rows = list(read_documents(one / DOCUMENTS))
    assert [row.name for row in rows] == [f"{n:03d}.md" for n in range(150)]
    assert rows[0].text == TEXT
    put(database, "000.md", text="Other.")
    changed = write_documents(database, assistant, two, cases=Cases())
    assert changed is not None
    assert changed.identity != first.identity


def test_a_section_that_answers_a_test_case_is_left_out(
    sqlite: Database, assistant: Assistant, tmp_path: Path
) -> None:
    put(sqlite, "faq.md")
    prompt = [Message(Role.CUSTOMER, "is it free of charge")]
    cases = Cases(lines={prompt_id(prompt): 3}, prompts=[(3, asked(prompt))], least=0.8)
    done = write_documents(sqlite, assistant, tmp_path, cases=cases)
    assert done is not None
    assert done.sections_left_out == 1
    (row,) = read_documents(tmp_path / DOCUMENTS)
    assert row.text == "# Help\n\nWelcome.\n\n## Where?\n\nHere."
