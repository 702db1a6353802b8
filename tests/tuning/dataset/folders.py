"""Writes datasets' folders from rows made in a test."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuning.dataset.rows import HELD_OUT, TRAIN, Row, write_rows


def row(number: int, *, answer: str | None = "Open the app.", **changes: Any) -> Row:
    """A lesson of one question."""
    made = Row(
        id=f"ex_{number:05d}",
        source="flag",
        prompt=(
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"Question {number}?"},
        ),
        learn=(False, False),
        answer=answer,
    )
    return replace(made, **changes)


def write_folder(folder: Path, train: Sequence[Row], held_out: Sequence[Row] = ()) -> Path:
    """A dataset's files, without a card."""
    folder.mkdir(parents=True)
    for name, rows in ((TRAIN, train), (HELD_OUT, held_out)):
        write_rows(folder / name, sorted(rows, key=lambda one: one.id))
    return folder
