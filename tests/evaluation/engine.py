"""The stub engine, with a hand in each request: a test may delay it, answer it or fail it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.stub_engine import StubEngine

Disturb = Callable[[str], Awaitable[web.Response | None]]


def failing(message: str = "out of memory", *, status: int = 500) -> web.Response:
    return web.json_response({"error": {"message": message}}, status=status)


class DisturbedEngine(StubEngine):
    """Counts requests under way, and asks `disturb` about each one's question first."""

    def __init__(self, *bases: str, disturb: Disturb | None = None) -> None:
        super().__init__(*bases)
        self.disturb = disturb
        self.asked: list[str] = []
        self.most_in_flight = 0
        self._in_flight = 0

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        question = (await request.json())["messages"][-1]["content"]
        self.asked.append(question)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            disturbed = await self.disturb(question) if self.disturb else None
            return disturbed or await super()._chat(request)
        finally:
            self._in_flight -= 1


def by_question(say: Callable[[str, str], str]) -> Callable[[str, list[dict[str, Any]]], str]:
    """A stub's answers from the model's name and the customer's last message."""
    return lambda model, messages: say(model, messages[-1]["content"])
