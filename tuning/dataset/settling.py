"""Examples that people should look at again before they train, and what came of asking."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from records.states import DoubtKind


@dataclass(frozen=True, slots=True)
class Doubted:
    """An approved example, and the one that speaks against it."""

    example_id: str
    other_id: str
    kind: DoubtKind = DoubtKind.CONTRADICTION
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Figures only, nobody's words."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Which examples wait in review again, and which people approved in spite of the doubt."""

    sent_back: frozenset[str] = frozenset()
    approved_again: frozenset[str] = frozenset()

    def __or__(self, other: "Settled") -> "Settled":
        return Settled(self.sent_back | other.sent_back, self.approved_again | other.approved_again)


Settle = Callable[[Iterator[Doubted]], Settled]
"""Sends examples back to review, the first ones first, and leaves those it has no room for alone.

What is neither sent back nor approved again must not train either where it contradicts another.
"""


def send_none_back(_: Iterator[Doubted]) -> Settled:
    """Leave review alone, where a dataset is only tried."""
    return Settled()
