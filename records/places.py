"""Which customers an arm of an experiment holds. Pure.

An experiment has a million places, and the hash of a customer names one. An arm holds spans of
places, written `[first, end)`, as many as its share says. They are kept, because arms cannot be
told from their shares alone: with three arms or more no fixed rule lets each one grow without
moving another one's customers.
"""

from collections.abc import Iterator, Mapping, Sequence

PLACES = 1_000_000

Span = tuple[int, int]
Spans = Sequence[Span]


def places_of(share: float) -> int:
    """How many places a share of customers (0..1) is."""
    return round(share * PLACES)


def divide(held: Mapping[str, Spans], wanted: Mapping[str, int]) -> dict[str, list[Span]]:
    """The spans of each arm, once every arm holds as many places as it wants.

    An arm that shrinks gives up the places it took last; an arm that grows takes places that
    nobody holds. So nobody changes arms: customers only leave an arm that shrinks, or join one
    that grows. `wanted` names all arms, and asks for no more places than there are.
    """
    if sum(wanted.values()) > PLACES:
        raise ValueError("more places are wanted than there are")
    arms = {name: _first(held.get(name, ()), size) for name, size in wanted.items()}
    for name, size in wanted.items():
        missing = size - _size(arms[name])
        if missing > 0:
            free = list(_free([span for spans in arms.values() for span in spans]))
            arms[name] = _joined([*arms[name], *_first(free, missing)])
    return arms


def _size(spans: Spans) -> int:
    return sum(end - first for first, end in spans)


def _first(spans: Spans, size: int) -> list[Span]:
    """The first places of some spans, `size` of them."""
    kept: list[Span] = []
    for first, end in spans:
        taken = min(end - first, size)
        if taken > 0:
            kept.append((first, first + taken))
        size -= taken
    return kept


def _free(taken: Spans) -> Iterator[Span]:
    at = 0
    for first, end in sorted(taken):
        if at < first:
            yield at, first
        at = end
    if at < PLACES:
        yield at, PLACES


def _joined(spans: Spans) -> list[Span]:
    """The same spans in the order in which they were taken; those that go on are one."""
    joined: list[Span] = []
    for first, end in spans:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return joined
