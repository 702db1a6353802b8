"""The engine's HTTP client: bodies of every framing and cut, kept connections, hang-ups, limits."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.http_client import HttpClient, HttpFailed

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello there"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"6\r\nhello \r\n5;x=y\r\nthere\r\n0\r\n\r\n"
)
UNFRAMED = b"HTTP/1.1 200 OK\r\n\r\nhello there"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[HttpClient]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    client = HttpClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/base")
    try:
        yield client
    finally:
        client.close()
        server.close()


async def ask(client: HttpClient, body: bytes = b"{}", **limits: float) -> tuple[int, bytes]:
    async with client.request("POST", "/x", body, **{"seconds": 5, **limits}) as response:
        return response.status, await response.body()


@given(
    answer=st.sampled_from([PLAIN, CHUNKED, UNFRAMED]),
    cuts=st.lists(st.integers(1, len(CHUNKED)), max_size=6),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_body_is_the_same_however_it_is_framed_and_cut(answer: bytes, cuts: list[int]) -> None:
    ends = sorted({*(min(cut, len(answer)) for cut in cuts), len(answer)})

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        begin = 0
        for end in ends:
            writer.write(answer[begin:end])
            await writer.drain()
            await asyncio.sleep(0)
            begin = end

    async def run() -> None:
        async with serving(talk) as client:
            assert await ask(client) == (200, b"hello there")

    asyncio.run(run())


async def test_pieces_come_as_they_are_sent_not_at_the_end() -> None:
    go_on = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED[:-16])
        await go_on.wait()
        writer.write(CHUNKED[-16:])

    async with serving(talk) as client, client.request("POST", "/x", seconds=5) as response:
        pieces = response.chunks()
        assert await anext(pieces) == b"hello "
        go_on.set()
        assert b"".join([piece async for piece in pieces]) == b"there"


async def test_connections_are_kept_and_the_path_has_its_prefix() -> None:
    seen: list[tuple[Any, bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            seen.append((writer.get_extra_info("peername"), request))
            writer.write(PLAIN)

    async with serving(talk) as client:
        for number in range(5):
            assert await ask(client, b"%d" % number) == (200, b"hello there")
    assert len({peer for peer, _ in seen}) == 1
    assert [request[-1:] for _, request in seen] == [b"0", b"1", b"2", b"3", b"4"]
    assert seen[0][1].startswith(b"POST /base/x HTTP/1.1\r\n")


async def test_a_kept_connection_that_the_server_has_closed_is_replaced() -> None:
    answered = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(PLAIN)
        await writer.drain()
        if not answered.is_set():
            answered.set()
            await reader.read(1)  # the next request on this connection: dropped without a byte

    async with serving(talk) as client:
        assert (await ask(client))[0] == 200
        assert (await ask(client))[0] == 200


async def test_a_server_that_says_close_is_not_asked_again_on_that_connection() -> None:
    peers = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            peers.append(writer.get_extra_info("peername"))
            writer.write(PLAIN.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))

    async with serving(talk) as client:
        await ask(client)
        await ask(client)
    assert len(set(peers)) == 2


@pytest.mark.parametrize("cut", [0, 10, len(PLAIN) - 3])
async def test_an_answer_that_is_cut_off_is_a_failure_and_asked_once(cut: int) -> None:
    asked = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_request(reader))
        writer.write(PLAIN[:cut])

    async with serving(talk) as client:
        with pytest.raises(HttpFailed):
            await ask(client)
    assert len(asked) == 1


async def test_silence_and_slowness_end_in_time() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await reader.read()

    async with serving(talk) as client:
        with pytest.raises(HttpFailed, match="too long"):
            await ask(client, seconds=0.2)
    async with serving(silent) as client:
        with pytest.raises(HttpFailed, match=r"nothing came for 0\.1 s"):
            await ask(client, silence_seconds=0.1)


async def test_leaving_early_hangs_up() -> None:
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED[:-16])
        try:
            await reader.read(1)
        finally:
            gone.set()

    async with serving(talk) as client:
        async with client.request("POST", "/x", seconds=5) as response:
            await anext(response.chunks())
        async with asyncio.timeout(5):
            await gone.wait()


async def test_a_reader_that_lags_slows_its_server_down() -> None:
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        total = 200 * 1_000_000
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while sent < total:
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            sent += 1_000_000

    async with serving(talk) as client, client.request("POST", "/x", seconds=30) as response:
        pieces = response.chunks()
        await anext(pieces)
        before = -1
        while before != sent:  # until nothing more is taken
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 100_000_000


async def test_no_server_and_no_http_are_failures() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"220 mail.example ESMTP\r\n\r\n")

    async with serving(talk) as client:
        with pytest.raises(HttpFailed, match="not HTTP"):
            await ask(client)
    with pytest.raises(HttpFailed):
        await ask(HttpClient("http://127.0.0.1:9"))


async def test_a_whole_answer_may_be_larger_than_what_is_read_ahead() -> None:
    body = b"x" * 1_000_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await writer.drain()

    async with serving(talk) as client:
        assert await client.ask("POST", "/x", b"{}", seconds=5) == (200, body)


async def test_an_interim_response_is_not_taken_for_the_answer() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + request[-3:])

    async with serving(talk) as client:
        answers = [await client.ask("POST", "/x", word, seconds=5) for word in (b"one", b"two")]
    assert answers == [(200, b"one"), (200, b"two")]
