"""A channel's messages in the order of their times, with an index of its heads and its threads.

Looking something up must not slow down as a day's messages gather.
"""

import secrets
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

Json = dict[str, Any]

_MOST_MESSAGES = 50_000


def root_of(message: Json) -> str:
    """The time of the head of the thread that a message stands in, or its own."""
    return str(message.get("thread_ts") or message["ts"])


def is_in_channel(message: Json) -> bool:
    """Whether a message is seen in the channel itself and not in a thread only."""
    return root_of(message) == message["ts"] or message.get("subtype") == "thread_broadcast"


class MessageLog:
    """Messages by their time. Times must only ever grow."""

    def __init__(self) -> None:
        self._by_ts: dict[str, Json] = {}
        self._heads: list[str] = []
        self._threads: dict[str, list[str]] = {}
        # A version is good for this log only: after a restart everything is new.
        self._name = secrets.token_hex(4)
        self._version = 0
        self._changed: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_ts)

    def __iter__(self) -> Iterator[Json]:
        return iter(self._by_ts.values())

    def get(self, ts: str) -> Json | None:
        """One message."""
        return self._by_ts.get(ts)

    def add(self, message: Json) -> list[str]:
        """Add a message at the end; returns the times of those that made room for it."""
        ts, root = message["ts"], root_of(message)
        self._by_ts[ts] = message
        self.note(ts)
        if is_in_channel(message):
            self._heads.append(ts)
        if root != ts:
            self._threads.setdefault(root, []).append(ts)
        return self._make_room()

    def _make_room(self) -> list[str]:
        if len(self._by_ts) <= _MOST_MESSAGES:
            return []
        gone = [self._heads[0], *self._threads.get(self._heads[0], [])]
        for ts in reversed(gone):
            self.remove(ts)
        return gone

    def remove(self, ts: str) -> None:
        """Take a message away."""
        self.note(ts)
        message = self._by_ts.pop(ts)
        _drop(self._heads, ts)
        root = root_of(message)
        replies = self._threads.get(root, [])
        _drop(replies, ts)
        if not replies:
            self._threads.pop(root, None)

    def heads(self) -> list[str]:
        """The times of what is seen in the channel itself, oldest first."""
        return self._heads

    def replies(self, root: str) -> Sequence[str]:
        """The times of a thread's replies, oldest first."""
        return self._threads.get(root, [])

    def thread(self, root: str) -> list[str]:
        """The times of a thread, its head first."""
        head = [root] if root in self._by_ts else []
        return [*head, *self.replies(root)]

    def note(self, ts: str) -> None:
        """Note that a message is another than before."""
        self._version += 1
        self._changed.pop(ts, None)
        self._changed[ts] = self._version

    @property
    def version(self) -> str:
        """What to ask with for what changes from now on."""
        return f"{self._name}:{self._version}"

    def changed_since(self, version: str) -> set[str] | None:
        """The times of what has changed since a version; None where that is not known."""
        name, _, number = version.partition(":")
        if name != self._name or not number.isdigit():
            return None
        changed = reversed(self._changed.items())
        return {ts for ts, _ in takewhile(lambda item: item[1] > int(number), changed)}

    def messages(self, times: Sequence[str]) -> list[Json]:
        """The messages of these times."""
        return [self._by_ts[ts] for ts in times]


def _drop(times: list[str], ts: str) -> None:
    index = bisect_left(times, ts)
    if index < len(times) and times[index] == ts:
        del times[index]
