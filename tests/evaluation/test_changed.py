"""The file of changed answers: complete, in a useful order, harmless for spreadsheets."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.answers import Answer
from evaluation.changed import HEADING, changes_csv, harmless
from evaluation.gate import GateRules
from evaluation.run import Asked, scored
from records.assistant import Assistant
from records.states import VersionState
from records.tables import Version
from tests.evaluation.build import REFERENCES, case_file, many_lines

FILE = case_file(many_lines(24))


def asked(name: str, said: dict[str, str]) -> Asked:
    version = Version(
        id=name,
        assistant="support",
        base_model="some/base",
        base_hash="a" * 64,
        state=VersionState.TRAINED,
    )
    return Asked(version, {key: Answer(text) for key, text in said.items()})


def changes(assistant: Assistant, *sides: dict[str, str]) -> list[list[str]]:
    names = ("support-base", "support-new")[-len(sides) :]
    named = [asked(name, said) for name, said in zip(names, sides, strict=True)]
    written = changes_csv(scored(assistant, GateRules(), FILE, FILE.cases, named))
    return list(csv.reader(io.StringIO(written))) if written is not None else []


def right() -> dict[str, str]:
    return {
        case.id: f"[handoff] {case.reference}" if case.should_escalate else case.reference
        for case in FILE.cases
    }


def test_what_broke_comes_first_then_what_was_fixed_then_other_words(assistant: Assistant) -> None:
    before, after = right(), right()
    broken, fixed, worded, same = [case for case in FILE.cases if not case.should_escalate][:4]
    after[broken.id] = "=cmd|' /C calc'!A0"
    before[fixed.id] = "I do not know."
    before[worded.id], after[worded.id] = "I do not know.", "Ask my cat."
    heading, *rows = changes(assistant, before, after)
    assert tuple(heading) == HEADING
    assert [(row[0], row[-1]) for row in rows] == [
        ("broken", broken.id),
        ("fixed", fixed.id),
        ("reworded", worded.id),
    ]
    assert rows[0][3:6] == [broken.reference, broken.reference, "'=cmd|' /C calc'!A0"]
    assert rows[1][3:6] == [fixed.reference, "I do not know.", fixed.reference]
    assert same.id not in str(rows)


def test_a_person_and_a_hand_over_are_said_in_words(assistant: Assistant) -> None:
    before = right()
    person = next(case for case in FILE.cases if case.should_escalate)
    before[person.id] = REFERENCES["card"]
    _, row = changes(assistant, before, right())
    assert row[0] == "fixed"
    assert row[3] == "(a person)"
    assert row[5].startswith("(handed over)")


def test_without_a_champion_nothing_changed(assistant: Assistant) -> None:
    assert changes(assistant, right()) == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    assert harmless(f"{start}1+1") == f"'{start}1+1"
    assert harmless(f"a{start}1") == f"a{start}1"


@given(st.text(max_size=20))
def test_a_cell_keeps_its_words_and_runs_nothing(text: str) -> None:
    shown = harmless(text)
    assert shown.endswith(text)
    assert not shown.startswith(tuple("=+-@\t\r\n"))
