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
from records.states import ExampleSource, ExampleState
from records.tables import Example, OutboxMessage
from tests.tuning.build import write_assistant
from tuning.sources.imported_line import ImportedLine, parse_line
from tuning.sources.importing import import_, import_lines


def said(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in pairs]


ASKED = said(("user", "Where is my card?"), ("assistant", "On its way."))


def line(**content: Any) -> bytes:
    return json.dumps({"messages": ASKED, **content}).encode()


def parsed(given: bytes) -> ImportedLine:
    return parse_line(given, assistant="support", marker="[handoff]")


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
    assert [bad["line"] for bad in first.bad] == [3, 1204]
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
