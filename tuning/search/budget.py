"""A budget of time, as people write it (`20m`, `1h30m`) and read it. Pure."""

import re

from records.errors import InvalidInput

LEAST_SECONDS = 60.0
MOST_SECONDS = 14 * 24 * 3600.0
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*(h|m|s)", re.IGNORECASE)


def parse_budget(written: str) -> float:
    """Seconds of a budget such as `90s`, `20m`, `1.5h` or `1h30m`.

    Raises:
        InvalidInput: no such form, under a minute, or over two weeks.
    """
    parts = _PARTS.findall(written)
    if not parts or _PARTS.sub("", written).strip():
        raise InvalidInput(
            f"--budget wants a time such as 20m, 90m or 1h30m, not {written!r} (h, m and s are "
            "hours, minutes and seconds)."
        )
    seconds = sum(float(number) * _SECONDS[unit.lower()] for number, unit in parts)
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise InvalidInput(
            f"--budget {written}: a search takes from one minute to two weeks (336h)."
        )
    return seconds


def in_words(seconds: float) -> str:
    """A time for people, such as `1 h 30 min` or `45 s`."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if whole < 60:
        return f"{whole} s"
    if not hours:
        rest = whole % 60
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
