"""The one writer of this process: group commit.

All operations that wait are committed in one transaction, each behind its own savepoint, so that
a commit's cost is shared and a failing operation fails alone. An operation's result is given out
only when it is durable. Operations may run more than once before that.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from records.database import Database
from records.errors import StorageUnavailable

Result = TypeVar("Result")

_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Waiting:
    operation: Callable[[Session], Any]
    future: "Future[Any]"


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of an operation, to be told once it is durable."""

    value: Any = None
    error: Exception | None = None


class Recorder:
    """Runs operations on a thread of its own. Operations must return plain values."""

    def __init__(self, database: Database) -> None:
        """Write to `database`; nothing happens before `start`."""
        self._database = database
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def submit(self, operation: Callable[[Session], Result]) -> "Future[Result]":
        """Queue an operation; it will run even if nobody waits for its result."""
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()  # so that a cancelled waiter does not cancel it
        with self._wake:
            if self._closing:
                raise StorageUnavailable("The gateway is stopping and records nothing more.")
            self._waiting.append(_Waiting(operation, future))
            self._wake.notify()
        return future

    async def write(self, operation: Callable[[Session], Result]) -> Result:
        """Run an operation and wait until its effect is durable.

        Raises:
            StorageError: nothing was written.
        """
        return await asyncio.wrap_future(self.submit(operation))

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                group = list(self._waiting)
                self._waiting.clear()
            if not group:
                return
            for item, done in zip(group, self._commit(group), strict=True):
                if done.error is not None:
                    item.future.set_exception(done.error)
                else:
                    item.future.set_result(done.value)

    def _commit(self, group: list[_Waiting]) -> list[_Done]:
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                with self._database.write() as session:
                    return [_attempt(session, item.operation) for item in group]
            except Exception as error:  # noqa: BLE001 - the thread's edge: told to those who wait
                if not (tries_left and _is_deadlock(error)):
                    return [_Done(error=error)] * len(group)
        raise AssertionError("unreachable")


def _attempt(session: Session, operation: Callable[[Session], Any]) -> _Done:
    for tries_left in range(_TRIES - 1, -1, -1):
        try:
            with session.begin_nested():
                return _Done(operation(session))
        except (OperationalError, InterfaceError):
            raise  # the storage itself fails: nothing of the group is written
        except IntegrityError as error:
            if not tries_left:  # else: another process took the same position; look again
                return _Done(error=error)
        except Exception as error:  # noqa: BLE001 - the caller's own failure, told to it alone
            return _Done(error=error)
    raise AssertionError("unreachable")


def _is_deadlock(error: Exception) -> bool:
    """Whether PostgreSQL chose this transaction as the victim of a deadlock."""
    origin = getattr(error.__cause__, "orig", None)
    return getattr(origin, "sqlstate", None) in ("40P01", "40001")
