"""All texts of an example change, and the handoff marker never does."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.build import example
from tests.tuning.dataset.steps.texts_of_all_kinds import texts
from tuning.dataset.steps.texts import around_marker, with_texts

MARKER = "[handoff]"


def test_an_example_without_a_change_is_the_same_object() -> None:
    given_one = replace(example(1), rejected="No.")
    assert with_texts(given_one, str.strip, marker=MARKER) is given_one


def test_question_answer_and_rejected_answer_change() -> None:
    changed = with_texts(
        replace(example(1, asked="a", answer="b"), rejected="c"), str.upper, marker=MARKER
    )
    assert (changed.prompt[0].content, changed.answer, changed.rejected) == ("A", "B", "C")


@given(st.lists(texts(4), min_size=1, max_size=3))
def test_the_marker_stands_as_often_as_before(pieces: list[str]) -> None:
    text = MARKER.join(pieces)
    for change in (str.strip, str.upper, str.lower, lambda _: ""):
        assert around_marker(text, change, marker=MARKER).count(MARKER) >= text.count(MARKER)


def test_a_marker_is_never_written_where_there_was_none() -> None:
    assert around_marker("x", lambda _: MARKER, marker=MARKER) == "x"


def test_the_space_beside_the_marker_stays() -> None:
    assert around_marker("[handoff] a b ", str.upper, marker=MARKER) == "[handoff] A B "


def test_without_a_marker_the_whole_text_changes() -> None:
    assert around_marker("a", str.upper, marker="") == "A"
