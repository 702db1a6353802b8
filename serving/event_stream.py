"""The response that stays open: a conversation's events as they come, until its client leaves."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from records.events import Cursor
from records.states import ConversationState
from serving.conversation_events import greeting
from serving.event_feed import Feed
from serving.event_listener import Had

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """Everything of a conversation after a cursor."""

    def __init__(
        self,
        feed: Feed,
        conversation_id: str,
        *,
        state: ConversationState,
        cursor: Cursor,
        had: Had | None = None,
    ) -> None:
        """`state` is told first; `had` is told when an agent's words were sent."""
        super().__init__()
        self._feed = feed
        self._conversation_id = conversation_id
        self._state, self._cursor, self._had = state, cursor, had

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Greet, then stay until the client leaves or the gateway stops."""
        hello = greeting(self._conversation_id, self._state, self._cursor)
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
        await send({"type": "http.response.body", "body": hello, "more_body": True})
        feed, name = self._feed, self._conversation_id
        with feed.listening(name, self._cursor, send, had=self._had) as listener:
            await listener.until_left(receive)
