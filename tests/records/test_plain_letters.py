"""A text as it is read, and where each of its letters stood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.plain_letters import plain_letters


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("٠١٢ ０１２ १२", "012 012 12"),
        ("a–b−c‐d", "a-b-c-d"),
        ("a\u00a0b\u2003c\td\r", "a b c d "),
        ("a\u200bb\u00adc\ufeff", "abc"),
        ("ｘ＠ｙ．ｚ", "x@y.z"),
        ("Zoë 👍", "Zoë 👍"),
        ("", ""),
    ],
)
def test_what_is_alike_is_the_same(text: str, plain: str) -> None:
    assert plain_letters(text)[0] == plain


@given(st.text(st.characters()))
def test_each_letter_knows_where_it_stood(text: str) -> None:
    plain, places = plain_letters(text)
    assert len(plain) == len(places)
    assert list(places) == sorted(set(places))
    assert all(
        plain_letters(text[at])[0] == letter for letter, at in zip(plain, places, strict=True)
    )
