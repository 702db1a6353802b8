"""What a preflight looks at of a dataset, however large: the longest, the shortest, some between.

One pass; in memory are a few hundred lessons.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tuning.dataset.rows import Row

Chat = list[dict[str, Any]]
_EXTREMES = 200
_SPREAD = 200
"""So many lessons between, at least, where there are as many."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A dataset's lessons as chats with an answer (the wrong one, where no right one is known)."""

    rows: int
    characters: int
    """Of all lessons."""
    longest: Sequence[Chat]
    """The longest first."""
    shortest: Sequence[Chat]
    """The shortest first."""
    spread: Sequence[Chat]
    """At even distances through the whole dataset."""


def survey(rows: Iterable[Row]) -> Survey:
    """Go through all rows once; of no rows there is nothing of anything."""
    counted = characters = 0
    longest: list[tuple[int, int, Chat]] = []
    shortest: list[tuple[int, int, Chat]] = []
    spread: list[Chat] = []
    distance = 1
    for row in rows:
        chat = row.chat(row.answer or row.rejected or "")
        length = chat_characters(chat)
        _keep(longest, (length, -counted, chat))
        _keep(shortest, (-length, -counted, chat))
        if counted % distance == 0:
            spread.append(chat)
        if len(spread) >= 2 * _SPREAD:
            spread, distance = spread[::2], distance * 2
        counted, characters = counted + 1, characters + length
    return Survey(
        counted,
        characters,
        longest=[chat for _, _, chat in sorted(longest, key=_order)],
        shortest=[chat for _, _, chat in sorted(shortest, key=_order)],
        spread=spread,
    )


def chat_characters(chat: Chat) -> int:
    """Characters of all that is said in a chat."""
    return sum(len(message["content"]) for message in chat)


def _keep(extremes: list[tuple[int, int, Chat]], one: tuple[int, int, Chat]) -> None:
    """Hold the largest few; numbers are all different, so that chats are never compared."""
    if len(extremes) < _EXTREMES:
        heapq.heappush(extremes, one)
    else:
        heapq.heappushpop(extremes, one)


def _order(one: tuple[int, int, Chat]) -> tuple[int, int]:
    return -one[0], -one[1]
