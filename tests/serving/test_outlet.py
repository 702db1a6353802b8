"""A client that leaves ends the work for it, and nothing else."""

import asyncio
from typing import Any

import pytest

from serving.outlet import Outlet, respond, unless_left


class Line:
    """A client's end of an ASGI connection."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))


async def test_work_is_cancelled_when_the_client_leaves() -> None:
    line, begun, ended = Line(), asyncio.Event(), []

    async def work() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "never"

    doing = asyncio.create_task(unless_left(work(), line.receive))
    await begun.wait()
    line.left.set()
    async with asyncio.timeout(5):
        assert await doing is None
    assert ended == ["cancelled"]
    assert doing.cancelling() == 0


async def test_leaving_after_the_work_is_done_disturbs_nobody() -> None:
    line = Line()

    async def quick() -> str:
        await asyncio.sleep(0.05)
        line.left.set()
        return "done"

    async def answer() -> str:
        found = await unless_left(quick(), line.receive)
        await asyncio.sleep(0.05)  # would be cancelled here
        return str(found)

    async with asyncio.timeout(5):
        assert await asyncio.create_task(answer()) == "done"


async def test_a_cancellation_from_elsewhere_is_passed_on() -> None:
    line = Line()
    doing = asyncio.create_task(unless_left(asyncio.Event().wait(), line.receive))
    await asyncio.sleep(0.05)
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing


async def test_an_error_of_the_work_is_its_own() -> None:
    async def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await unless_left(fail(), Line().receive)


async def test_a_stream_has_its_headers_and_those_of_the_request() -> None:
    line = Line()
    outlet = Outlet(line.send, {"x-ratelimit-limit-requests": "9"})
    await outlet.begin({"x-understudy-turn": "turn_1"})
    await outlet.end(b"data: [DONE]\n\n")
    headers = dict(line.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert (headers[b"x-ratelimit-limit-requests"], headers[b"x-understudy-turn"]) == (
        b"9",
        b"turn_1",
    )
    assert line.sent[1] == {"type": "http.response.body", "body": b"data: [DONE]\n\n",
                            "more_body": False}  # fmt: skip


async def test_a_whole_answer_says_how_long_it_is() -> None:
    line = Line()
    await respond(line.send, {"words": "Grüße"}, headers={"x-a": "b"})
    headers = dict(line.sent[0]["headers"])
    assert int(headers[b"content-length"]) == len(line.sent[1]["body"])
    assert headers[b"x-a"] == b"b"
