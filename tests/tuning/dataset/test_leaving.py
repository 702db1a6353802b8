"""Work on a large set is left at once, in the middle of a query."""

import time
from pathlib import Path

import duckdb
import pytest

from tuning.dataset.leaving import interrupted

ENDLESS = (
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 1"
)


class Cancelled(BaseException):
    pass


class Wanted:
    """Wanted for so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


def test_a_query_that_runs_for_hours_ends_within_a_moment() -> None:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    began = time.monotonic()
    with pytest.raises(Cancelled), interrupted(connection.interrupt, check=Wanted(0).check):
        connection.execute(ENDLESS).fetchall()
    assert time.monotonic() - began < 30
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    connection.close()


def test_what_is_wanted_is_left_alone() -> None:
    interrupts: list[int] = []
    wanted = Wanted(10**9)
    with interrupted(lambda: interrupts.append(1), check=wanted.check):
        pass
    assert interrupts == []


def test_errors_of_the_work_itself_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), interrupted(lambda: None, check=lambda: None):
        raise ValueError("mine")
