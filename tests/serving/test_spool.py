"""The journal for turns while the database fails: nothing is lost, doubled or out of order."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import StorageFull, StorageUnavailable
from serving import turn_log
from serving.spool import Spool
from serving.turn_log import Entry


class Books:
    """A database that can be away."""

    def __init__(self) -> None:
        self.away = False
        self.kept: list[Entry] = []
        self.refused: set[str] = set()

    def write(self, entries: Sequence[Entry]) -> None:
        if self.away:
            raise StorageUnavailable("away")
        if any(entry.conversation_id in self.refused for entry in entries):
            raise ValueError("never")
        self.kept += entries


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[[Path], Spool]


@pytest.fixture
def make(clock: Clock) -> Iterator[Make]:
    with ExitStack() as opened:
        yield lambda folder: opened.enter_context(closing(Spool(folder, clock=clock)))


def entry(number: int) -> Entry:
    turn = {"id": f"turn_{number}", "content": "Grüße\n\u2028", "position": None}
    return Entry(f"conv_{number}", (turn,), changed={"customer": "a"})


def names(entries: Sequence[Entry]) -> list[str]:
    return [e.conversation_id for e in entries]


def test_entries_wait_until_the_database_is_back_and_then_come_in_order(
    tmp_path: Path, clock: Clock, make: Make
) -> None:
    books, spool = Books(), make(tmp_path)
    books.away = True
    for number in range(500):
        spool.add([entry(number)])
    clock.now += 2
    spool.replay(books.write)
    assert (books.kept, spool.size) == ([], 500)
    books.away = False
    spool.replay(books.write)
    assert books.kept == []  # not tried again at once
    clock.now += 2
    spool.replay(books.write)
    assert names(books.kept) == [f"conv_{n}" for n in range(500)]
    assert books.kept[7].turns == entry(7).turns
    assert (spool.size, spool.pause) == (0, None)


def test_what_a_dead_process_left_is_taken_over(tmp_path: Path, clock: Clock, make: Make) -> None:
    dead = Spool(tmp_path)
    dead.add([entry(1), entry(2)])
    dead._file.close()  # its lock goes with it, as when it is killed
    books, spool = Books(), make(tmp_path)
    assert spool.size == 2
    spool.replay(books.write)
    assert names(books.kept) == ["conv_1", "conv_2"]
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_keeps_its_own(tmp_path: Path, clock: Clock, make: Make) -> None:
    living = make(tmp_path)
    living.add([entry(1)])
    assert make(tmp_path).size == 0
    assert living.size == 1


@given(cut=st.integers(0, 200))
def test_a_line_that_a_crash_cut_off_costs_only_itself(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder, books = tmp_path_factory.mktemp("spool"), Books()
    lines = b"".join(turn_log.dumped(entry(n)) + b"\n" for n in range(2))
    third = turn_log.dumped(entry(2)) + b"\n"
    (folder / "spool_0.jsonl").write_bytes(lines + third[: min(cut, len(third) - 2)])
    with closing(Spool(folder, clock=Clock())) as spool:
        spool.replay(books.write)
    assert names(books.kept) == ["conv_0", "conv_1"]


def test_an_entry_that_the_database_never_takes_is_kept_aside(
    tmp_path: Path, clock: Clock, make: Make
) -> None:
    books, spool = Books(), make(tmp_path)
    books.refused.add("conv_1")
    spool.add([entry(0), entry(1), entry(2)])
    clock.now += 2
    spool.replay(books.write)
    assert names(books.kept) == ["conv_0", "conv_2"]
    rejected = next(tmp_path.glob("*.rejected")).read_bytes().splitlines()
    assert names([turn_log.loaded(line) for line in rejected]) == ["conv_1"]


def test_a_full_disk_is_told_and_leaves_no_half_line(
    tmp_path: Path, clock: Clock, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    books, spool = Books(), make(tmp_path)
    spool.add([entry(0)])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFull):
            spool.add([entry(1)])
    spool.add([entry(2)])
    clock.now += 2
    spool.replay(books.write)
    assert names(books.kept) == ["conv_0", "conv_2"]


def test_a_new_file_that_another_process_takes_for_a_dead_ones_is_made_again(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock
    others: list[Spool] = []

    def flock(file: Any, how: int) -> None:
        if not others and how == fcntl.LOCK_EX:
            others.append(None)  # type: ignore[arg-type]
            others[0] = make(tmp_path)
        real(file, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        spool = Spool(tmp_path)
    spool.add([entry(1)])
    others[0].close()
    spool._file.close()  # its lock goes with it, as when it is killed
    assert make(tmp_path).size == 1
