"""Brings what is recorded of conversations to the streams that are open in this process.

One poller for all of them: it asks the database what is new to any stream, on a thread of its own,
now and then and at once when this process has recorded something. Nothing is queued for a stream:
it has a cursor and at most one piece on its way, and is asked for again when that is sent. So a
slow reader costs no more than a quick one, and a database that was away costs nobody an event.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from starlette.types import Send

from records import events
from records.database import Database
from records.errors import Overloaded, StorageError
from records.events import Cursor, Item
from records.ids import utc_now
from serving.conversation_events import page
from serving.event_listener import Had, Listener
from serving.problems import place_of

_log = logging.getLogger("understudy.gateway")

_MOST_ITEMS = 500
"""Read at once; what is left over is read next."""
_MOST_BYTES = 64 * 1024
"""On its way to one stream at once, unless one item is larger."""
_PAUSE_SECONDS = 0.02
"""Between two looks, however much is recorded."""


class Feed:
    """The streams of this process and their poller. To be used from its event loop."""

    def __init__(
        self,
        database: Database,
        *,
        poll_seconds: float,
        heartbeat_seconds: float,
        most_streams: int,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Read `database`; nothing happens before `start`."""
        self._database = database
        self._poll_seconds = poll_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._most_streams = most_streams
        self._clock = clock
        self._listeners: dict[str, list[Listener]] = {}
        self._open = 0
        self._woken: set[str] = set()
        self._awake = asyncio.Event()
        self._look_at = self._beat_at = 0.0
        self._closed = False
        self._fails = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="event-feed")
        self._running: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to look."""
        self._loop = asyncio.get_running_loop()
        self._running = asyncio.create_task(self._run())

    def close(self) -> None:
        """End all streams, so that their clients connect to another process."""
        self._closed = True
        for listener in self._all():
            listener.end()

    async def stop(self) -> None:
        """Look no more."""
        self.close()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def open(self) -> int:
        """How many streams are open."""
        return self._open

    @property
    def failing(self) -> bool:
        """Whether the database could not be read when it was last asked."""
        return self._fails

    def wrote(self, conversation_id: str) -> None:
        """Look at a conversation now: this process has recorded something. From any thread."""
        if conversation_id in self._listeners and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, conversation_id)

    def require_room(self) -> None:
        """See that one more stream may be opened.

        Raises:
            Overloaded: too many are open, or this process is stopping.
        """
        if self._closed or self._open >= self._most_streams:
            raise Overloaded("Too many event streams are open here. Try again in a moment.")

    @contextmanager
    def listening(
        self, conversation_id: str, cursor: Cursor, send: Send, *, had: Had | None = None
    ) -> Iterator[Listener]:
        """While this lasts, what is new after `cursor` goes to `send`.

        `had` is told when an agent's words were sent.
        """
        listener = Listener(conversation_id, cursor, send, self._wake, had=had)
        self._listeners.setdefault(conversation_id, []).append(listener)
        self._open += 1
        if self._closed:
            listener.end()
        self._wake(conversation_id)
        try:
            yield listener
        finally:
            listener.leave()
            self._open -= 1
            others = self._listeners[conversation_id]
            others.remove(listener)
            if not others:
                del self._listeners[conversation_id]

    def _wake(self, conversation_id: str) -> None:
        self._woken.add(conversation_id)
        self._awake.set()

    def _all(self) -> Iterator[Listener]:
        return (one for several in tuple(self._listeners.values()) for one in tuple(several))

    async def _run(self) -> None:
        while True:
            names = await self._next()
            try:
                await self._look(names)
            except StorageError as error:
                self._note_failure(error)
            except Exception as error:  # noqa: BLE001 - the task's edge: it must not end
                _log.error("the event feed goes on after an unforeseen %s", place_of(error))
            self._beat()  # after the look, from which it would keep the streams
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _next(self) -> Set[str]:
        """Wait until some conversations are to be looked at; all of them when it is time."""
        assert self._loop is not None
        left = self._look_at - self._loop.time() if self._listeners else None
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await self._awake.wait()
        self._awake.clear()
        woken, self._woken = self._woken, set()
        if self._loop.time() < self._look_at:
            return woken
        self._look_at = self._loop.time() + self._poll_seconds
        return self._listeners.keys()

    async def _look(self, names: Set[str]) -> None:
        """Read what is new to the streams of some conversations, and send it."""
        asking = {name: free for name in names if (free := self._free(name))}
        seen = {name: _lowest(free) for name, free in asking.items()}
        if not seen:
            return
        assert self._loop is not None
        items = await self._loop.run_in_executor(self._thread, self._read, seen)
        if self._fails:
            self._fails = False
            _log.info("event streams go on")
        now = self._clock()
        for name, of_one in groupby(items, key=attrgetter("conversation_id")):
            new = list(of_one)
            for listener in asking[name]:  # not those that came later, perhaps from further back
                if not listener.busy:
                    listener.take(page(listener.cursor, new, now=now, most_bytes=_MOST_BYTES))
        if len(items) == _MOST_ITEMS:
            self._woken |= seen.keys()
            self._awake.set()

    def _read(self, seen: dict[str, Cursor]) -> Sequence[Item]:
        with self._database.read() as session:
            return events.since(session, seen, most=_MOST_ITEMS)

    def _free(self, name: str) -> list[Listener]:
        """The streams of a conversation that can take something now."""
        return [one for one in self._listeners.get(name, ()) if not one.busy]

    def _beat(self) -> None:
        """Send comments to quiet streams, now and then."""
        assert self._loop is not None
        if self._loop.time() < self._beat_at:
            return
        self._beat_at = self._loop.time() + min(1.0, self._heartbeat_seconds)
        quiet_since = self._loop.time() - self._heartbeat_seconds
        for listener in self._all():
            listener.beat(quiet_since)

    def _note_failure(self, error: StorageError) -> None:
        if not self._fails:
            self._fails = True
            _log.warning("event streams wait for the database: %s", error)


def _lowest(listeners: Sequence[Listener]) -> Cursor:
    """What all of some streams (at least one) have seen."""
    cursors = [one.cursor for one in listeners]
    return Cursor(min(c.position for c in cursors), min(c.seq for c in cursors))
