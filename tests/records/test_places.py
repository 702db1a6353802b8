"""Arms hold what their shares say, and nobody moves who need not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.places import PLACES, Spans, divide, places_of

ARMS = ("a", "b", "c", "d")


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, int]:
    """Sizes of the arms that fit together."""
    cuts = sorted(draw(st.lists(st.integers(0, PLACES), min_size=len(ARMS), max_size=len(ARMS))))
    return {name: end - first for name, first, end in zip(ARMS, [0, *cuts], cuts, strict=False)}


def size(spans: Spans) -> int:
    return sum(end - first for first, end in spans)


def overlap(one: Spans, other: Spans) -> int:
    return sum(max(0, min(a[1], b[1]) - max(a[0], b[0])) for a in one for b in other)


@given(st.lists(wishes(), min_size=1, max_size=8))
def test_every_ramp_moves_only_the_customers_it_must(ramps: list[dict[str, int]]) -> None:
    held: dict[str, list[tuple[int, int]]] = {}
    for wanted in ramps:
        arms = divide(held, wanted)
        for name in ARMS:
            assert size(arms[name]) == wanted[name]
            stayed = overlap(held.get(name, ()), arms[name])
            assert stayed == min(size(held.get(name, ())), wanted[name])
        spans = sorted(span for one in arms.values() for span in one)
        assert all(first < end for first, end in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
        assert not spans or (spans[0][0] >= 0 and spans[-1][1] <= PLACES)
        held = arms


@given(wishes(), st.sampled_from(ARMS), st.floats(0, 1))
def test_a_growing_arm_leaves_the_other_arms_alone(
    wanted: dict[str, int], growing: str, part: float
) -> None:
    before = divide({}, wanted)
    free = PLACES - sum(wanted.values())
    after = divide(before, {**wanted, growing: wanted[growing] + int(free * part)})
    assert all(after[name] == before[name] for name in ARMS if name != growing)
    assert overlap(before[growing], after[growing]) == wanted[growing]


def test_an_arm_that_shrinks_and_grows_again_gets_its_customers_back() -> None:
    half = divide({}, {"a": PLACES // 2})
    tenth = divide(half, {"a": PLACES // 10})
    assert divide(tenth, {"a": PLACES // 2}) == half


def test_more_than_all_is_refused() -> None:
    with pytest.raises(ValueError, match="more places"):
        divide({}, {"a": PLACES, "b": 1})


def test_a_share_is_counted_in_millionths() -> None:
    assert (places_of(0.01), places_of(1 / 3), places_of(1.0)) == (10_000, 333_333, PLACES)
