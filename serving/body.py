"""What the JSON bodies of requests have in common: no value is taken for one of another type."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

_LEAP_SECOND = re.compile(r"(?<=:)60(?=[.Zz+-])")
_MOMENT = re.compile(
    r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)",
    re.ASCII | re.IGNORECASE,
)


class Body(BaseModel):
    """A body: "5" is no number, 1 is not true, and fields that nobody knows are left unread."""

    model_config = ConfigDict(strict=True)


def _number(value: Any) -> Any:
    if type(value) not in (int, float):
        raise PydanticCustomError("number", "it must be a number")
    return value


def _written(value: Any) -> Any:
    if type(value) is not str or not _MOMENT.fullmatch(value):
        raise PydanticCustomError(
            "moment", "it must be a time with its zone, such as 2026-03-01T10:00:00+01:00"
        )
    return _LEAP_SECOND.sub("59", value)  # RFC 3339 knows the 60th second; Python doesn't


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Number = BeforeValidator(_number)
"""For `int` fields that aren't strict: 5.0 is a whole number, as JSON has one kind of number."""

Moment = Annotated[
    AwareDatetime,
    Field(strict=False, json_schema_extra={"pattern": "^[12][0-9]{3}-"}),
    BeforeValidator(_written),
    AfterValidator(_in_utc),
]
"""A point in time as RFC 3339 writes it, from the year 1000 on."""
