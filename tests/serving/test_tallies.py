"""Counting by plain numbers."""

from hypothesis import given
from hypothesis import strategies as st

from serving.tallies import MOST_LABELS, OTHER, SECONDS, Distribution, child, count

values = st.floats(min_value=0, max_value=1000) | st.sampled_from(SECONDS)


@given(st.lists(values))
def test_each_bound_counts_the_values_up_to_it(seen: list[float]) -> None:
    distribution = Distribution()
    for value in seen:
        distribution.add(value)
    expected = [(b, sum(v <= b for v in seen)) for b in (*SECONDS, float("inf"))]
    assert distribution.cumulative() == expected
    assert abs(distribution.total - sum(seen)) <= 1e-9 * max(1.0, sum(seen))


def test_too_many_keys_are_lumped_and_none_is_lost() -> None:
    children: dict[int, list[int]] = {}
    words: dict[str, int] = {}
    for number in range(3 * MOST_LABELS):
        child(children, number, other=-1, make=list).append(number)
        count(words, f"word {number}")
    assert len(children) == len(words) == MOST_LABELS + 1
    assert sum(map(len, children.values())) == sum(words.values()) == 3 * MOST_LABELS
    assert children[-1][0] == MOST_LABELS
    assert words[OTHER] == 2 * MOST_LABELS


def test_a_known_key_is_never_lumped() -> None:
    words = {f"word {number}": 1 for number in range(MOST_LABELS)}
    count(words, "word 7")
    assert words["word 7"] == 2
    assert OTHER not in words
