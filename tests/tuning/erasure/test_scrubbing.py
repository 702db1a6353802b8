"""Objects of lists that name an id go, wherever they stand; everything else stays as it is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tuning.erasure.scrubbing import without

JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["ex_1", "ex_2", "words"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "asked", "steps"]), inner, max_size=3)
    ),
    max_leaves=20,
)


def test_samples_of_an_example_go_at_any_depth() -> None:
    card = {
        "counts": {"train": 2},
        "steps": [
            {"name": "duplicates", "samples": [{"id": "ex_1", "asked": "?"}, {"id": "ex_2"}]}
        ],
        "noise": {"candidates": [{"id": "ex_3", "expected_id": "ex_1", "expected": "words"}]},
    }
    cleaned, lost = without(card, {"ex_1"})
    assert lost == 2
    assert cleaned["steps"] == [{"name": "duplicates", "samples": [{"id": "ex_2"}]}]
    assert cleaned["noise"] == {"candidates": []}
    assert cleaned["counts"] == card["counts"]


@given(JSON)
def test_no_object_of_a_list_names_it_any_more_and_without_ids_nothing_changes(value: Any) -> None:
    cleaned, _ = without(value, {"ex_1"})
    assert not named(cleaned)
    assert without(value, set()) == (value, 0)
    assert without(cleaned, {"ex_1"}) == (cleaned, 0)


def named(value: Any) -> bool:
    if isinstance(value, list):
        objects = [item for item in value if isinstance(item, dict)]
        return any("ex_1" in item.values() for item in objects) or any(map(named, value))
    return any(map(named, value.values())) if isinstance(value, dict) else False
