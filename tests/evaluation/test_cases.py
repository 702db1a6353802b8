import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.cases import parse_cases, prompt_id, read_cases
from records.errors import NotFound
from records.messages import Message, Role
from tests.evaluation.build import case_file, line


def reasons(*lines: bytes) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason) for problem in parse_cases(lines).problems]


def test_good_lines_are_kept_and_each_bad_one_is_reported_with_its_number() -> None:
    good = json.dumps(line("One?")).encode()
    file = parse_cases([b"{", good, b"", b"[]", json.dumps(line("Two?")).encode()])
    assert [c.messages[-1].content for c in file.cases] in (["One?", "Two?"], ["Two?", "One?"])
    assert [problem.line for problem in file.problems] == [1, 4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, "empty"),
        ({"messages": [{"role": "assistant", "content": "Hello"}]}, "customer's"),
        ({"messages": [{"role": "robot", "content": "Hello"}]}, "role"),
        ({"reference": "?!"}, "a right answer is needed"),
        ({"should_escalate": "yes"}, "should_escalate"),
        ({"slice": {"knowledge": 3}}, "slice.knowledge"),
        ({"shuold_escalate": True}, "shuold_escalate"),
        ({"topic": ""}, "topic"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, object], said: str) -> None:
    ((number, reason),) = reasons(json.dumps(line("Where?", **changes)).encode())
    assert number == 1
    assert said in reason


def test_text_that_is_not_utf_8_is_a_bad_line() -> None:
    assert reasons(b'{"messages": "\xff"}') == [(1, "not UTF-8 text")]


def test_a_reference_may_be_missing_where_a_person_is_needed() -> None:
    file = case_file([line("Stolen!", reference="", should_escalate=True)])
    assert len(file.cases) == 1


def test_the_same_prompt_twice_is_reported_with_the_line_of_the_first() -> None:
    file = case_file([line("Where is it?"), line("where is it"), line("WHERE is it", topic="pin")])
    assert len(file.cases) == 1
    assert [p.reason for p in file.problems] == ["same prompt as line 1"] * 2
    other = case_file([line("Where is it?"), line("where is it", reference="Elsewhere.")])
    assert other.problems[0].reason == "same prompt as line 1, with another right answer"


def test_texts_without_a_word_are_told_apart() -> None:
    assert len(case_file([line("👍"), line("👎")]).cases) == 2


@given(st.randoms())
def test_the_hash_depends_on_the_cases_not_on_their_order(shuffled: random.Random) -> None:
    lines = [line(f"Question {number}") for number in range(8)]
    before = case_file(lines)
    shuffled.shuffle(lines)
    assert case_file(lines).hash == before.hash
    assert case_file(lines).cases == before.cases
    lines[0]["reference"] = "Something else."
    assert case_file(lines).hash != before.hash


def test_a_prompt_is_all_that_was_said_and_by_whom() -> None:
    asked = Message(Role.CUSTOMER, "Where is my card?")
    assert prompt_id([asked]) == prompt_id([Message(Role.CUSTOMER, "  where is MY card")])
    assert prompt_id([asked]) != prompt_id([Message(Role.ASSISTANT, asked.content)])
    assert prompt_id([asked, asked]) != prompt_id([asked])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file of cases"):
        read_cases(tmp_path / "nothing.jsonl")


def test_an_empty_file_has_no_cases_and_no_problems(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text("\n\n")
    file = read_cases(tmp_path / "cases.jsonl")
    assert (file.cases, file.problems) == ((), ())
