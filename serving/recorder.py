"""The one writer of this process: group commit.

What waits is committed together, so that a commit's cost is shared: turns by a few statements for
all of them, other operations in a transaction of theirs, each behind its own savepoint, so that a
failing one fails alone. A result is given out only when it is durable. Operations may run more
than once.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from records.database import Database
from records.errors import StorageError, StorageUnavailable
from serving import turn_log
from serving.spool import Spool
from serving.turn_log import Entry, Recorded

Result = TypeVar("Result")
Operation = Callable[[Session], Any]

_log = logging.getLogger("understudy.gateway")

_TRIES = 3
_LARGEST_GROUP = 500
_CROWD = 4
_FAILING_PATIENCE = 0.25
"""Longest wait for a lock, in seconds, where the group before could not be written."""
_GATHER_SECONDS = 0.002
"""Between two commits while many record at once: fewer, larger groups cost all of them less than
the wait. Who records alone never waits."""


@dataclass(slots=True, eq=False)
class _Waiting:
    work: Operation | Entry
    future: "asyncio.Future[Any]"
    since: float = field(default_factory=time.perf_counter)
    value: Any = None
    error: Exception | None = None


class Recorder:
    """Writes on a thread of its own. To be used from the event loop that it was started in."""

    def __init__(
        self,
        database: Database,
        *,
        spool: Spool | None = None,
        on_recorded: Callable[[Sequence[float]], None] | None = None,
    ) -> None:
        """Write to `database`; nothing happens before `start`.

        While the database fails, turns go to `spool`, if there is one, and are replayed from it
        later. `on_recorded` is told after each group how long each of it had to wait, in seconds.
        """
        self._database = database
        self._spool = spool
        self._on_recorded = on_recorded
        self._patience = database.lock_wait_seconds
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._moved: dict[str, str] = {}
        """Conversations that were begun in the journal though their key was known, and that one."""
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to write."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def close(self) -> None:
        """Write what waits, then stop."""
        self._closing = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    @property
    def waiting(self) -> int:
        """How much waits to be written, without the group that is being written."""
        return self._queue.qsize()

    @property
    def spooled(self) -> int:
        """How many entries wait in the spool."""
        return self._spool.size if self._spool else 0

    def submit(self, work: "Operation | Entry") -> "asyncio.Future[Any]":
        """Queue an operation or an entry; it is written even if nobody waits for its result.

        Operations must return plain values.

        Raises:
            StorageUnavailable: the gateway is stopping.
        """
        if self._closing or self._loop is None:
            raise StorageUnavailable("The gateway is stopping and records nothing more.")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(_Waiting(work, future))
        return future

    async def write(self, operation: Callable[[Session], Result]) -> Result:
        """Run an operation and wait until its effect is durable.

        Raises:
            StorageError: nothing was written.
        """
        result: Result = await self.submit(operation)
        return result

    async def record(self, entry: Entry) -> Recorded:
        """Write an entry and wait until it is durable.

        Raises:
            StorageError: it was not written.
        """
        result: Recorded = await self.submit(entry)
        return result

    def _run(self) -> None:
        while True:
            group = self._next_group()
            began = time.perf_counter()
            turns = [item for item in group if isinstance(item.work, Entry)]
            others = [item for item in group if not isinstance(item.work, Entry)]
            for part in (turns, others):
                if part:
                    self._commit_or_refuse(part)
                    assert self._loop is not None
                    self._loop.call_soon_threadsafe(self._tell, part)
            if self._spool is not None:
                self._replay(self._spool)
            if len(group) >= _CROWD and not self._closing:
                time.sleep(max(0.0, began + _GATHER_SECONDS - time.perf_counter()))
            if self._closing and self._queue.empty():
                break
        if self._spool is not None:
            self._spool.close()

    def _next_group(self) -> list[_Waiting]:
        """What waits; while the spool holds something, an empty group now and then."""
        try:
            first = self._queue.get(timeout=self._spool.pause if self._spool else None)
        except Empty:
            return []
        group = [] if first is None else [first]
        while len(group) < _LARGEST_GROUP:
            try:
                more = self._queue.get_nowait()
            except Empty:
                break
            if more is not None:
                group.append(more)
        return group

    def _tell(self, group: Sequence[_Waiting]) -> None:
        for item in group:
            if item.future.done():
                continue  # nobody waits any more
            if item.error is None:
                item.future.set_result(item.value)
            else:
                item.future.set_exception(item.error)
                item.future.exception()  # an error that nobody waits for is no fault of the loop
        if self._on_recorded is not None:
            now = time.perf_counter()
            self._on_recorded([now - item.since for item in group])

    def _commit_or_refuse(self, group: Sequence[_Waiting]) -> None:
        try:
            self._commit(group)
        except Exception:  # noqa: BLE001 - a thread that ended would leave all waiting for ever
            _log.exception("a group was not recorded")
            for item in group:
                item.error = StorageUnavailable("Nothing can be recorded now.")

    def _replay(self, spool: Spool) -> None:
        try:
            spool.replay(self._write_spooled)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("replaying the journal failed; it is tried again")

    def _commit(self, group: Sequence[_Waiting]) -> None:
        self._write_or_spool(group)
        failed = any(isinstance(item.error, StorageUnavailable) for item in group)
        patience = min(self._patience, _FAILING_PATIENCE) if failed else self._patience
        self._database.lock_wait_seconds = patience  # who comes next need not wait as long again

    def _write_or_spool(self, group: Sequence[_Waiting]) -> None:
        for item in group if self._moved else ():
            if isinstance(item.work, Entry):
                item.work = self._placed(item.work)
        if self._spool is not None and self._spool.size:  # what comes later waits behind it
            self._to_spool(group, StorageUnavailable("The database cannot be used now."))
            return
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                if not self._write_at_once(group):
                    with self._database.write() as session:
                        self._write(session, group)
                return
            except Exception as error:  # noqa: BLE001 - the thread's edge: told to those who wait
                if tries_left and _is_deadlock(error):
                    continue
                self._to_spool(group, error)
                return

    def _to_spool(self, group: Sequence[_Waiting], error: Exception) -> None:
        """Put turns into the spool, if there is one; everything else fails."""
        for item in group:
            item.error = error
        if self._spool is None or not isinstance(error, StorageError):
            return
        turns = [item for item in group if isinstance(item.work, Entry)]
        try:
            self._spool.add(_entries_of(turns))
        except StorageError as failure:
            _log.error("turns are refused: %s", failure)
            return
        for item, entry in zip(turns, _entries_of(turns), strict=True):
            item.error, item.value = None, Recorded(entry.conversation_id)

    def _write_at_once(self, group: Sequence[_Waiting]) -> bool:
        """Write turns in the cheapest way; False where that can't be done, or they are none."""
        entries = _entries_of(group)
        if not entries:
            return False
        try:
            with self._database.transaction() as connection:
                done = turn_log.write_all(connection, entries)
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 - two are of one conversation, or one can't be taken
            return False  # each is written alone, so that a bad one fails alone
        for item, value in zip(group, done, strict=True):
            item.value, item.error = value, None
        return True

    def _write(self, session: Session, group: Sequence[_Waiting]) -> None:
        for item in group:
            item.error = None
            _attempt(session, item)

    def _write_spooled(self, entries: Sequence[Entry]) -> None:
        with self._database.write() as session:
            for entry in entries:
                placed = self._placed(entry)
                done = turn_log.write_alone(session, placed)
                if done.conversation_id != placed.conversation_id:
                    self._moved[placed.conversation_id] = done.conversation_id

    def _placed(self, entry: Entry) -> Entry:
        """An entry of a conversation that turned out to be another one, as one of that."""
        moved = None if entry.started else self._moved.get(entry.conversation_id)
        if moved is None:
            return entry
        turns = tuple({**turn, "conversation_id": moved} for turn in entry.turns)
        return replace(entry, conversation_id=moved, turns=turns)


def _entries_of(turns: Sequence[_Waiting]) -> list[Entry]:
    return [item.work for item in turns if isinstance(item.work, Entry)]


def _attempt(session: Session, item: _Waiting) -> None:
    """Write one item behind its own savepoint."""
    for tries_left in range(_TRIES - 1, -1, -1):
        try:
            with session.begin_nested():
                if isinstance(item.work, Entry):
                    item.value = turn_log.write_alone(session, item.work)
                else:
                    item.value = item.work(session)
                return
        except (OperationalError, InterfaceError):
            raise  # the storage itself fails: nothing of the group is written
        except IntegrityError as error:
            if not tries_left:  # else: another process took the same position; look again
                item.error = error
        except Exception as error:  # noqa: BLE001 - the caller's own failure, told to it alone
            item.error = error
            return


def _is_deadlock(error: Exception) -> bool:
    """Whether PostgreSQL chose this transaction as the victim of a deadlock."""
    origin = getattr(error.__cause__, "orig", None)
    return getattr(origin, "sqlstate", None) in ("40P01", "40001")
