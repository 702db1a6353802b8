"""What counts as the same text, and how alike two texts are."""

from hypothesis import given
from hypothesis import strategies as st

from records.handoff import with_marker, without_marker
from records.text import normalise, token_f1


def test_case_punctuation_and_spacing_do_not_count() -> None:
    assert normalise("  Where's my CARD?! ") == normalise("where s my card")


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(), st.text())
def test_likeness_is_symmetric_and_within_bounds(one: str, other: str) -> None:
    assert token_f1(one, other) == token_f1(other, one)
    assert 0 <= token_f1(one, other) <= 1
    assert token_f1(one, one) == 1


def test_token_f1_counts_repeats() -> None:
    assert token_f1("a a b", "a b b") == 2 * 2 / 6
    assert token_f1("", "word") == 0


@given(st.text(alphabet="ab [handoff]"))
def test_the_marker_is_never_read(text: str) -> None:
    escalated, readable = without_marker(text, marker="[handoff]")
    assert escalated == ("[handoff]" in text)
    if escalated:
        assert "[handoff]" not in readable or text.count("[handoff]") == 0


def test_a_marked_sentence_comes_back() -> None:
    marked = with_marker("A colleague will help.", marker="[handoff]")
    assert without_marker(marked, marker="[handoff]") == (True, "A colleague will help.")
