"""How admin routes read and change the records."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from records.assistant import pick_assistant
from serving.gateway import Gateway

Result = TypeVar("Result")


async def read(gateway: Gateway, query: Callable[[Session], Result]) -> Result:
    """Ask the records, off the event loop."""

    def ask() -> Result:
        with gateway.database.read() as session:
            return query(session)

    return await asyncio.to_thread(ask)


async def change(gateway: Gateway, operation: Callable[[Session], Result]) -> Result:
    """Write, then follow the change at once; other processes follow within their poll."""
    result = await gateway.recorder.write(operation)
    await gateway.traffic.refresh()
    return result


def assistant_of(gateway: Gateway, name: str | None) -> str:
    """The assistant that is meant; the only one where none is named."""
    return pick_assistant(dict(gateway.assistants), name).name
