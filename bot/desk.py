"""What every listener works with: the records, the assistants, and who may do what."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from sqlalchemy.orm import Session

from bot import wording
from bot.workspaces import visit
from bot.workspaces.addresses import Addresses
from bot.workspaces.readers import Readers
from bot.workspaces.roles import Roles
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import NotFound

T = TypeVar("T")

_WRITERS = 4
_READERS = 6


class Desk:
    """The records behind the bot.

    Work on the database runs in threads, for it may block; those that wait for a write lock are
    others than those that read, and neither are asyncio's own.
    """

    def __init__(
        self,
        database: Database,
        assistants: Mapping[str, Assistant],
        artifacts: Artifacts,
        roles: Roles | None = None,
    ) -> None:
        self.database = database
        self.artifacts = artifacts
        self.roles = roles or Roles()
        self.addresses = Addresses()
        self.readers = Readers()
        self._assistants = assistants
        self._writers = ThreadPoolExecutor(_WRITERS, "desk-writer")
        self._readers = ThreadPoolExecutor(_READERS, "desk-reader")

    @property
    def all_assistants(self) -> Mapping[str, Assistant]:
        """Those of every workspace."""
        return self._assistants

    @property
    def assistants(self) -> Mapping[str, Assistant]:
        """The assistants by name: those that the workspace may see which asks, else all."""
        coming = visit.current()
        if coming is None:
            return self._assistants
        return {n: a for n, a in self._assistants.items() if coming.reaches(a)}

    async def write(self, work: Callable[[Session], T]) -> T:
        """Do `work` in one transaction.

        Raises:
            Forbidden: the request names what belongs to another workspace.
        """

        def run() -> T:
            with self.database.write() as session:
                _check(session)
                return work(session)

        return await _in_thread(self._writers, run)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Do `work` in a session for reading.

        Raises:
            Forbidden: the request names what belongs to another workspace.
        """

        def run() -> T:
            with self.database.read() as session:
                _check(session)
                return work(session)

        return await _in_thread(self._readers, run)

    def assistant(self, name: str) -> Assistant:
        """An assistant by name.

        Raises:
            NotFound: its file is gone, or another workspace's.
        """
        found = self.assistants.get(name)
        if found is None:
            known = ", ".join(sorted(self.assistants))
            raise NotFound(wording.machine.NO_ASSISTANT.format(name=repr(name), known=known))
        return found


def _check(session: Session) -> None:
    coming = visit.current()
    if coming is not None and coming.check is not None:
        coming.check(session)


async def _in_thread(threads: ThreadPoolExecutor, run: Callable[[], T]) -> T:
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, run)
