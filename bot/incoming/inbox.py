"""Events of Slack's, from their acknowledgement to the end of their work.

An event is acknowledged when it stands in the journal, whatever the database does, and worked on in
the order of its thread. What the database does not take now waits here and is tried again; that an
event's work is done once, however often it is tried, is seen to by `deliveries.first_time`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot import wording
from bot.incoming.aside import put_aside, take_back
from bot.incoming.journal import Event, Journal
from records.errors import Overloaded, StorageError, StorageUnavailable

log = logging.getLogger(__name__)

_MOST_WAITING = 20_000
_MOST_TRIES = 12
_SHORTEST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 15.0
_SWEEP_SECONDS = 30.0
_AT_ONCE = 32
_PUT_ASIDE = "put-aside.json-lines"


class Outcome(StrEnum):
    """What became of an event's work."""

    DONE = "done"
    LATER = "later"
    """What it needs is away: the database, or Slack. It is tried until it comes back."""
    BROKEN = "broken"
    """It failed for another reason. It is tried a few times, and then put aside."""


Work = Callable[[Event], Awaitable[Outcome]]


class Inbox:
    """Keeps events and sees to them. `work` is called for one event of a thread at a time."""

    def __init__(self, folder: Path, work: Work, *, most_waiting: int = _MOST_WAITING) -> None:
        self._folder = folder
        self._work = work
        self._most_waiting = most_waiting
        self._disk = ThreadPoolExecutor(1, "inbox")
        self._journal: Journal | None = None
        self._known: set[str] = set()
        self._held: set[str] = set()
        self._done: list[str] = []
        self._unwritten: list[tuple[Event, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._lanes: dict[str, deque[Event]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._closing = asyncio.Event()
        self.put_aside = 0
        """How many events failed again and again since this bot started."""

    @property
    def size(self) -> int:
        """How many events are acknowledged and not done."""
        return len(self._known)

    async def open(self) -> None:
        """Take up what was left when a bot ended on this machine, and be ready.

        Raises:
            ConfigurationError, StorageError: the journal cannot be kept.
        """
        self._journal = await self._on_disk(Journal, self._folder)
        for event in await self._on_disk(self._put_back):
            self._enqueue(event)
        await self._take_up()
        self._sweeping = asyncio.create_task(self._sweep())

    async def receive(self, event: Event) -> None:
        """Keep an event: it may be acknowledged when this returns.

        Raises:
            Overloaded: too many wait; Slack will deliver it again.
            StorageError: it is not on disk.
        """
        if self._journal is None or self._closing.is_set():
            raise StorageUnavailable(wording.machine.NOT_OPEN)
        if event["event_id"] in self._known:
            return
        if self.size + len(self._unwritten) >= self._most_waiting:
            raise Overloaded(wording.machine.TOO_MANY_EVENTS.format(number=self.size))
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unwritten.append((event, written))
        self._write_soon()
        await written

    async def hold(self, event: Event) -> None:
        """Keep an event that its receiver works on, for a bot that dies; see `settle`, `resume`.

        Raises:
            Overloaded, StorageError: see `receive`.
        """
        self._held.add(event["event_id"])
        try:
            await self.receive(event)
        except BaseException:
            self._held.discard(event["event_id"])
            raise

    def settle(self, event: Event) -> None:
        """An event that was held is done."""
        self._held.discard(event["event_id"])
        self._note_done(event["event_id"])

    def resume(self, event: Event) -> None:
        """Its receiver could not do what was held: it is worked on here."""
        self._held.discard(event["event_id"])
        self._enqueue(event)

    async def close(self, *, seconds: float) -> None:
        """Finish what is being worked on, at most so long; the rest waits in the journal."""
        self._closing.set()
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._workers:
            await asyncio.wait(set(self._workers), timeout=seconds)
        for worker in self._workers:
            worker.cancel()
        if self._writing is not None:
            await asyncio.wait({self._writing})
        await self._write()
        if self._journal is not None:
            await self._on_disk(self._journal.close)
        self._disk.shutdown()

    async def _sweep(self) -> None:
        """Take up, now and then, what bots left behind that died beside this one."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await self._take_up()

    async def _take_up(self) -> None:
        assert self._journal is not None
        events = await self._on_disk(self._journal.left_behind)
        if events:
            log.warning("%d events that another bot left behind are taken up", len(events))
        for event in sorted(events, key=_time_of):  # the files are named by clocks of ours
            self._enqueue(event)

    def _put_back(self) -> list[Event]:
        """Take what was put aside into the journal again: a new start may have mended the cause."""
        assert self._journal is not None
        return take_back(self._folder / _PUT_ASIDE, keep=self._journal.append)

    def _write_soon(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Write in one go whatever came while the last was being written."""
        while self._unwritten or self._done:
            coming, self._unwritten = self._unwritten, []
            done, self._done = self._done, []
            events = list({event["event_id"]: event for event, _ in coming}.values())
            assert self._journal is not None
            try:
                await self._on_disk(self._journal.append, events, done=done)
            except StorageError as error:
                self._refuse(coming, error)
                if not coming:
                    return
            else:
                self._accept(coming)

    def _accept(self, coming: list[tuple[Event, "asyncio.Future[None]"]]) -> None:
        for event, written in coming:
            if event["event_id"] not in self._held:
                self._enqueue(event)
            if not written.done():
                written.set_result(None)

    def _refuse(
        self, coming: list[tuple[Event, "asyncio.Future[None]"]], error: StorageError
    ) -> None:
        log.warning("%d events are not acknowledged: %s", len(coming), error)
        for _, written in coming:
            if not written.done():
                written.set_exception(error)

    def _enqueue(self, event: Event) -> None:
        if event["event_id"] in self._known:
            return
        self._known.add(event["event_id"])
        lane = lane_of(event)
        if lane in self._lanes:
            _place(self._lanes[lane], event)
            return
        self._lanes[lane] = deque([event])
        worker = asyncio.create_task(self._see_to(lane))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _see_to(self, lane: str) -> None:
        """Work on a lane's events one by one until none is left."""
        waiting = self._lanes[lane]
        while waiting and not self._closing.is_set():
            if not await self._finish(waiting[0]):
                return
            self._note_done(waiting.popleft()["event_id"])
        if not waiting:
            del self._lanes[lane]

    def _note_done(self, event_id: str) -> None:
        self._known.discard(event_id)
        self._done.append(event_id)
        if not self._closing.is_set():
            self._write_soon()

    async def _finish(self, event: Event) -> bool:
        """Try until it is done; False where the bot stops before."""
        tries = 0
        while not self._closing.is_set():
            async with self._slots:
                outcome = await self._outcome(event)
            if outcome is Outcome.DONE:
                return True
            tries += 1
            if outcome is Outcome.BROKEN and tries >= _MOST_TRIES and await self._put_aside(event):
                return True
            wait = min(_LONGEST_WAIT_SECONDS, _SHORTEST_WAIT_SECONDS * 2.0 ** min(tries, 10))
            try:
                await asyncio.wait_for(self._closing.wait(), wait)
            except TimeoutError:
                continue
        return False

    async def _put_aside(self, event: Event) -> bool:
        """Let others go on, and try the event again when a bot starts; False where that fails."""
        try:
            await self._on_disk(put_aside, self._folder / _PUT_ASIDE, event)
        except OSError as error:
            log.warning("an event cannot be put aside, and is tried again: %s", error.strerror)
            return False
        self.put_aside += 1
        log.error("event %s is put aside until the bot starts again", event["event_id"])
        return True

    async def _outcome(self, event: Event) -> Outcome:
        try:
            return await self._work(event)
        except Exception:
            log.exception("event %s failed", event["event_id"])
            return Outcome.BROKEN

    async def _on_disk(self, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._disk, lambda: work(*given, **named))


def _place(waiting: "deque[Event]", event: Event) -> None:
    """Put an event among those that wait, by Slack's time; the first is being worked on."""
    at = len(waiting)
    while at > 1 and _time_of(waiting[at - 1]) > _time_of(event):
        at -= 1
    waiting.insert(at, event)


def _time_of(body: Event) -> str:
    """When something happened, as text that is as long as any other's."""
    event: Event = body.get("event") or {}
    return str(event.get("event_ts") or event.get("ts") or "")


def lane_of(body: Event) -> str:
    """What an event keeps its order with: all that is said and done in one thread."""
    if "view" in body:
        return f"view:{body['view']['id']}"
    event: Event = body.get("event") or {}
    item: Event = event["item"] if isinstance(event.get("item"), dict) else {}
    message = event.get("message") or event.get("previous_message") or event
    channel = event.get("channel") or item.get("channel") or event.get("user") or ""
    root = message.get("thread_ts") or message.get("ts") or item.get("ts") or ""
    return f"{body.get('team_id', '')}:{channel}:{root}"
