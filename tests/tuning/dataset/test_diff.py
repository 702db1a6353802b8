"""What differs between two datasets: each example once, whatever file it stands in."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.dataset.folders import row, write_folder
from tuning.dataset.diff import ChangeKind, changes, count, steps


def test_each_kind_of_change_is_told_by_source(tmp_path: Path) -> None:
    old = write_folder(tmp_path / "old", [row(1), row(2), row(3), row(6)], [row(4)])
    new = write_folder(
        tmp_path / "new",
        [row(1, weight=0.5), row(3, answer="No."), row(4), row(7, source="import")],
        [row(6)],
    )
    found = count(changes(old, new))
    assert found.same == 1
    assert {str(kind): number for kind, number in found.counts.items()} == {
        "added": 1,
        "removed": 1,
        "changed": 1,
        "moved": 2,
    }
    assert found.by_source[ChangeKind.ADDED] == {"import": 1}
    (changed,) = found.samples[ChangeKind.CHANGED]
    assert (changed["id"], changed["answer_before"], changed["answer"]) == (
        "ex_00003",
        "Open the app.",
        "No.",
    )


@pytest.mark.parametrize("kind", ["prompt", "rejected", "origin", "synthetic_of"])
def test_whatever_trains_or_tells_where_it_is_from_is_a_change(tmp_path: Path, kind: str) -> None:
    values = {
        "prompt": ({"role": "user", "content": "Other?"},) * 2,
        "rejected": "Wrong.",
        "origin": {"file": "f"},
        "synthetic_of": "ex_2",
    }
    old = write_folder(tmp_path / "old", [row(1)])
    new = write_folder(tmp_path / "new", [replace(row(1), **{kind: values[kind]})])
    assert count(changes(old, new)).counts == {ChangeKind.CHANGED: 1}


NUMBERS = st.sets(st.integers(1, 30))


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_ids_are_added_removed_or_the_same_as_sets_say(
    tmp_path_factory: pytest.TempPathFactory,
    train: set[int],
    held: set[int],
    later: set[int],
    later_held: set[int],
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    held, later_held = held - train, later_held - later
    old = write_folder(folder / "old", [row(n) for n in train], [row(n) for n in held])
    new = write_folder(folder / "new", [row(n) for n in later], [row(n) for n in later_held])
    found = count(changes(old, new))
    before, after = train | held, later | later_held
    assert found.counts[ChangeKind.ADDED] == len(after - before)
    assert found.counts[ChangeKind.REMOVED] == len(before - after)
    assert found.counts[ChangeKind.MOVED] == len((train & later_held) | (held & later))
    assert found.same == len((train & later) | (held & later_held))


def test_steps_stand_side_by_side() -> None:
    old = {"steps": [{"name": "a", "kept": 3, "changed": 0, "dropped": 1}, {"name": "b"}]}
    new = {"steps": [{"name": "a", "kept": 5, "changed": 2, "dropped": 0}, {"name": "c"}]}
    found = steps(old, new)
    assert [step["name"] for step in found] == ["a", "b", "c"]
    assert found[0] == {"name": "a", "kept": [3, 5], "changed": [0, 2], "dropped": [1, 0]}
    assert steps({}, {}) == []
