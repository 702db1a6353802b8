"""What of a dataset a trial sees."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import ConfigurationError
from tests.tuning.search.playing import row, rows, spec_of
from tuning.dataset.rows import DOCUMENTS, HELD_OUT, TRAIN, read_rows
from tuning.search.parts import REPORT, halve, write_report_half, write_trial_data

LIMIT = 20_000


def test_halves_share_nothing_and_hold_the_recipes_mix() -> None:
    halves = halve(rows(100, 300), replay_share=0.5, replay_limit=LIMIT)
    assert not halves.search & halves.report
    both = halves.search | halves.report
    assert sum("flag" in name for name in both) == 100
    assert sum("accepted" in name for name in both) == 100
    assert abs(len(halves.search) - len(halves.report)) < 60


@given(st.permutations(rows(60, 40)))
def test_the_order_of_rows_changes_no_half(shuffled: list[object]) -> None:
    ordered = halve(rows(60, 40), replay_share=0.5, replay_limit=LIMIT)
    assert halve(shuffled, replay_share=0.5, replay_limit=LIMIT) == ordered  # type: ignore[arg-type]


def test_half_of_too_little_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="too few"):
        halve(rows(20, 10), replay_share=0.5, replay_limit=LIMIT)


def trained(tmp_path: Path, share: float) -> set[str]:
    source = tmp_path / "shared"
    if not source.exists():
        spec_of(tmp_path)
    halves = halve(read_rows(source / HELD_OUT), replay_share=0.5, replay_limit=LIMIT)
    target = tmp_path / f"trial-{share}"
    counted = write_trial_data(
        source, target, halves=halves, replay_share=share, replay_limit=LIMIT
    )
    found = {one.id for one in read_rows(target / TRAIN)}
    assert sum("accepted" in name for name in found) == counted
    assert {one.id for one in read_rows(target / HELD_OUT)} == halves.search
    return found


def test_each_trial_trains_on_all_corrections_and_its_share_of_replay(tmp_path: Path) -> None:
    little, half, most = (trained(tmp_path, share) for share in (0.25, 0.5, 0.75))
    assert little < half < most  # more replay is the same and some more
    assert [len(found) for found in (little, half, most)] == [67, 100, 200]
    assert {row(n).id for n in range(50)} <= little


def test_the_other_half_is_written_once_for_the_report(tmp_path: Path) -> None:
    spec_of(tmp_path)
    source = tmp_path / "shared"
    halves = halve(read_rows(source / HELD_OUT), replay_share=0.5, replay_limit=LIMIT)
    file = write_report_half(source, tmp_path / "job", halves=halves)
    assert file.name == REPORT
    assert {one.id for one in read_rows(file)} == halves.report


def test_documents_go_along(tmp_path: Path) -> None:
    spec_of(tmp_path)
    (tmp_path / "shared" / DOCUMENTS).write_bytes(b"pages")
    trained(tmp_path, 0.5)
    assert (tmp_path / "trial-0.5" / DOCUMENTS).read_bytes() == b"pages"
