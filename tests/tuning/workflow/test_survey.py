"""A dataset is looked at in one pass: extremes, and some of all of it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tuning.dataset.rows import Row
from tuning.workflow.survey import chat_characters, survey


def row(number: int, answer: str | None, rejected: str | None = None) -> Row:
    asked = {"role": "user", "content": "q"}
    return Row(f"ex_{number}", "flag", (asked,), (False,), answer, rejected)


@given(lengths=st.lists(st.integers(1, 60), max_size=1500))
def test_longest_shortest_and_the_sum_are_those_of_all_rows(lengths: list[int]) -> None:
    rows = [row(n, "a" * length) for n, length in enumerate(lengths)]
    found = survey(rows)
    assert found.rows == len(lengths)
    assert found.characters == sum(lengths) + len(lengths)
    ordered = sorted(length + 1 for length in lengths)
    assert [chat_characters(c) for c in found.longest] == ordered[::-1][:200]
    assert [chat_characters(c) for c in found.shortest] == ordered[:200]


def test_some_lie_at_even_distances_however_many_there_are() -> None:
    for count in (0, 1, 199, 400, 5000):
        found = survey(row(n, str(n)) for n in range(count))
        told = [int(chat[-1]["content"]) for chat in found.spread]
        assert len({b - a for a, b in pairwise(told)}) <= 1
        assert min(count, 200) <= len(told) < 400
        assert told[:1] == ([0] if count else [])


def test_a_lesson_that_has_only_a_wrong_answer_is_looked_at_too() -> None:
    assert survey([row(1, None, "wrong")]).longest[0][-1]["content"] == "wrong"
