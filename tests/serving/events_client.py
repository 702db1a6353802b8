"""A client of event streams, which reads as browsers' EventSource does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from tests.serving.running_gateway import Stack


@dataclass(frozen=True)
class Event:
    """One event as a page gets it."""

    name: str
    data: Any
    id: str | None

    @property
    def words(self) -> str:
        """What it tells, in short."""
        if self.name == "turn":
            return f"{self.data['role']}: {self.data['content']}"
        return str(self.data.get("kind", self.name))


class Events:
    """Reads events from an open response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0
        self.retry: int | None = None

    async def next(self, *, seconds: float = 10) -> Event:
        """The next event; `EOFError` where the stream has ended."""
        async with asyncio.timeout(seconds):
            while True:
                fields = await self._block()
                if "data" in fields:
                    data = orjson.loads(fields["data"])
                    return Event(fields.get("event", "message"), data, fields.get("id"))

    async def until(self, wanted: Callable[[Event], bool], *, seconds: float = 10) -> list[Event]:
        """All events up to the first that is wanted."""
        found = []
        async with asyncio.timeout(seconds):
            while not found or not wanted(found[-1]):
                found.append(await self.next(seconds=seconds))
        return found

    async def rest(self) -> list[Event]:
        """All events until the stream ends."""
        found = []
        try:
            while True:
                found.append(await self.next())
        except EOFError:
            return found

    async def _block(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while True:
            line = (await self.response.content.readline()).decode()
            if not line:
                raise EOFError
            if line == "\n":
                return fields
            name, _, value = line.rstrip("\n").partition(":")
            if not name:
                self.comments += 1
            elif name == "retry":
                self.retry = int(value)
            else:
                fields[name] = value.removeprefix(" ")


@asynccontextmanager
async def following(
    stack: Stack,
    conversation: str,
    *,
    after: str | None = None,
    key: str | None = None,
    **query: str,
) -> AsyncIterator[Events]:
    """A conversation's events; `after` is the `Last-Event-ID`."""
    headers = {"Authorization": f"Bearer {key}"} if key else stack.headers()
    if after is not None:
        headers["Last-Event-ID"] = after
    url = f"{stack.url}/v1/conversations/{conversation}/events"
    async with stack.http.get(url, headers=headers, params=query) as response:
        assert response.status == 200, await response.text()
        yield Events(response)
