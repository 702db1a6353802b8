"""What a search has spent, over restarts."""

from pathlib import Path

from tuning.search.spent import Spent


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_counts_while_it_works_and_is_gone_on_with(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "search.json"
    spent = Spent(path, clock=clock)
    clock.now += 10
    assert spent.tick() == 10
    clock.now += 50
    assert spent.tick(counts=False) == 10  # it waited for another job
    clock.now += 3
    spent.tick()
    clock.now = 5.0  # another process, whose clock began anew
    again = Spent(path, clock=clock)
    assert again.seconds == 13
    clock.now += 1
    assert again.tick() == 14


def test_a_kill_costs_seconds_not_the_count(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "search.json"
    spent = Spent(path, clock=clock)
    for _ in range(40):
        clock.now += 0.25
        spent.tick()
    assert 8 <= Spent(path, clock=clock).seconds <= 10
