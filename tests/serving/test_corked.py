"""What is written in one turn of the event loop goes out as one piece, in order, to the last."""

import asyncio
from typing import Any

import aiohttp
import uvicorn

from serving.corked import CorkedProtocol, _Corked
from tests.conftest import free_port
from tests.serving.running_gateway import until


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def abort(self) -> None:
        self.done.append("aborted")

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return name

    is_closing = pause_reading = resume_reading = set_protocol = get_write_buffer_size = abort


async def test_writes_are_gathered_until_the_loop_goes_on() -> None:
    wire = Wire()
    corked = _Corked(wire, asyncio.get_running_loop())  # type: ignore[arg-type]
    corked.write(b"head ")
    corked.write(b"body")
    assert wire.done == []
    await asyncio.sleep(0)
    corked.write(b"more")
    await asyncio.sleep(0)
    assert wire.done == [b"head body", b"more"]


async def test_closing_sends_the_rest_first_and_aborting_drops_it() -> None:
    wire = Wire()
    corked = _Corked(wire, asyncio.get_running_loop())  # type: ignore[arg-type]
    corked.write(b"bye")
    corked.close()
    await asyncio.sleep(0)
    assert wire.done == [b"bye", "closed"]
    corked.write(b"lost")
    corked.abort()
    await asyncio.sleep(0)
    assert wire.done == [b"bye", "closed", "aborted"]


async def test_a_server_with_it_answers_whole_and_in_pieces() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"a" * 100_000, b"b"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"c"})

    port = free_port()
    config = uvicorn.Config(app, port=port, http=CorkedProtocol, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    async with aiohttp.ClientSession() as http:
        for _ in range(3):
            async with http.get(f"http://127.0.0.1:{port}/") as response:
                assert await response.read() == b"a" * 100_000 + b"bc"
    server.should_exit = True
    await serving
