"""How a process leaves without losing an answer: it says so first, and stops accepting later.

Between the two, load balancers see that it is not ready, and clients that keep connections open
are told to close them, so that none sends a request into a connection that is being closed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

App = Callable[[Any, Any, Any], Awaitable[None]]
"""What a server is given (ASGI)."""

_CLOSE = (b"connection", b"close")


class Draining:
    """Whether this process is about to stop."""

    def __init__(self) -> None:
        self.begun = False
        """No new requests are wanted any more; those that come are answered."""
        self._at_end: list[Callable[[], None]] = []

    def on_end(self, call: Callable[[], None]) -> None:
        """Have `call` end what has no end of its own, such as streams of events."""
        self._at_end.append(call)

    def end(self) -> None:
        """No new requests are accepted: what is left may finish."""
        self.begun = True
        for call in self._at_end:
            call()
        self._at_end.clear()


def closing_connections(app: App, draining: Draining) -> App:
    """An application whose answers close their connections once draining has begun."""

    def respond(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if draining.begun and scope["type"] == "http":
            return app(scope, receive, _Closing(send).send)
        return app(scope, receive, send)

    return respond


class _Closing:
    """A server's `send` that also closes the connection, with what else it is known by."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.transport = getattr(getattr(send, "__self__", None), "transport", None)
        """The front ends a client's connection by this."""

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
        await self._send(message)
