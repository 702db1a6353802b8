"""What a report says and shows, from scores made by hand."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evaluation.answers import Answer
from evaluation.gate import GateRules
from evaluation.plot import draw
from evaluation.run import Asked, assess
from evaluation.wording import changed, difference, estimate, markdown, metric_rows, notes
from records.assistant import Assistant
from records.states import VersionState
from records.tables import Version
from tests.evaluation.build import REFERENCES, case_file, line, many_lines

FILE = case_file(many_lines(60), path="cases.jsonl")


def asked(name: str, said: dict[str, str]) -> Asked:
    version = Version(
        id=name,
        assistant="support",
        base_model="some/base",
        base_hash="a" * 64,
        dataset_id=None if name.endswith("base") else "ds-1",
        state=VersionState.TRAINED,
    )
    return Asked(version, {key: Answer(text, duration_ms=5.0) for key, text in said.items()})


def right() -> dict[str, str]:
    return {
        case.id: f"[handoff] {case.reference}" if case.should_escalate else case.reference
        for case in FILE.cases
    }


def body_of(assistant: Assistant, *sides: Asked) -> dict[str, Any]:
    return assess(assistant, GateRules(), FILE, FILE.cases, sides)


@pytest.fixture
def compared(assistant: Assistant) -> dict[str, Any]:
    """The base answers everything with the same sentence; the challenger errs on one topic."""
    same = dict.fromkeys(right(), REFERENCES["card"])
    better = {
        case.id: "Ask later [handoff]" if case.topic == "pin" else right()[case.id]
        for case in FILE.cases
    }
    return body_of(assistant, asked("support-base", same), asked("support-new", better))


def test_the_verdict_and_why_come_first(compared: dict[str, Any]) -> None:
    lines = markdown(compared).splitlines()
    assert lines[0] == "# INCONCLUSIVE: support-new against support-base"
    assert lines[2] == "- Too few cases: 60; a verdict needs at least 300."
    assert "| Customers not served right (less is better) |" in markdown(compared)


def test_it_says_where_it_came_from_and_how_to_do_it_again(compared: dict[str, Any]) -> None:
    text = markdown(compared)
    assert "- support-base: no adapter, no dataset, base aaaaaaaaaaaa" in text
    assert "- support-new: no adapter, ds-1, base aaaaaaaaaaaa" in text
    assert text.endswith("`understudy compare support-base support-new --cases cases.jsonl`\n")


def test_changed_answers_are_of_many_topics_and_at_most_ten(compared: dict[str, Any]) -> None:
    shown = compared["changes"]["shown"]
    assert len(shown) == 10
    fixed = [change for change in shown if change["kind"] == "fixed"]
    assert len({change["topic"] for change in fixed[:2]}) == 2
    assert all(change["champion"]["text"] == REFERENCES["card"] for change in shown)


def test_the_plot_is_told_in_words_too(compared: dict[str, Any]) -> None:
    said = compared["alt_text"]
    assert said.startswith("Customers not served right, support-base → support-new: all 75.0 % [")
    assert said.count(" → ") == 6


def test_misplaced_markers_are_told(compared: dict[str, Any]) -> None:
    pins = sum(case.topic == "pin" for case in FILE.cases)
    assert f"Answers of support-new: {pins} with a misplaced handoff marker." in notes(compared)


def test_what_is_undefined_is_a_dash_and_a_note(assistant: Assistant) -> None:
    file = case_file([line("Alone?")])
    side = asked("support-new", {file.cases[0].id: REFERENCES["card"]})
    body = assess(assistant, GateRules(), file, file.cases, [side])
    recall = next(row for row in metric_rows(body) if row[0].startswith("Handed over, of those"))
    assert recall[1] == "–"
    assert any("no handoff to be missed" in note for note in notes(body))


def test_differences_are_those_of_the_figures_as_shown(compared: dict[str, Any]) -> None:
    compared_rows = [row for row in metric_rows(compared)[1:] if "–" not in row]
    for row in compared_rows:
        before, after, change = (Decimal(cell.split()[0]) for cell in row[1:])
        assert after - before == change, row
    assert len(compared_rows) > 3


def test_reworded_answers_are_counted_beside_fixed_and_broken(assistant: Assistant) -> None:
    wordier = {key: f"{words} Thank you." for key, words in right().items()}
    body = body_of(assistant, asked("support-base", right()), asked("support-new", wordier))
    changes = body["changes"]
    assert (changes["fixed"], changes["broken"], changes["reworded"]) == (0, 0, 60)
    assert changed(changes) == "0 fixed, 0 broken, 60 reworded"


@pytest.mark.parametrize(
    ("entry", "share", "said"),
    [
        ({"value": 0.241, "low": 0.215, "high": 0.269}, True, "24.1 % [21.5, 26.9]"),
        ({"value": 0.5, "low": None, "high": None}, False, "0.500"),
        ({"value": None, "low": None, "high": None}, True, "–"),
        (None, True, "–"),
    ],
)
def test_figures_carry_their_interval(entry: Any, share: bool, said: str) -> None:
    assert estimate(entry, share=share) == said


def test_a_difference_carries_its_sign_and_interval() -> None:
    row = {
        "champion": {"value": 0.4},
        "challenger": {"value": 0.2},
        "difference": {"value": -0.2, "low": -0.3, "high": 0},
    }
    assert difference(row, share=True) == "-20.0 points [-30.0, +0.0]"
    assert difference({**row, "difference": {"value": None}}, share=True) == "–"


def test_plots_are_drawn_with_and_without_a_champion(
    compared: dict[str, Any], assistant: Assistant, tmp_path: Path
) -> None:
    alone = body_of(assistant, asked("support-base", right()))
    nothing = assess(assistant, GateRules(), case_file([]), [], [asked("support-base", {})])
    for number, body in enumerate((compared, alone, nothing)):
        path = tmp_path / f"{number}.png"
        draw(body, path)
        assert path.read_bytes().startswith(b"\x89PNG")
