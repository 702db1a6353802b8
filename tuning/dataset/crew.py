"""Processes that work on batches: in order, with few batches in memory at once.

What a batch becomes depends on the batch alone, so the number of processes changes nothing but the
time. A crew of one works in this process.
"""

import multiprocessing
import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from records.errors import StorageUnavailable, UnderstudyError

if TYPE_CHECKING:
    from tuning.dataset.cleaning import Cleaner, Task

ArgumentT = TypeVar("ArgumentT")
ResultT = TypeVar("ResultT")
_WAITING_PER_PROCESS = 2
"""Batches handed over and not fetched yet: enough that nobody waits, few enough for memory."""
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
_NOT_WANTED = ("torch", "transformers")
"""Presidio imports them if it can: 300 MB and five seconds in each process, for nothing of use."""
_cleaner: "Cleaner | UnderstudyError | None" = None
"""This process's, or why there is none."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


class Crew:
    """Runs functions over batches; leaving the block ends its processes at once."""

    def __init__(self, task: "Task", *, processes: int, nice: int = 0) -> None:
        """Prepare; the processes start with the first batch, and step back so far for others."""
        self._task, self._nice = task, nice
        self.processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._own: Cleaner | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        running = list((self._pool._processes or {}).values())  # there is no public way
        if error is not None:
            for process in running:
                process.kill()  # they hold nothing that could be left half-written
        self._pool.shutdown(cancel_futures=True)

    def clean(self, batches: Iterable[Any], *, full: Callable[[], Sequence[str]]) -> Iterator[Any]:
        """Clean batches (see `Cleaner.clean`), in order; `full` names steps with all samples."""
        given = ((batch, tuple(full())) for batch in batches)
        if self.processes == 1:
            own = self.own
            return (own.clean(*pair) for pair in given)
        return self.run(_clean, given)

    def run(
        self, work: Callable[[ArgumentT], ResultT], given: Iterable[ArgumentT]
    ) -> Iterator[ResultT]:
        """What `work`, a function of a module, makes of each argument, in their order.

        Raises:
            StorageUnavailable: a process was ended from outside, for want of memory mostly.
        """
        if self.processes == 1:
            yield from map(work, given)
            return
        pool, waiting = self._start(), deque[Future[ResultT]]()
        try:
            for one in given:
                waiting.append(pool.submit(work, one))
                if len(waiting) > _WAITING_PER_PROCESS * self.processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise StorageUnavailable(
                "A process that cleans examples was ended, for want of memory most likely. Free "
                "some, or let fewer work at once (UNDERSTUDY_TRAINER_THREADS), and retrain."
            ) from error

    @property
    def own(self) -> "Cleaner":
        """The cleaner of this process."""
        from tuning.dataset.cleaning import Cleaner

        if self._own is None:
            self._own = Cleaner(self._task)
        return self._own

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.processes,
                mp_context=multiprocessing.get_context("forkserver"),  # we have threads
                initializer=_begin,
                initargs=(pickle.dumps(self._task), self._nice),
            )
        return self._pool


def _begin(task: bytes, nice: int) -> None:
    """Make this process ready. The task arrives pickled: libraries read the variables once."""
    global _cleaner
    os.nice(nice)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    sys.modules.update(dict.fromkeys(_NOT_WANTED))  # type: ignore[arg-type]  # cannot be imported
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from tuning.dataset.cleaning import Cleaner

    try:
        _cleaner = Cleaner(pickle.loads(task))  # noqa: S301 - from our own parent
    except UnderstudyError as error:
        _cleaner = error  # raised with the first batch: here it would only break the pool


def _end_with_parent() -> None:
    """Never outlive the process that we work for, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _clean(pair: tuple[Any, Sequence[str]]) -> Any:
    if _cleaner is None:
        raise RuntimeError("this process was not made ready")
    if isinstance(_cleaner, UnderstudyError):
        raise _cleaner
    return _cleaner.clean(*pair)
