"""Budgets of time as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import InvalidInput
from tuning.search.budget import in_words, parse_budget


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("20m", 1200),
        ("90s", 90),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1.5h", 5400),
        ("2H", 7200),
        (" 60s ", 60),
    ],
)
def test_a_budget_is_read(written: str, seconds: float) -> None:
    assert parse_budget(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "20", "m", "20 minutes", "1h, 30m", "-5m", "20m!", "10s", "400h", "1d"]
)
def test_what_is_no_budget_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(InvalidInput, match="--budget"):
        parse_budget(written)


@given(st.integers(1, 300), st.integers(0, 59))
def test_hours_and_minutes_add_up(hours: int, minutes: int) -> None:
    assert parse_budget(f"{hours}h{minutes}m") == hours * 3600 + minutes * 60


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (45, "45 s"),
        (1200, "20 min"),
        (1230, "20 min 30 s"),
        (5400, "1 h 30 min"),
        (7200, "2 h"),
        (59.7, "1 min"),
    ],
)
def test_times_are_said_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
