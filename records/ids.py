"""Identifiers and time: ids that sort by creation and say what they name; UTC clocks."""

import os
import time
from datetime import UTC, datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_PAIR_SHIFTS = range(120, -1, -10)


def new_id(prefix: str) -> str:
    """A fresh id such as `turn_01j9zk4m8w3v6t5r2q1p0n7x8y`: 48 bits of time, 80 random ones."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return f"{prefix}_{''.join([_PAIRS[(value >> shift) & 1023] for shift in _PAIR_SHIFTS])}"


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
