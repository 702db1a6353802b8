"""What passes by itself is tried again, for so long; what a person must mend is not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import (
    AdapterNotApplied,
    ConfigurationError,
    EmptyDataset,
    EngineInterrupted,
    EngineRefused,
    EngineUnavailable,
    LeakedCases,
    StorageDamaged,
    StorageFull,
    StorageUnavailable,
    TrainingFailed,
)
from tuning.workflow.retrying import Away, Patience, Retrying, Setback, away
from tuning.workflow.trainer_process import TrainerLost


class Clock:
    """Time that passes only when somebody waits or works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def failing(clock: Clock, error: Exception, *, times: int, takes: float = 0.0) -> Callable[[], str]:
    left = times

    def work() -> str:
        nonlocal left
        clock.now += takes
        if left:
            left -= 1
            raise error
        return "done"

    return work


def retrying(
    clock: Clock, told: list[Setback], *, seconds: float = 60, tries: int = 1000
) -> Retrying:
    patience = dict.fromkeys(Away, Patience(seconds, tries=tries))
    return Retrying(patience, wait=clock.wait, tell=told.append, clock=clock)


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (EngineUnavailable("x"), Away.ENGINE),
        (EngineInterrupted("x"), Away.ENGINE),
        (StorageUnavailable("x"), Away.STORAGE),
        (TrainerLost("x"), Away.TRAINER),
        (EngineRefused("x"), None),
        (StorageFull("x"), None),
        (StorageDamaged("x"), None),
        (AdapterNotApplied("x"), None),
        (ConfigurationError("x"), None),
        (EmptyDataset("x"), None),
        (LeakedCases("x"), None),
        (TrainingFailed("x"), None),
        (ValueError("a mistake of ours"), None),
    ],
)
def test_only_what_comes_back_by_itself_is_waited_for(
    error: Exception, missing: Away | None
) -> None:
    assert away(error) == missing


def test_each_pause_is_twice_the_last_and_all_are_told() -> None:
    clock, told = Clock(), list[Setback]()
    work = failing(clock, EngineUnavailable("restarting"), times=7)
    assert retrying(clock, told).run(work) == "done"
    assert [one.pause_seconds for one in told] == [0.5, 1, 2, 4, 8, 15, 15]
    assert [one.tries for one in told] == [1, 2, 3, 4, 5, 6, 7]
    assert {(one.away, one.why) for one in told} == {(Away.ENGINE, "restarting")}


def test_patience_ends_with_the_error_itself() -> None:
    clock, told = Clock(), list[Setback]()
    with pytest.raises(EngineUnavailable, match="gone"):
        retrying(clock, told, seconds=20).run(failing(clock, EngineUnavailable("gone"), times=99))
    assert clock.now == 20
    with pytest.raises(StorageFull):
        retrying(clock, told).run(failing(clock, StorageFull("full"), times=1))
    assert clock.now == 20


def test_without_patience_the_first_failure_is_the_last() -> None:
    clock, told = Clock(), list[Setback]()
    with pytest.raises(EngineUnavailable):
        retrying(clock, told, seconds=0).run(failing(clock, EngineUnavailable("x"), times=1))
    assert told == []


def test_an_attempt_that_got_far_begins_a_new_patience_but_not_for_ever() -> None:
    clock, told = Clock(), list[Setback]()
    long = failing(clock, EngineInterrupted("crashed"), times=4, takes=300)
    assert retrying(clock, told).run(long) == "done"
    for_ever = failing(clock, EngineInterrupted("crashed"), times=99, takes=300)
    with pytest.raises(EngineInterrupted):
        retrying(clock, told).run(for_ever)


def test_what_is_killed_each_time_is_started_so_often_only() -> None:
    clock, told = Clock(), list[Setback]()
    killed = failing(clock, TrainerLost("killed"), times=99, takes=500)
    with pytest.raises(TrainerLost):
        retrying(clock, told, seconds=3600, tries=3).run(killed)
    assert len(told) == 2


def test_waiting_ends_at_once_where_the_job_is_to_be_left() -> None:
    class Left(Exception):
        pass

    def wait(_: float) -> None:
        raise Left

    clock, told = Clock(), list[Setback]()
    patient = Retrying({Away.ENGINE: Patience(60)}, wait=wait, tell=told.append, clock=clock)
    with pytest.raises(Left):
        patient.run(failing(clock, EngineUnavailable("x"), times=1))


@given(takes=st.floats(0, 200), patience=st.floats(0, 500))
def test_however_long_attempts_take_the_trying_ends(takes: float, patience: float) -> None:
    clock, told = Clock(), list[Setback]()
    for_ever = failing(clock, StorageUnavailable("gone"), times=10**6, takes=takes)
    with pytest.raises(StorageUnavailable):
        retrying(clock, told, seconds=patience).run(for_ever)
    assert clock.now <= 6 * (patience + 2 * takes) + 1
