"""A request's body: read whole, never larger or slower than allowed."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from serving.problems import BodyTooLarge, BodyTooSlow, ClientLeft
from serving.request_body import Received, discard_rest, has_body, read_body


class Client:
    """Sends pieces, then leaves; counts what was taken."""

    def __init__(self, *pieces: bytes, complete: bool = True, stalls: bool = False) -> None:
        self.pieces, self.complete, self.stalls = list(pieces), complete, stalls
        self.taken = 0

    async def receive(self) -> Message:
        await asyncio.sleep(0)
        if not self.pieces:
            if self.stalls:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        self.taken += len(piece)
        more = bool(self.pieces) or not self.complete
        return {"type": "http.request", "body": piece, "more_body": more}


async def read(client: Client, announced: bytes | None = None, *, most: int = 10) -> bytes:
    headers = {b"content-length": announced} if announced else {b"transfer-encoding": b"chunked"}
    return await read_body(headers, client.receive, most_bytes=most, seconds=0.05)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=8))
def test_what_fits_is_read_whole_and_what_does_not_is_refused(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    if len(whole) <= 10:
        assert asyncio.run(read(Client(*pieces))) == whole
    else:
        with pytest.raises(BodyTooLarge):
            asyncio.run(read(Client(*pieces)))


@pytest.mark.parametrize("announced", [b"11", b"9" * 5_000, b"-1", b"1e3", b"0x1"])
async def test_what_is_announced_too_large_is_refused_unread(announced: bytes) -> None:
    client = Client(b"x" * 11)
    with pytest.raises(BodyTooLarge):
        await read(client, announced)
    assert client.taken == 0


async def test_the_rest_of_what_is_too_large_is_not_read() -> None:
    client = Client(*[b"x" * 6] * 1_000)
    with pytest.raises(BodyTooLarge, match="10 bytes"):
        await read(client)
    assert client.taken == 12


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with pytest.raises(BodyTooSlow, match=r"within 0\.05 seconds"):
        await read(Client(b"x", complete=False, stalls=True), b"5")


async def test_a_client_that_leaves_in_mid_body_is_noticed() -> None:
    with pytest.raises(ClientLeft):
        await read(Client(b"x", complete=False), b"5")
    with pytest.raises(ClientLeft):
        await read(Client(), b"5")


async def test_what_was_read_is_given_once_and_then_what_the_client_does() -> None:
    receive = Received(b"body", Client().receive)
    assert await receive() == {"type": "http.request", "body": b"body", "more_body": False}
    assert await receive() == {"type": "http.disconnect"}


async def test_discarding_ends_with_the_body_the_client_or_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.request_body._LINGER_SECONDS", 0.02)
    monkeypatch.setattr("serving.request_body._LINGER_BYTES", 50)
    client = Client(*[b"x" * 10] * 100)
    await discard_rest(client.receive)
    assert client.taken == 50
    await discard_rest(Client(b"x" * 10).receive)
    await discard_rest(Client(b"x", complete=False).receive)
    await discard_rest(Client(b"x", complete=False, stalls=True).receive)


@pytest.mark.parametrize(
    ("headers", "brings"),
    [
        ({}, False),
        ({b"content-length": b"0"}, False),
        ({b"content-length": b"1"}, True),
        ({b"transfer-encoding": b"chunked"}, True),
    ],
)
def test_a_body_is_expected_where_one_is_announced(
    headers: dict[bytes, bytes], *, brings: bool
) -> None:
    assert has_body(headers) is brings
