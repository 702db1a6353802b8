"""1,000 open event streams of one gateway: memory for each, processor time, and delivery.

Each stream follows a conversation of its own. What agents say is written by other processes: by a
second gateway, one reply after another, and by a single transaction to all conversations at once.
Delivery is counted from the moment at which a reply is sent (or its transaction begins to commit)
until the stream's client has it.
Command: python -m benchmarks.serving.event_streams
"""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import click
import orjson

from benchmarks.serving import figures, postgres, servers
from benchmarks.serving.figures import spread
from benchmarks.serving.servers import Server
from records import conversations, escalations
from records.database import Database
from records.keys import local_key
from records.states import EscalationReason

AGENT = "bench"
_CALM_SECONDS = 2
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Round:
    """What one round gave."""

    streams: int
    kib_per_stream: float
    idle_percent: float
    """Processor time of one core with all streams quiet."""
    baseline_percent: float
    """The same without any stream."""
    one_by_one_ms: Sequence[float]
    all_at_once_ms: Sequence[float]


@click.command()
@click.option("--streams", default=1000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--replies", default=200, show_default=True, help="One by one, in each round.")
@click.option("--postgres", "on_postgres", is_flag=True, help="PostgreSQL instead of SQLite.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write all results there.")
def main(*, streams: int, rounds: int, replies: int, on_postgres: bool, file: Path | None) -> None:
    """Measure a gateway that holds many open event streams."""
    figures.warn_if_busy()
    found = []
    for number in range(rounds):
        click.echo(f"round {number + 1} of {rounds}", err=True)
        with (
            servers.workplace() as folder,
            postgres.cluster()
            if on_postgres
            else nullcontext(f"sqlite:///{folder}/bench.db") as url,
        ):
            found.append(_round(folder, url, streams=streams, replies=replies))
    report(found)
    if file is not None:
        results = {"machine": figures.machine(), "rounds": found}
        file.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))


def _round(folder: Path, database_url: str, *, streams: int, replies: int) -> Round:
    stub = servers.stub(folder)
    with servers.running(stub):
        here = servers.gateway(folder, stub.url, database_url=database_url)
        (folder / "second").mkdir()
        there = replace(
            servers.gateway(folder / "second", stub.url, database_url=database_url), name="second"
        )
        with servers.running(here) as process, servers.running(there):
            store = Database(database_url)
            names = _taken(store, streams)
            try:
                return asyncio.run(
                    _measure(store, process.pid, here, there, names=names, replies=replies)
                )
            finally:
                store.close()


def _taken(store: Database, count: int) -> list[str]:
    """Conversations that an agent has."""
    names = []
    with store.write() as session:
        for _ in range(count):
            made, _new = conversations.create(session, assistant="support")
            opened = escalations.escalate(
                session, made.id, reason=EscalationReason.CUSTOMER, cause="a benchmark"
            )
            escalations.take_over(session, opened.id, agent=AGENT)
            names.append(made.id)
    return names


async def _measure(
    store: Database,
    pid: int,
    here: Server,
    there: Server,
    *,
    names: Sequence[str],
    replies: int,
) -> Round:
    async with AsyncExitStack() as opened:
        for reader in await _open(here, names[:50]):  # so that what is loaded once is loaded
            reader.close()
        await asyncio.sleep(_CALM_SECONDS)
        baseline = await _busy_percent(pid)
        before = _resident_kib(pid)
        readers = await _open(here, names)
        for reader in readers:
            opened.callback(reader.close)
        await asyncio.sleep(_CALM_SECONDS)
        memory = (_resident_kib(pid) - before) / len(names)
        idle = await _busy_percent(pid)
        one_by_one = await _one_by_one(there, readers, replies)
        at_once = await _all_at_once(store, readers)
    return Round(len(names), memory, idle, baseline, one_by_one, at_once)


