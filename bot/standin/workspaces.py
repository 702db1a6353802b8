"""All pretended workspaces, and what is noted when one of them changes."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.standin.workspace import BOT, BOT_USER, TEAM, Workspace


class Changes:
    """The number of the state: it grows with every change."""

    def __init__(self) -> None:
        # Whoever waited before a restart must not wait for a number that is long gone.
        self.revision = int(time.time() * 1000)
        self._changed = asyncio.Event()

    def note(self) -> None:
        """Something changed."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, revision: int, *, seconds: float) -> int:
        """The state's number, as soon as it is another, or after these seconds."""
        if self.revision == revision:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
        return self.revision


@dataclass(slots=True)
class Workspaces:
    """Workspaces by their team's id, made when they are first needed."""

    clock: Callable[[], float]
    changes: Changes
    channels: Sequence[str] = ()
    known: dict[str, Workspace] = field(default_factory=dict)

    def of(self, team: str) -> Workspace:
        """The workspace of a team; the first one where none is named."""
        team = team or TEAM
        if team not in self.known:
            self.known[team] = self._made(team)
            for channel in self.channels:
                self.known[team].add_channel(channel)
        return self.known[team]

    def _made(self, team: str) -> Workspace:
        if team == TEAM:
            return Workspace(self.clock, self.changes.note)
        word = team.removeprefix("T").lstrip("0")
        return Workspace(
            self.clock,
            self.changes.note,
            team=team,
            name=word.capitalize(),
            bot=f"{BOT}{word}",
            bot_user=f"{BOT_USER}{word}",
        )
