"""Questions that are nearly the same, by their letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.likeness import AGREEING, NEARLY, likeness, nearest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I change my PIN?", "how do i change my pin"),
        ("How do I change my PIN?", "How do I change my PIN code?"),
        ("I am still waiting for my new card?", "I'm still waiting for my new card."),
    ],
)
def test_a_word_more_or_a_typo_is_nearly_the_same(one: str, other: str) -> None:
    assert likeness(one, other) >= NEARLY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where can I change my PIN", "Where could I change my PIN"),
        ("My phone was stolen, what should I do?", "My phone was stolen, what can I do?"),
        ("Do I get Visa or Mastercard?", "Will I get a visa or Mastercard?"),
    ],
)
def test_other_words_are_nearly_the_same_where_the_answers_agree(one: str, other: str) -> None:
    assert AGREEING <= likeness(one, other) < NEARLY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I change my PIN?", "How do I change my name?"),
        ("Why was I charged twice?", "Why was I charged a fee?"),
        ("My card was stolen", "My card was lost"),
        ("", "a"),
        ("!?", "??"),
    ],
)
def test_another_thing_is_not(one: str, other: str) -> None:
    assert likeness(one, other) < NEARLY


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_is_the_same_both_ways_and_whole_for_the_same_text(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=8))
def test_nearest_finds_just_those_that_are_alike_enough(text: str, others: list[str]) -> None:
    pairs = [(str(index), other) for index, other in enumerate(others)]
    wanted = {name for name, other in pairs if likeness(text, other) >= NEARLY}
    found = nearest(text, pairs)
    assert set(found) == wanted
    shares = [likeness(text, others[int(name)]) for name in found]
    assert shares == sorted(shares, reverse=True)
