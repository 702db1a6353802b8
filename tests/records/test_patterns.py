"""Patterns from files find what they say, and none holds anybody up."""

import logging
import threading
import time

import pytest

from records.patterns import Pattern, pattern_of

CATASTROPHIC = r"^(a+)+$"
WORDS = f"{'a' * 4_000}!"


def test_letter_case_is_ignored() -> None:
    assert Pattern(r"\bcards?\b").is_in("Where is my CARD?")
    assert not Pattern(r"\bcards?\b").is_in("Where is my cardigan?")


def test_what_is_no_pattern_is_said() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        pattern_of("(")


def test_a_search_that_takes_too_long_is_no_match_and_is_logged_once_without_the_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pattern, began = Pattern(CATASTROPHIC), time.perf_counter()
    with caplog.at_level(logging.WARNING):
        assert [pattern.is_in(WORDS) for _ in range(3)] == [False] * 3
    assert time.perf_counter() - began < 2
    (told,) = caplog.messages
    assert CATASTROPHIC in told
    assert WORDS not in told


def test_others_work_while_a_search_lasts() -> None:
    stop, counted = threading.Event(), [0]

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)

    other = threading.Thread(target=count)
    other.start()
    before = counted[0]
    Pattern(CATASTROPHIC).is_in(WORDS)
    during = counted[0] - before
    stop.set()
    other.join()
    assert during > 10


def test_a_whole_text_is_one_match_or_not() -> None:
    assert Pattern("please wait|one moment").is_all_of("One Moment")
    assert not Pattern("please wait").is_all_of("Please wait here.")
    assert not Pattern(CATASTROPHIC).is_all_of(WORDS)


def test_all_places_are_found_and_empty_ones_are_none() -> None:
    assert Pattern("ab*").spans("xAbb-a") == [(1, 4), (5, 6)]
    assert Pattern("b*").spans("xab") == [(2, 3)]


def test_what_takes_too_long_to_find_is_not_said_to_be_absent() -> None:
    with pytest.raises(TimeoutError):
        Pattern(CATASTROPHIC).spans(WORDS)
