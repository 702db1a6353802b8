"""A dataset's files: what is written is read, and what identifies it depends on its content."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tuning.build import example
from tuning.dataset.rows import Row, read_rows, write_rows


def rows(count: int = 5) -> list[Row]:
    return [example(n, should_escalate=n == 2).row(system_prompt="Be brief.") for n in range(count)]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    given = [
        *rows(),
        replace(rows(1)[0], id="z", answer=None, rejected="No.", slice={"a": 1}, origin={"b": "é"}),
    ]
    write_rows(tmp_path / "rows.parquet", given)
    assert list(read_rows(tmp_path / "rows.parquet")) == given
    assert list(read_rows(tmp_path / "none.parquet")) == []


def test_the_same_rows_have_one_identity_wherever_they_are_written(tmp_path: Path) -> None:
    first, second = (write_rows(tmp_path / name, rows()) for name in ("a", "b"))
    assert first == second
    assert len(first) == 64


@pytest.mark.parametrize(
    "changed",
    [
        {"answer": "Otherwise."},
        {"rejected": "Otherwise."},
        {"weight": 0.5},
        {"source": "import"},
        {"learn": (True, False)},
        {"slice": {"topic": "cards"}},
    ],
)
def test_any_change_gives_another_identity(tmp_path: Path, changed: dict[str, object]) -> None:
    before = write_rows(tmp_path / "a", rows())
    other = [replace(rows()[0], **changed), *rows()[1:]]  # type: ignore[arg-type]
    assert write_rows(tmp_path / "b", other) != before


def test_another_order_or_fewer_rows_give_another_identity(tmp_path: Path) -> None:
    found = {write_rows(tmp_path / "a", given) for given in (rows(), rows()[::-1], rows()[:-1], [])}
    assert len(found) == 4
