"""What durable recording costs: the gateway's group commit against one commit per turn.

Both write the same turns to SQLite on this machine's disk, from the same number of callers at a
time, in one run. Command: make bench
"""

import asyncio
import tempfile
import time
from pathlib import Path

from records import conversations
from records.conversations import Arrival
from records.database import Database
from records.ids import new_id
from serving.recorder import Recorder

TURNS = 2000
CALLERS = (1, 16, 64)


def turn(session: object) -> None:
    """One customer's turn in a conversation of its own."""
    arrival = Arrival(assistant="support", conversation_id=new_id("conv"), content="Where is it?")
    conversations.receive(session, arrival)  # type: ignore[arg-type]


async def grouped(database: Database, callers: int) -> float:
    """Turns per second through the recorder."""
    recorder = Recorder(database)
    recorder.start()

    async def caller() -> None:
        for _ in range(TURNS // callers):
            await recorder.write(turn)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    seconds = time.perf_counter() - began
    recorder.close()
    return TURNS // callers * callers / seconds


async def single(database: Database, callers: int) -> float:
    """Turns per second with a transaction for each, on as many threads as callers."""

    def one() -> None:
        with database.write() as session:
            turn(session)

    async def caller() -> None:
        for _ in range(TURNS // callers):
            await asyncio.to_thread(one)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return TURNS // callers * callers / (time.perf_counter() - began)


def main() -> None:
    """Print the table."""
    print("callers   one commit each   group commit   ratio   (durable turns per second)")
    with tempfile.TemporaryDirectory() as folder:
        for callers in CALLERS:
            database = Database(f"sqlite:///{Path(folder) / f'{callers}.db'}")
            database.migrate()
            alone = asyncio.run(single(database, callers))
            together = asyncio.run(grouped(database, callers))
            print(f"{callers:7}   {alone:15.0f}   {together:12.0f}   {together / alone:5.1f}")
            database.close()


if __name__ == "__main__":
    main()
