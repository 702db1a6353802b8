"""Working hours: zones, spans, free days."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from records.hours import Hours

BERLIN = Hours(
    timezone="Europe/Berlin", monday=("09:00-12:00", "13:00-17:30"), sunday=("22:00-24:00",)
)


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-23T07:59:59", False),  # a Monday; Berlin is an hour ahead in winter
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T11:30:00", False),
        ("2026-11-23T16:29:59", True),
        ("2026-11-23T16:30:00", False),
        ("2026-07-20T07:00:00", True),  # two hours ahead in summer
        ("2026-11-24T10:00:00", False),
        ("2026-11-22T22:59:59", True),
        ("2026-11-22T23:00:00", False),
    ],
)
def test_hours_are_those_of_the_teams_own_clock(moment: str, open_: bool) -> None:
    assert BERLIN.are_open(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is open_


@pytest.mark.parametrize(
    "wrong", [{"monday": ["17:00-09:00"]}, {"monday": ["9 to 5"]}, {"timezone": "Berlin"}]
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate(wrong)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-11-23T07:00:00", "2026-11-23T08:10:00", 10),
        ("2026-11-23T10:50:00", "2026-11-23T12:10:00", 20),  # over the break at noon
        ("2026-11-24T00:00:00", "2026-11-29T00:00:00", 0),
        ("2026-11-22T00:00:00", "2026-11-23T23:00:00", 120 + 180 + 270),
        ("2026-11-23T12:00:00", "2026-11-23T10:00:00", 0),
    ],
)
def test_the_open_time_between_two_moments_leaves_out_when_nobody_works(
    start: str, end: str, minutes: int
) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    found = BERLIN.open_between(*moments).total_seconds()
    assert found == pytest.approx(minutes * 60, abs=0.001)


def test_a_span_over_the_change_of_clocks_counts_as_long_as_it_was() -> None:
    night = Hours(timezone="Europe/Berlin", sunday=("01:00-04:00",))
    spring = datetime(2026, 3, 29, tzinfo=UTC)
    autumn = datetime(2026, 10, 25, tzinfo=UTC)
    day = timedelta(days=1)
    open_hours = [
        night.open_between(at - day, at + day).total_seconds() / 3600 for at in (spring, autumn)
    ]
    assert open_hours == pytest.approx([2, 4])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 365 * 24 * 60), st.integers(0, 2 * 24 * 60))
def test_the_open_time_is_what_counting_minutes_finds(start: int, minutes: int) -> None:
    begun = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC) + timedelta(minutes=start)
    counted = sum(BERLIN.are_open(begun + timedelta(minutes=n)) for n in range(minutes))
    found = BERLIN.open_between(begun, begun + timedelta(minutes=minutes))
    assert abs(found.total_seconds() / 60 - counted) <= 10  # a part of a minute at each border
