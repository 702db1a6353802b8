"""Frozen test cases never train: found equal or nearly so, refused or left out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from records.assistant import Assistant
from records.errors import ConfigurationError, LeakedCases
from records.messages import Message, Role
from records.states import ExampleSource
from tests.tuning.build import example
from tests.tuning.dataset.preparing import ASSISTANT, run
from tuning.dataset.cases import Cases, read_cases
from tuning.dataset.leaks import NAME
from tuning.training.recipe import OnLeak, Recipe

DROP = Recipe(on_leak=OnLeak.DROP, replay_share=0.9)


def cases_of(folder: Path, *questions: str, least: float = 0.8) -> Cases:
    return read_cases(with_cases(folder, *questions), least=least)


def with_cases(folder: Path, *questions: str) -> Assistant:
    path = folder / "cases.jsonl"
    lines = [
        json.dumps({"messages": [{"role": "user", "content": text}], "reference": "So."})
        for text in questions
    ]
    path.write_text("\n".join(lines))
    return ASSISTANT.model_copy(update={"cases": str(path)})


@pytest.fixture
def cases(tmp_path: Path) -> Cases:
    return cases_of(
        tmp_path, "Who are you?", "How do I unblock my card after I have entered a wrong PIN?"
    )


def test_a_correction_that_is_a_test_case_refuses_the_run_and_says_where(
    tmp_path: Path, cases: Cases
) -> None:
    given = [example(1), example(3, asked="who are YOU")]
    said = r"1 approved example.*line 1 of.*ex_00003.*on_leak=drop"
    with pytest.raises(LeakedCases, match=said):
        run(tmp_path, given, cases=cases)


def test_one_that_is_nearly_a_test_case_refuses_it_too(tmp_path: Path, cases: Cases) -> None:
    nearly = "How do I unblock my card, after I have entered the wrong PIN?"
    with pytest.raises(LeakedCases, match=r"line 2 of"):
        run(tmp_path, [example(1), example(3, asked=nearly)], cases=cases)


def test_it_can_be_left_out_instead(tmp_path: Path, cases: Cases) -> None:
    outcome = run(tmp_path, [example(1), example(3, asked="Who are you")], cases=cases, recipe=DROP)
    assert outcome.kept == ["ex_00001"]
    assert outcome.whys(NAME) == ["line 1 of the cases file"]


def test_an_accepted_answer_to_a_test_case_is_left_out_without_ado(
    tmp_path: Path, cases: Cases
) -> None:
    accepted = example(3, asked="Who are you?", source=ExampleSource.ACCEPTED)
    assert run(tmp_path, [example(1), accepted], cases=cases).kept == ["ex_00001"]


def test_a_case_is_known_by_its_words_before_they_were_cleaned(tmp_path: Path) -> None:
    asked = "My address is ada@example.org: is it the one that you have of me?"
    cases = cases_of(tmp_path, asked, least=1)
    raw = replace(example(3), prompt=(Message(Role.CUSTOMER, asked),))
    assert run(tmp_path, [example(1), raw], cases=cases, recipe=DROP).kept == ["ex_00001"]


def test_all_lines_are_named_up_to_a_few(tmp_path: Path) -> None:
    questions = [f"What is number {n}?" for n in range(9)]
    given = [example(n, asked=asked) for n, asked in enumerate(questions)]
    with pytest.raises(LeakedCases, match=r"9 approved.*line 1, 2, 3, 4, 5 and 4 more of"):
        run(tmp_path, given, cases=cases_of(tmp_path, *questions))


def test_where_only_equal_questions_count_only_equal_cases_do(tmp_path: Path) -> None:
    question = "How do I unblock my card after I have entered a wrong PIN?"
    cases = cases_of(tmp_path, question, least=1)
    prompts = [[Message(Role.CUSTOMER, text)] for text in (question.upper(), f"{question} Please")]
    assert cases.contact(prompts) == [1, None]
    assert Cases().contact(prompts) == [None, None]


def test_a_cases_file_that_is_not_there_or_empty_is_said(tmp_path: Path) -> None:
    gone = ASSISTANT.model_copy(update={"cases": str(tmp_path / "none.jsonl")})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_cases(gone, least=0.8)
    with pytest.raises(ConfigurationError, match="holds no case"):
        read_cases(with_cases(tmp_path, ""), least=0.8)
    assert read_cases(ASSISTANT, least=0.8) == Cases()
