"""uvicorn, which drains before it stops; imported only where the gateway is served."""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

from serving.draining import Draining


class Server(uvicorn.Server):
    """Serves until SIGTERM; then isn't ready for `drain_seconds`, and stops accepting after it."""

    def __init__(self, config: uvicorn.Config, *, draining: Draining, drain_seconds: float) -> None:
        """Serve what `config` says."""
        super().__init__(config)
        self._draining = draining
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Uvicorn's handler of signals. Ctrl-C and a second signal stop without draining."""
        if sig != signal.SIGTERM or self._draining.begun:
            super().handle_exit(sig, frame)
            return
        self._draining.begun = True
        loop = asyncio.get_running_loop()
        stop = super().handle_exit
        loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, stop, sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let answers finish within the configured time, then end."""
        self._draining.end()
        await super().shutdown(sockets)
