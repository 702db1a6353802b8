"""Importing: every kind of bad line by number and reason, good lines kept, twice is once."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from records.assistant import Assistant
from records.database import Database
from records.errors import InvalidInput
from records.imports import Imported
from records.states import ExampleSource, ExampleState
from records.tables import Example, OutboxMessage
from tests.tuning.build import write_assistant
from tuning.sources.commands import import_
from tuning.sources.imported_line import parse_line
from tuning.sources.importing import import_lines


def said(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in pairs]


ASKED = said(("user", "Where is my card?"), ("assistant", "On its way."))


def line(**content: Any) -> bytes:
    return json.dumps({"messages": ASKED, **content}).encode()


def parsed(given: bytes) -> Imported:
    found = parse_line(given, assistant="support", marker="[handoff]")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"messages": NaN}', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"messages": [{"role":"user","content":"\\ud800"}]}', "not JSON"),
        (b"[1, 2]", "not an object"),
        (b'"text"', "not an object"),
        (b"{}", "messages is missing"),
        (line(messages=[]), "messages"),
        (line(messages="hello"), "messages: input should be a valid list"),
        (line(messages=["hello"]), "messages.0"),
        (line(messages=said(("user", "a"))), "last one must be the assistant's"),
        (line(messages=said(("system", "a"))), "last one must be the assistant's"),
        (line(messages=said(("assistant", "a"))), "none of role user"),
        (line(messages=said(("user", "a"), ("assistant", "b"), ("assistant", "c"))), "before"),
        (line(messages=said(("user", " "), ("assistant", "b"))), "role user is empty"),
        (line(messages=said(("user", "a"), ("assistant", " "))), "answer is empty"),
        (line(messages=said(("tool", "a"), ("assistant", "b"))), "role must be"),
        (line(messages=said(("user", 7), ("assistant", "b"))), "content must be text"),
        (line(messages=[{"role": ["user"], "content": "a"}, *ASKED]), "role must be"),
        (line(messages=said(("user", "a\0b"), ("assistant", "b"))), "NUL"),
        (line(customer=7), "customer"),
        (line(customer=""), "customer"),
        (line(approved="yes"), "approved"),
        (line(should_escalate=1), "should_escalate"),
        (line(slice=["a"]), "slice"),
        (line(slice={"a": {"b": 1}}), "slice.a"),
        (line(aproved=True), "unknown key 'aproved'"),
        (b'{"prompt": "a"}', "messages is missing"),
        (b'{"prompt": "a", "completion": []}', "completion: list should have at least 1 item"),
        (
            b'{"prompt": "a", "completion": "b", "rejected": [{"role": "user", "content": "c"}]}',
            "rejected: it must be one answer",
        ),
    ],
)
def test_each_kind_of_bad_line_has_its_reason(given: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        parsed(given)


def test_a_leading_marker_is_taken_off_and_means_a_handoff() -> None:
    lesson = parsed(
        line(messages=said(("user", "Fraud!"), ("assistant", "[handoff] A colleague will help.")))
    ).lesson
    assert (lesson.chosen, lesson.should_escalate) == ("A colleague will help.", True)


def test_a_handoff_needs_no_words() -> None:
    given = line(messages=said(("user", "Fraud!"), ("assistant", "")), should_escalate=True)
    assert parsed(given).lesson.chosen == ""


def test_what_is_not_said_to_be_approved_is_proposed() -> None:
    assert parsed(line()).approved is False


def test_lessons_that_differ_in_spelling_only_are_the_same() -> None:
    same = said(("user", " where is MY card"), ("assistant", "on its way!"))
    assert parsed(line(messages=same)).key == parsed(line()).key
    assert parsed(line(should_escalate=True)).key != parsed(line()).key


def test_good_lines_are_kept_and_repeating_adds_nothing(
    database: Database, assistant: Assistant
) -> None:
    good = [
        line(messages=said(("user", f"Question {n}?"), ("assistant", "Yes.")), approved=True)
        for n in range(1200)
    ]
    lines = [b"\xef\xbb\xbf" + good[0], b"", b"{", *good[1:], b"  \n", line(approved=0)]
    first, second = (import_lines(database, lines, assistant=assistant, actor="a") for _ in "12")
    assert (first.added, first.known) == (1200, 0)
    assert (second.added, second.known) == (0, 1200)
    assert [bad["line"] for bad in first.bad_lines] == [3, 1204]
    with database.read() as session:
        states = select(Example.state, Example.source, func.count()).group_by(
            Example.state, Example.source
        )
        assert session.execute(states).all() == [
            (ExampleState.APPROVED, ExampleSource.IMPORT, 1200)
        ]


def test_a_run_that_leaves_examples_for_review_says_so_in_slack_once(
    database: Database, assistant: Assistant
) -> None:
    lines = [
        line(messages=said(("user", f"Question {n}?"), ("assistant", "Yes.")), approved=n == 0)
        for n in range(1200)
    ]
    for _ in range(2):
        import_lines(database, lines, assistant=assistant, actor="a")
    with database.read() as session:
        rows = session.scalars(select(OutboxMessage)).all()
    assert [(row.kind, row.subject, row.payload) for row in rows] == [
        ("examples_imported", "support", {"number": 1199})
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"prompt": "Where is my card?", "completion": "On its way."},
        {"prompt": ASKED[:1], "completion": ASKED[1:]},
        {"prompt": ASKED[:1], "chosen": ASKED[1:], "rejected": said(("assistant", "Lost."))},
        {
            "input": {"messages": ASKED[:1]},
            "preferred_output": ASKED[1:],
            "non_preferred_output": said(("assistant", "Lost.")),
        },
    ],
)
def test_other_programs_forms_are_the_same_lesson(given: dict[str, Any]) -> None:
    found = parsed(json.dumps(given).encode())
    assert found.key == parsed(line()).key
    assert found.lesson.rejected == ("Lost." if len(given) == 3 else None)


def test_a_wording_that_an_export_made_is_no_lesson_of_its_own() -> None:
    given = line(synthetic_of="ex_1")
    assert parse_line(given, assistant="support", marker="[handoff]") is None


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "home"))
    folder = write_assistant(tmp_path / "assistants")
    monkeypatch.setenv("UNDERSTUDY_ASSISTANTS", str(folder))
    return CliRunner().invoke(import_, arguments)


def test_the_command_reports_bad_lines_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(line(approved=True) + b"\nnonsense\n")
    done = run(tmp_path, monkeypatch, str(file), "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["added"] == 1
    assert f"{file}:2: not JSON" in done.stderr


def test_the_command_ends_with_0_where_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(line(approved=True))
    done = run(tmp_path, monkeypatch, str(file))
    assert done.exit_code == 0
    assert "understudy retrain" in done.stdout


def write_table(folder: Path) -> Path:
    file = folder / "tickets.csv"
    file.write_bytes(
        "Frage;Antwort;Kunde\nWo ist sie?;Unterwegs, grüße.;k1\nUnd wann?;;k1\nWo;Da;k2\n".encode(
            "cp1252"
        )
    )
    return file


MAP = "question=Frage,answer=Antwort,customer=Kunde"


def test_a_preview_shows_the_lessons_and_adds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_table(tmp_path)
    done = run(tmp_path, monkeypatch, str(file), "--columns", MAP, "--preview")
    assert done.exit_code == 0
    assert "windows-1252 (a guess" in done.stdout
    assert "semicolons; question ← Frage, answer ← Antwort" in done.stdout
    assert "right answer: Unterwegs, grüße." in done.stdout
    assert f"{file}:3: messages: the right answer is empty" in done.stdout
    assert "Nothing was added" in done.stdout
    assert not (tmp_path / "home" / "understudy.db").exists()


def test_each_example_says_its_file_line_and_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, bad = write_table(tmp_path), tmp_path / "bad.jsonl"
    done = run(
        tmp_path, monkeypatch, str(file), "--columns", MAP, "--licence", "CC-BY-4.0", "--approved",
        "--bad", str(bad), "--json",
    )  # fmt: skip
    assert done.exit_code == 1
    database = Database(f"sqlite:///{tmp_path / 'home' / 'understudy.db'}")
    with database.read() as session:
        found = session.scalars(select(Example)).all()
    database.close()
    assert {one.state for one in found} == {ExampleState.APPROVED}
    assert sorted((one.origin for one in found), key=lambda origin: origin["line"]) == [
        {"file": "tickets.csv", "line": number, "licence": "CC-BY-4.0"} for number in (2, 4)
    ]
    assert json.loads(bad.read_text())["line"] == 3


def test_of_several_files_one_with_other_columns_stops_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "more.jsonl"
    other.write_bytes(line())
    done = run(tmp_path, monkeypatch, str(write_table(tmp_path)), str(other), "--columns", MAP)
    assert "more.jsonl has no column 'Frage'" in str(done.exception)
    assert not (tmp_path / "home" / "understudy.db").exists()


def test_a_lines_own_licence_counts_more_than_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "f.jsonl"
    file.write_bytes(line(licence="MIT"))
    assert run(tmp_path, monkeypatch, str(file), "--licence", "CC-BY-4.0").exit_code == 0
    database = Database(f"sqlite:///{tmp_path / 'home' / 'understudy.db'}")
    with database.read() as session:
        origin = session.scalars(select(Example.origin)).one()
    database.close()
    assert origin["licence"] == "MIT"


def test_millions_of_bad_lines_are_counted_and_not_all_kept(
    sqlite: Database, assistant: Assistant
) -> None:
    summary = import_lines(sqlite, (b"{" for _ in range(5000)), assistant=assistant, actor="a")
    assert summary.bad == 5000
    assert len(summary.bad_lines) == 1000