class Reader(asyncio.Protocol):
    """A stream's client, as small as can be: the benchmark must not be what is slow."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.connected: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.received_at = self.connected
        """Done with the moment at which the turn that is expected has come."""
        host = urlsplit(server.url).netloc
        self._request = (
            f"GET /v1/conversations/{name}/events HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {server.key}\r\n\r\n"
        ).encode()
        self._transport: asyncio.Transport | None = None

    def expect(self) -> None:
        """Wait for the next turn."""
        self.received_at = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note when something has come."""
        if b"event: connected" in data and not self.connected.done():
            self.connected.set_result(0.0)
        elif b"event: turn" in data and not self.received_at.done():
            self.received_at.set_result(time.perf_counter())

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail where it never opened."""
        if not self.connected.done():
            self.connected.set_exception(ConnectionError("the stream was not opened"))

    def close(self) -> None:
        """Leave."""
        assert self._transport is not None
        self._transport.abort()


async def _open(server: Server, names: Sequence[str]) -> list[Reader]:
    loop = asyncio.get_running_loop()
    host, _, port = urlsplit(server.url).netloc.partition(":")
    readers = []
    for name in names:
        _, reader = await loop.create_connection(partial(Reader, server, name), host, int(port))
        readers.append(reader)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await asyncio.gather(*(reader.connected for reader in readers))
    return readers


async def _one_by_one(server: Server, readers: Sequence[Reader], count: int) -> list[float]:
    """Replies through another gateway, at moments that follow no beat of the poll."""
    found = []
    key = local_key(Path(server.environment["UNDERSTUDY_HOME"]), "admin")
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as http:
        for number in range(count):
            reader = readers[number * 7919 % len(readers)]
            reader.expect()
            body = {"agent": AGENT, "content": "Here I am.", "id": str(number)}
            began = time.perf_counter()
            path = f"/v1/conversations/{reader.name}/agent/reply"
            async with http.post(path, json=body) as response:
                assert response.status == 200, await response.text()
            found.append((await _received(reader) - began) * 1000)
            await asyncio.sleep(0.013 + number * 37 % 200 / 1000)  # else it follows the poll's beat
    return found


async def _all_at_once(store: Database, readers: Sequence[Reader]) -> list[float]:
    for reader in readers:
        reader.expect()
    began = await asyncio.to_thread(_reply_to_all, store, [reader.name for reader in readers])
    return [(await _received(reader) - began) * 1000 for reader in readers]


def _reply_to_all(store: Database, names: Sequence[str]) -> float:
    """One transaction; the moment at which it begins to commit."""
    with store.write() as session:
        for name in names:
            escalations.reply(
                session,
                escalations.latest(session, name).id,
                agent=AGENT,
                content="Here I am.",
                source_key=f"agent:{name}:all",
            )
        return time.perf_counter()


async def _received(reader: Reader) -> float:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        return await reader.received_at


def _resident_kib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


async def _busy_percent(pid: int, *, seconds: float = 5) -> float:
    def spent() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = spent()
    await asyncio.sleep(seconds)
    return (spent() - before) / seconds * 100


def report(found: Sequence[Round]) -> None:
    """Print both tables: medians over the rounds, the lowest and highest in brackets."""
    click.echo(f"{found[0].streams} open event streams of one gateway process:\n")
    click.echo(
        figures.table(
            ["KiB per stream", "one core, quiet", "one core, no streams"],
            [[
                spread((r.kib_per_stream for r in found), digits=1),
                spread((r.idle_percent for r in found), digits=1, unit=" %"),
                spread((r.baseline_percent for r in found), digits=1, unit=" %"),
            ]],
        )
    )  # fmt: skip
    click.echo("\nFrom an agent's reply in another process to the stream's client, ms:\n")
    rows = [
        ["one by one, by another gateway", *_quantiles([r.one_by_one_ms for r in found])],
        ["to all streams at once", *_quantiles([r.all_at_once_ms for r in found])],
    ]
    click.echo(figures.table(["replies", "p50", "p99", "max"], rows))


def _quantiles(rounds: Sequence[Sequence[float]]) -> list[str]:
    cut = [statistics.quantiles(values, n=100) for values in rounds]
    return [
        spread(c[49] for c in cut),
        spread(c[98] for c in cut),
        spread(max(values) for values in rounds),
    ]


if __name__ == "__main__":
    main()
