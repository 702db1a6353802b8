"""Notes that customers have an agent's words, behind the streams and polls that brought them.

What is to be noted is gathered and written by the recorder in one transaction, so that nobody who
sends waits for it. What is lost with a process that is killed, the customer's next reader tells
again by its cursor.
"""

import asyncio
import logging
from functools import partial

from records import delivery
from records.errors import StorageError
from records.ids import utc_now
from serving.recorder import Recorder

_log = logging.getLogger("understudy.gateway")

_GATHER_SECONDS = 0.05
_AGAIN_SECONDS = 1.0


class Receipts:
    """Gathers how far customers are. To be used from its event loop."""

    def __init__(self, recorder: Recorder) -> None:
        """Write with `recorder`; nothing happens before `start`."""
        self._recorder = recorder
        self._seen: dict[str, int] = {}
        self._news = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._fails = False

    def start(self) -> None:
        """Begin to write."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what is gathered, then stop; the recorder must still write."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._write()

    @property
    def waiting(self) -> int:
        """In how many conversations something is to be noted."""
        return len(self._seen)

    @property
    def failing(self) -> bool:
        """Whether nothing could be noted when that was last tried."""
        return self._fails

    def had(self, conversation_id: str, position: int) -> None:
        """A customer's reader has all turns of a conversation up to that position."""
        self._seen[conversation_id] = max(position, self._seen.get(conversation_id, -1))
        self._news.set()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                noted = await self._write()
            except Exception:  # noqa: BLE001 - the task's edge: it must not end
                _log.exception("what customers have could not be noted")
                noted = False
            await asyncio.sleep(_GATHER_SECONDS if noted else _AGAIN_SECONDS)

    async def _write(self) -> bool:
        """Note what is gathered; what could not be noted stays."""
        seen, self._seen = self._seen, {}
        if not seen:
            return True
        try:
            await self._recorder.write(partial(delivery.note, seen=seen, at=utc_now()))
        except StorageError as error:
            self._keep(seen)
            if not self._fails:
                _log.warning("what customers have is noted later: %s", error)
            self._fails = True
        except asyncio.CancelledError:
            self._keep(seen)
            raise
        else:
            self._fails = False
        return not self._fails

    def _keep(self, seen: dict[str, int]) -> None:
        """Gather again what could not be noted."""
        for conversation_id, position in seen.items():
            self.had(conversation_id, position)
