"""When an assistant's support team works. Pure: the time is an argument."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _span(value: str) -> tuple[time, time]:
    """The times of a text such as `09:00-17:30`; 24:00 ends a day."""
    opens, _, closes = value.partition("-")
    last = closes.strip()
    end = time.max if last == "24:00" else time.fromisoformat(last)
    return time.fromisoformat(opens.strip()), end


def _is_span(value: str) -> str:
    opens, closes = _span(value)
    if opens >= closes:
        raise ValueError("the first time must be before the second; use two spans over midnight")
    return value


def _is_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value!r} is no time zone; write one such as Europe/Berlin") from error
    return value


Zone = Annotated[str, AfterValidator(_is_zone)]
"""A time zone's name, such as `Europe/Berlin`."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

Day = tuple[Annotated[str, AfterValidator(_is_span)], ...]
"""Spans of one day, such as `09:00-12:00`."""

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""In the order of `datetime.weekday`."""


class Hours(BaseModel):
    """Working hours by weekday; a day that is left out is free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: Zone = "UTC"
    monday: Day = ()
    tuesday: Day = ()
    wednesday: Day = ()
    thursday: Day = ()
    friday: Day = ()
    saturday: Day = ()
    sunday: Day = ()
    closed_sentence: str = Field(
        default="Our team is away right now and will reply as soon as it is back.",
        description="Added to what a customer reads on a handover outside these hours.",
    )

    def are_open(self, now: datetime) -> bool:
        """Whether somebody works at that moment (an aware time)."""
        local = now.astimezone(ZoneInfo(self.timezone))
        spans: Day = getattr(self, WEEKDAYS[local.weekday()])
        moment = local.time()
        return any(opens <= moment < closes for opens, closes in map(_span, spans))

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """For how long of the time between two moments somebody works; none where they are turned.

        Where clocks are changed, a span counts as long as it really was.
        """
        zone = ZoneInfo(self.timezone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        whole = timedelta()
        while day <= last:
            spans: Day = getattr(self, WEEKDAYS[day.weekday()])
            for opens, closes in map(_span, spans):
                begun = datetime.combine(day, opens, zone).astimezone(UTC)
                ended = datetime.combine(day, closes, zone).astimezone(UTC)
                whole += max(timedelta(), min(end, ended) - max(start, begun))
            day += timedelta(days=1)
        return whole
