"""Finds that overlap are one, of the type that the rule says, and nothing of any is left over."""

from hypothesis import given
from hypothesis import strategies as st

from tuning.dataset.personal_data.kinds import Find, Kind
from tuning.dataset.personal_data.overlaps import without_overlaps

finds = st.lists(
    st.builds(
        lambda start, length, kind, score: Find(start, start + length, kind, score),
        st.integers(0, 30),
        st.integers(1, 10),
        st.sampled_from([*Kind, "OURS"]),
        st.sampled_from([0.4, 0.7, 1.0]),
    ),
    max_size=8,
)


def kinds(*given_ones: Find) -> list[str]:
    return [find.kind for find in without_overlaps(given_ones, own=["OURS"])]


def test_a_teams_own_type_counts_first_then_the_longest_then_the_surest() -> None:
    phone, card = Find(0, 19, Kind.PHONE, 0.7), Find(0, 19, Kind.CARD, 1.0)
    assert kinds(phone, card) == [Kind.CARD]
    assert kinds(card, Find(0, 25, Kind.URL, 0.6)) == [Kind.URL]
    assert kinds(card, Find(3, 5, "OURS", 1.0)) == ["OURS"]
    assert kinds(Find(0, 5, Kind.NAME, 0.5), Find(0, 5, Kind.EMAIL, 0.5)) == [Kind.EMAIL]


def test_finds_side_by_side_stay_two() -> None:
    assert len(without_overlaps([Find(0, 5, Kind.NAME, 1), Find(5, 9, Kind.NAME, 1)])) == 2


@given(finds)
def test_every_character_of_every_find_is_in_exactly_one(given_ones: list[Find]) -> None:
    merged = without_overlaps(given_ones, own=["OURS"])
    before = {at for find in given_ones for at in range(find.start, find.end)}
    after = [at for find in merged for at in range(find.start, find.end)]
    assert sorted(before) == after
    assert without_overlaps(merged, own=["OURS"]) == merged


@given(finds, st.randoms(use_true_random=False))
def test_the_order_in_which_they_were_found_makes_no_difference(given_ones, rng) -> None:
    other = list(given_ones)
    rng.shuffle(other)
    assert without_overlaps(other) == without_overlaps(given_ones)
