"""What durable recording costs: the gateway's group commit against one commit per turn.

Both write the same conversations to SQLite on this machine's disk, from the same number of callers
at a time, in one run. Command: make bench
"""

import asyncio
import tempfile
import time
from pathlib import Path

from records.database import Database
from records.ids import new_id
from records.messages import Role
from records.states import ConversationState, TurnStatus
from serving import turn_log
from serving.recorder import Recorder
from serving.turn_log import Entry, stamp

TURNS = 2000
CALLERS = (1, 16, 64)


def question() -> Entry:
    """One customer's turn in a conversation of its own."""
    conversation = {
        "id": new_id("conv"), "assistant": "support", "state": ConversationState.OPEN, "key": None,
        "created_at": stamp(),
    }  # fmt: skip
    turn = {
        "id": new_id("turn"), "conversation_id": conversation["id"], "position": 0,
        "role": Role.CUSTOMER, "content": "Where is it?", "created_at": stamp(),
        "status": TurnStatus.COMPLETE, "handed_over": False,
    }  # fmt: skip
    return Entry(str(conversation["id"]), (turn,), started=conversation)


async def grouped(database: Database, callers: int) -> float:
    """Turns per second through the recorder."""
    recorder = Recorder(database)
    recorder.start()

    async def caller() -> None:
        for _ in range(TURNS // callers):
            await recorder.record(question())

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    seconds = time.perf_counter() - began
    await recorder.close()
    return TURNS // callers * callers / seconds


async def single(database: Database, callers: int) -> float:
    """Turns per second with a transaction for each, on as many threads as callers."""

    def one() -> None:
        with database.transaction() as connection:
            turn_log.write_all(connection, [question()])

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
