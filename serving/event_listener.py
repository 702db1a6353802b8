"""One open event stream: how far its client is, and the piece that is on its way to it.

A quiet stream is one task, which waits for its client to leave; a task to write lives only while
something is on its way.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Send

from records.events import Cursor
from serving.conversation_events import Page
from serving.sent_events import HEARTBEAT

Had = Callable[[str, int], None]
"""Is told that a reader has all turns of a conversation up to a position."""


class Listener:
    """Writes to one client. To be made in the task that answers its request."""

    __slots__ = (
        "_ending", "_failure", "_had", "_had_position", "_left_over", "_owner", "_send", "_wake",
        "_writing", "_written_at", "conversation_id", "cursor",
    )  # fmt: skip

    def __init__(
        self,
        conversation_id: str,
        cursor: Cursor,
        send: Send,
        wake: Callable[[str], None],
        *,
        had: Had | None = None,
    ) -> None:
        """Write to an ASGI `send`; `wake` is told where more is left to read than was taken.

        `had` is told when an agent's words were sent.
        """
        owner = asyncio.current_task()
        assert owner is not None
        self.conversation_id = conversation_id
        self.cursor = cursor
        self._send = send
        self._wake = wake
        self._had = had
        self._had_position: int | None = None
        self._owner = owner
        self._writing: asyncio.Task[None] | None = None
        self._written_at = owner.get_loop().time()
        self._left_over = False
        self._ending = False
        self._failure: Exception | None = None

    @property
    def busy(self) -> bool:
        """Whether it can take nothing now."""
        return self._writing is not None or self._ending

    def take(self, new: Page) -> None:
        """Send a page, if there is something in it, and be further."""
        self.cursor = new.cursor
        self._left_over = not new.whole
        self._had_position = new.cursor.position if new.by_agent else None
        if new.data:
            self._begin(new.data)

    def beat(self, quiet_since: float) -> None:
        """Send a comment where nothing was sent since that time of the event loop."""
        if not self.busy and self._written_at <= quiet_since:
            self._begin(HEARTBEAT)

    def end(self) -> None:
        """End the stream once what is on its way is sent; its client comes back by itself."""
        self._ending = True
        if self._writing is None:
            self._begin(b"")

    def leave(self) -> None:
        """Nobody is there any more."""
        self._ending = True
        if self._writing is not None:
            self._writing.cancel()

    async def until_left(self, receive: Receive) -> None:
        """Wait until the client has left or the stream is ended.

        Raises:
            Exception: what sending failed with.
        """
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if self._failure is None:
                raise
            self._owner.uncancel()
            raise self._failure from None

    def _begin(self, data: bytes) -> None:
        self._writing = asyncio.create_task(self._write(data))

    async def _write(self, data: bytes) -> None:
        try:
            if data:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
            if self._ending:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:  # noqa: BLE001 - raised to who answers the request
            self._failure = error
            self._owner.cancel()
            return
        self._writing = None
        self._written_at = self._owner.get_loop().time()
        if self._had is not None and self._had_position is not None:
            self._had(self.conversation_id, self._had_position)
            self._had_position = None
        if self._left_over:
            self._wake(self.conversation_id)
