"""Which of several engines gets a request. Pure.

A conversation goes to the engine that it went to before, which still knows its beginning (prefix
cache), unless that one is busier than the others by more than a little.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol, TypeVar

_SLACK = 4
"""So many requests more than the least busy engine has are worth a known beginning."""


class Busy(Protocol):
    """What is known of an engine here."""

    name: bytes
    """Stays the same over restarts and on every gateway."""
    busy: int


Replica = TypeVar("Replica", bound=Busy)


def pick(able: Sequence[Replica], affinity: str, *, slack: int = _SLACK) -> Replica:
    """One of some engines (at least one): the conversation's own, or else the least busy.

    An engine that is added or lost moves only the conversations that it gets or had.
    """
    if len(able) == 1:
        return able[0]
    least = min(able, key=_busy)
    if affinity:
        own = max(able, key=lambda replica: _weight(affinity, replica.name))
        if own.busy <= least.busy + slack:
            return own
    return least


def _busy(replica: Busy) -> int:
    return replica.busy


def _weight(affinity: str, name: bytes) -> bytes:
    """Rendezvous hashing: the engine of the greatest weight is the conversation's own."""
    return hashlib.blake2b(affinity.encode(), digest_size=8, key=name).digest()
