"""What every listener works with: the records, the assistants, and who may do what."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.orm import Session

from bot import wording
from bot.text import who
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import Forbidden, NotFound

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """The records behind the bot. Work on the database runs in threads: it may block."""

    database: Database
    assistants: Mapping[str, Assistant]
    artifacts: Artifacts

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

    def require_operator(self, assistant: Assistant, user: str) -> None:
        """See that a person may retrain and release.

        Raises:
            Forbidden: naming who may.
        """
        operators = assistant.slack.operators
        if operators and user not in operators:
            named = ", ".join(who(operator) for operator in operators)
            raise Forbidden(
                wording.NOT_AN_OPERATOR.format(operators=named, assistant=assistant.name)
            )
