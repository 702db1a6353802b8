"""`understudy documents`: pages become records and examples, and replace themselves."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from records.assistant import Assistant
from records.database import Database
from records.states import ExampleState
from records.tables import Example, OutboxMessage
from tests.tuning.build import write_assistant
from tests.tuning.sources.documents.pdf_file import write_pdf
from tuning.sources.documents.adding import Added, add_documents
from tuning.sources.documents.commands import documents
from tuning.sources.documents.reading import find_documents

FAQ = "# Help\n\n## Is it free?\n\nYes.\n\n## Where?\n\nIn [handoff] any shop.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "en").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "en" / "faq.md").write_text(FAQ)
    (folder / ".git" / "note.md").write_text("# Hidden?\n\nYes.")
    (folder / "terms.html").write_text("<h1>Terms</h1><p>Be nice.</p>")
    write_pdf(folder / "fees.pdf", [[("No fees.", 10, 700)]])
    write_pdf(folder / "scan.pdf", [[]])
    (folder / "logo.png").write_bytes(b"png")
    return folder


def add(database: Database, folder: Path, assistant: Assistant, **options: Any) -> Added:
    return add_documents(
        database, find_documents([folder]), assistant=assistant, actor="ann", **options
    )


def test_a_folder_is_read_with_names_that_stay_and_bad_files_reported(
    database: Database, folder: Path, assistant: Assistant
) -> None:
    first = add(database, folder, assistant, licence="CC-BY-4.0")
    assert (first.added, first.examples, first.approved) == (3, 2, 0)
    assert [bad["file"] for bad in first.bad] == [str(folder / "scan.pdf")]
    again = add(database, folder, assistant, licence="CC-BY-4.0")
    assert (again.added, again.changed, again.same, again.examples) == (0, 0, 3, 0)
    with database.read() as session:
        found = session.scalars(select(Example)).all()
        told = session.scalars(select(OutboxMessage.payload)).all()
    assert told == [{"number": 2}]
    assert {one.prompt[0]["content"]: one.chosen for one in found} == {
        "Is it free?": "Yes.",
        "Where?": "In any shop.",
    }
    assert {one.origin["section"] for one in found} == {"Help › Is it free?", "Help › Where?"}
    assert {one.origin["licence"] for one in found} == {"CC-BY-4.0"}
    assert {one.should_escalate for one in found} == {False, True}


def test_a_changed_answer_takes_the_place_of_the_old_one(
    sqlite: Database, folder: Path, assistant: Assistant
) -> None:
    add(sqlite, folder, assistant, approved=True)
    (folder / "en" / "faq.md").write_text(FAQ.replace("Yes.", "No longer."))
    done = add(sqlite, folder, assistant)
    assert (done.changed, done.examples, done.withdrawn) == (1, 1, 1)
    with sqlite.read() as session:
        states = dict(session.execute(select(Example.chosen, Example.state)).tuples().all())
    assert states["Yes."] is ExampleState.WITHDRAWN
    assert states["No longer."] is ExampleState.PROPOSED
    assert states["In any shop."] is ExampleState.APPROVED


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNDERSTUDY_ASSISTANTS", str(write_assistant(tmp_path / "assistants")))
    return CliRunner().invoke(documents, arguments)


def test_the_commands_add_list_and_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    assert "There are no documents" in run(tmp_path, monkeypatch, "list").stdout
    added = run(tmp_path, monkeypatch, "add", str(folder), "--approved")
    assert added.exit_code == 1
    assert "scan.pdf: there is no text on its pages" in added.stderr
    assert "3 added" in added.stdout
    assert "2 new example(s) (2 approved, 0 to be reviewed" in added.stdout
    listed = json.loads(run(tmp_path, monkeypatch, "list", "--json").stdout)
    assert {row["name"]: row["examples"] for row in listed} == {
        "en/faq.md": 2,
        "fees.pdf": 0,
        "terms.html": 0,
    }
    removed = run(tmp_path, monkeypatch, "remove", "en/faq.md")
    assert "2 examples were withdrawn" in removed.stdout
    assert "en/faq.md" not in run(tmp_path, monkeypatch, "list").stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.docx", "save it as PDF or HTML"), ("a.csv", "understudy import"), ("a.xyz", ".md")],
)
def test_what_is_no_document_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    (tmp_path / name).write_text("x")
    done = run(tmp_path, monkeypatch, "add", str(tmp_path / name))
    assert done.exit_code == 1
    assert said in done.stderr
