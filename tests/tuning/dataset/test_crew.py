"""Processes that clean: the same result with any number, in order, and gone with their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from records.errors import ConfigurationError, StorageUnavailable
from records.states import ExampleSource
from tests.tuning.build import example
from tests.tuning.dataset.preparing import ASSISTANT, run
from tuning.dataset.cleaning import Task
from tuning.dataset.crew import Crew
from tuning.dataset.options import DataOptions, resolve_data
from tuning.dataset.pipeline import Prepared

ROOT = Path(__file__).resolve().parents[3]
_PATIENCE_SECONDS = 30


def squared(number: int) -> int:
    return number * number


def killed(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def crew(*, processes: int, options: DataOptions | None = None) -> Crew:
    return Crew(Task(ASSISTANT, options or DataOptions()), processes=processes)


def test_one_works_in_this_process() -> None:
    with crew(processes=1) as alone:
        assert list(alone.run(squared, range(5))) == [0, 1, 4, 9, 16]


@pytest.mark.slow
def test_results_come_in_order_and_few_batches_wait() -> None:
    taken = []

    def given() -> object:
        for number in range(40):
            taken.append(number)
            yield number

    with crew(processes=2) as two:
        for place, result in enumerate(two.run(squared, given())):  # type: ignore[arg-type]
            assert result == place * place
            assert len(taken) - place <= 6


@pytest.mark.slow
def test_a_process_that_was_killed_is_told_in_a_sentence() -> None:
    with pytest.raises(StorageUnavailable, match="memory"), crew(processes=2) as two:
        list(two.run(killed, range(9)))


@pytest.mark.slow
def test_an_option_that_cannot_be_used_is_told_as_it_would_be_without_processes() -> None:
    options = resolve_data({"languages": ["xx"]})
    with (
        pytest.raises(ConfigurationError, match="languages"),
        crew(processes=2, options=options) as two,
    ):
        list(two.clean([[]], full=list))


@pytest.mark.slow
def test_any_number_of_processes_gives_the_same(tmp_path: Path) -> None:
    given = [
        example(
            n,
            asked=f"<b>Where</b> is parcel {n % 150} of {n % 7}? My mail is a{n}@example.org",
            answer="Here." if n % 3 else f"There {n % 2}.",
            source=list(ExampleSource)[n % 5],
            customer=f"c {n % 40}",
        )
        for n in range(400)
    ]
    one, two, three = (
        run(tmp_path, given, batch=size, processes=processes, label_noise={"look": False})
        for size, processes in ((512, 1), (50, 2), (31, 3))
    )
    assert one.held_out
    for other in (two, three):
        assert (other.train, other.held_out, other.weights) == (
            one.train,
            one.held_out,
            one.weights,
        )
        assert told(other.prepared) == told(one.prepared)


def told(prepared: Prepared) -> list[object]:
    """What a card says of the steps, times aside."""
    return [(t.name, t.kept, t.changed, t.dropped, t.samples, t.changes) for t in prepared.tallies]


_WORKING = """
import itertools, time
from tests.tuning.dataset.test_crew import crew, squared
if __name__ == "__main__":
    with crew(processes=2) as two:
        for result in two.run(squared, itertools.count()):
            if result == 100:
                print("working", flush=True)
            time.sleep(0.001)
"""


@pytest.mark.slow
def test_no_process_outlives_the_one_that_it_works_for(tmp_path: Path) -> None:
    script = tmp_path / "working.py"
    script.write_text(_WORKING)
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "working\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=_PATIENCE_SECONDS)
    assert alive == []
