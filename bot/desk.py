"""What every listener works with: the records, the assistants, and who may do what."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.orm import Session

from bot.roles import Roles
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import NotFound

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """The records behind the bot. Work on the database runs in threads: it may block."""

    database: Database
    assistants: Mapping[str, Assistant]
    artifacts: Artifacts
    roles: Roles = field(default_factory=Roles)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Do `work` in one transaction."""

        def run() -> T:
            with self.database.write() as session:
                return work(session)

        return await asyncio.to_thread(run)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Do `work` in a session for reading."""

        def run() -> T:
            with self.database.read() as session:
                return work(session)

        return await asyncio.to_thread(run)

    def assistant(self, name: str) -> Assistant:
        """An assistant by name.

        Raises:
            NotFound: its file is gone.
        """
        found = self.assistants.get(name)
        if found is None:
            known = ", ".join(sorted(self.assistants))
            raise NotFound(f"No assistant {name!r}; there are: {known}.")
        return found
