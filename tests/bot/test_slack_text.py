"""Text to and from Slack."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outbox.token_bucket import TokenBucket
from bot.text import EMPTY, clean, cut, is_note, length, pieces, spoken, who


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("see <https://a.example/x?a=1&amp;b=2>", "see https://a.example/x?a=1&b=2"),
        ("see <https://a.example|our page>", "see our page (https://a.example)"),
        ("<https://a.example|a.example>", "https://a.example"),
        ("write <mailto:a@b.example|a@b.example>", "write a@b.example"),
        ("ask <@U0BEN>", "ask @colleague"),
        ("ask <@U0BEN|ben> in <#C1|general>", "ask @ben in #general"),
        ("<!here> hello", "@here hello"),
        ("<!date^1392734382^{date}|yesterday>", "yesterday"),
        ("  plain \n", "plain"),
    ],
)
def test_a_message_is_read_as_plain_words(message: str, words: str) -> None:
    assert spoken(message) == words


@pytest.mark.parametrize(
    "message", ["note: a", "Note: a", "NOTE:a", " note : a", "*Note:* a", "_note_: a", "note：a"]
)
def test_notes_are_known_in_any_letter_case(message: str) -> None:
    assert is_note(message)


@pytest.mark.parametrize("message", ["Please note: a", "notes: a", "noted", "a note", ""])
def test_other_words_are_no_notes(message: str) -> None:
    assert not is_note(message)


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_cut_texts_fit(text: str, limit: int) -> None:
    assert length(cut(text, limit)) <= max(limit, 1)


@given(st.text(max_size=500), st.integers(min_value=4, max_value=50))
def test_pieces_fit_and_lose_nothing_that_is_not_counted(text: str, limit: int) -> None:
    parts, left = pieces(text, limit=limit, most=1000)
    assert all(length(part) <= max(limit, len(EMPTY)) for part in parts)
    assert left == 0
    visible = "".join(text.split())
    if parts != [EMPTY] and clean(text) != EMPTY:
        assert len(visible) >= sum(len("".join(p.split())) for p in parts)


@given(st.text())
def test_clean_texts_are_never_empty_and_stay_as_they_are(text: str) -> None:
    assert clean(text)
    assert clean(clean(text)) == clean(text)


def test_people_are_mentioned_and_others_are_named() -> None:
    assert [who("U0ANN"), who("admin"), who("<!here>")][:2] == ["<@U0ANN>", "admin"]
    assert who("<!here>") == "&lt;!here&gt;" or "<" not in who("<!here>")


def test_a_bucket_allows_a_burst_then_the_rate_and_nothing_while_paused() -> None:
    clock = [0.0]
    bucket = TokenBucket(per_second=2.0, burst=3.0, clock=lambda: clock[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_seconds() == pytest.approx(0.5)
    clock[0] = 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    bucket.pause(10)
    assert bucket.wait_seconds() >= 10
    clock[0] = 12
    assert bucket.take()
