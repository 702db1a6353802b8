"""The rows of the outbox that wait, as the bot that sends them remembers them.

Each look at the outbox reads ids only; a row is read, and its channel found, once. What that takes
is divided into slices, so that a great heap delays nothing that is known already.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.messages.area import assistant_of, channel_of
from bot.outbox.kinds import SUBJECTS, head_of
from bot.outbox.plan import Item, Lane, method_of
from records import outbox
from records.errors import NotFound
from records.outbox import Kind
from records.tables import OutboxMessage

_AT_ONCE = 50
_SLICE_SECONDS = 0.04


class Waiting:
    """Remembers rows and where they go."""

    def __init__(self, desk: Desk, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._items: dict[int, Item] = {}
        self._order: Sequence[int] = ()
        self._lost: dict[int, str] = {}

    @property
    def items(self) -> Sequence[Item]:
        """Rows in the order of sending."""
        return [self._items[row_id] for row_id in self._order if row_id in self._items]

    def take_lost(self) -> dict[int, str]:
        """Rows of which nobody can say where they go, and why: since the last time."""
        lost, self._lost = self._lost, {}
        return lost

    def forget(self) -> None:
        """Another bot sends now: what is remembered may be wrong."""
        self._items, self._order = {}, ()

    def drop(self, row_id: int) -> None:
        """Read a row anew: another bot has it, or had it."""
        self._items.pop(row_id, None)

    def rename(self, lane: Lane, channel: str) -> None:
        """The channel of a lane has this id: its rows join those that name it so."""
        renamed = replace(lane, channel=channel)
        for item in self._items.values():
            if (item.lane.workspace, item.lane.channel) == (lane.workspace, lane.channel):
                item.lane = replace(renamed, method=item.method)

    async def refresh(self) -> None:
        """Learn what waits now.

        Raises:
            StorageError: the database cannot be read.
        """
        await self._desk.read(self._refresh)

    def _refresh(self, session: Session) -> None:
        self._order = outbox.waiting(session)
        waiting = set(self._order)
        for row_id in self._items.keys() - waiting:
            del self._items[row_id]
        unknown = [row_id for row_id in self._order if row_id not in self._items]
        until = self._clock() + _SLICE_SECONDS
        while unknown and self._clock() < until:
            self._learn(session, unknown[:_AT_ONCE])
            unknown = unknown[_AT_ONCE:]

    def _learn(self, session: Session, row_ids: Sequence[int]) -> None:
        for row in outbox.load(session, row_ids):
            try:
                self._items[row.id] = self._item(session, row)
            except NotFound as error:
                self._lost[row.id] = str(error)
            except ValueError:
                self._lost[row.id] = wording.machine.UNKNOWN_KIND.format(kind=row.kind)

    def _item(self, session: Session, row: OutboxMessage) -> Item:
        name = assistant_of(session, SUBJECTS[Kind(row.kind)], row.subject)
        workspace = self._desk.assistant(name).slack.workspace
        method = method_of(row)
        lane = Lane(method, workspace, channel_of(session, row, self._desk))
        return Item(row.id, row.kind, row.subject, method, head_of(row), row, name, lane)
