"""Working hours: zones, spans, free days."""

from datetime import UTC, datetime

import pytest
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
