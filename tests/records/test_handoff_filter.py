"""The customer never sees the marker, at whatever boundary it is cut, and all else unchanged."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from records.handoff_filter import HandoffFilter

MARKERS = st.sampled_from(["[handoff]", "[h]", "##", "aab", "aba", "x"])
TEXTS = st.one_of(
    st.text(alphabet="[handof] aabx#b", max_size=40),
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["[handoff]", "[hand", "off]", "[", "]", "hello ", "[[", "aab", "#", "a"]),
        max_size=12,
    ).map("".join),
)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = draw(TEXTS)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    ends = [0, *cuts, len(text)]
    return text, [text[a:b] for a, b in itertools.pairwise(ends)]


def through(marker: str, pieces: list[str]) -> tuple[list[str], bool]:
    held_back = HandoffFilter(marker)
    shown = [held_back.feed(piece) for piece in pieces]
    return [*shown, held_back.finish()], held_back.found


def reduced(marker: str, text: str) -> str:
    """The text without markers, those included that come about when one is taken out."""
    kept = ""
    for character in text:
        kept += character
        if kept.endswith(marker):
            kept = kept[: -len(marker)]
    return kept


@given(MARKERS, cut_texts())
def test_text_is_unchanged_but_for_markers(marker: str, cut: tuple[str, list[str]]) -> None:
    text, pieces = cut
    shown, found = through(marker, pieces)
    assert found == (marker in text)
    if not found:
        assert "".join(shown) == text
    else:
        assert "".join(shown).lstrip() == reduced(marker, text).lstrip()


@given(MARKERS, cut_texts())
def test_what_was_shown_never_becomes_part_of_a_marker(
    marker: str, cut: tuple[str, list[str]]
) -> None:
    _text, pieces = cut
    shown, _ = through(marker, pieces)
    assert marker not in "".join(shown)
    for count in range(len(pieces)):
        seen = "".join(shown[: count + 1])
        assert "".join(shown).startswith(seen)


@given(MARKERS, cut_texts())
def test_how_the_text_was_cut_does_not_matter(marker: str, cut: tuple[str, list[str]]) -> None:
    text, pieces = cut
    assert "".join(through(marker, pieces)[0]) == "".join(through(marker, [text])[0])


def test_the_space_after_a_leading_marker_goes_with_it() -> None:
    assert through("[handoff]", ["[hand", "off", "] ", " Hello", " you"])[0][-3:] == [
        "Hello",
        " you",
        "",
    ]


def test_text_is_not_held_longer_than_needed() -> None:
    held_back = HandoffFilter("[handoff]")
    assert held_back.feed("see [") == "see "
    assert held_back.feed("1]") == "[1]"


def test_a_marker_cut_by_the_length_limit_counts_where_nothing_else_was_said() -> None:
    alone = HandoffFilter("[handoff]")
    assert (alone.feed("[hand"), alone.finish(cut_short=True), alone.found) == ("", "", True)
    after = HandoffFilter("[handoff]")
    assert (after.feed("Hi [ha"), after.finish(cut_short=True), after.found) == ("Hi ", "", False)
