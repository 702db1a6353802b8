"""How traffic is divided now: the release pointer and experiments, read again and again.

Requests read an immutable snapshot; the database is asked off the event loop.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select

from records.database import Database
from records.errors import NotFound
from records.states import ExperimentState
from records.tables import Experiment as ExperimentRow
from records.tables import Release, Version
from serving import routing
from serving.fleet import Fleet
from serving.routing import Arm, Choice, Experiment, Lane, Pin

_log = logging.getLogger("understudy.gateway")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The lanes by assistant, and where each version's adapter lies (None: the bare base)."""

    lanes: Mapping[str, Lane]
    adapters: Mapping[str, str | None]


def read_snapshot(database: Database) -> Snapshot:
    """Read releases and running experiments."""
    with database.read() as session:
        releases = session.execute(
            select(Release.assistant, Release.version, Release.replaces, Release.action).order_by(
                Release.id
            )
        ).all()
        running = session.scalars(
            select(ExperimentRow).where(ExperimentRow.state == ExperimentState.RUNNING)
        ).all()
        experiments = {
            row.assistant: Experiment(
                row.id, tuple(Arm(a.name, a.version, a.share) for a in row.arms)
            )
            for row in running
        }
        adapters = session.execute(select(Version.id, Version.adapter_path)).all()
    names = {row.assistant for row in releases}
    lanes = {
        name: Lane(
            routing.standing(
                (r.version, r.replaces, r.action) for r in releases if r.assistant == name
            ),
            experiments.get(name),
        )
        for name in names
    }
    return Snapshot(
        MappingProxyType(lanes), MappingProxyType({row.id: row.adapter_path for row in adapters})
    )


class Traffic:
    """Follows the records, tells the fleet what to load, and chooses versions."""

    def __init__(
        self,
        database: Database,
        fleet: Fleet,
        *,
        most_adapters: Mapping[str, int],
        poll_seconds: float,
    ) -> None:
        """Follow the assistants named in `most_adapters`, which says how many adapters to keep."""
        self._database = database
        self._fleet = fleet
        self._most_adapters = most_adapters
        self._poll_seconds = poll_seconds
        self._snapshot = Snapshot({}, {})
        self._current: dict[str, str] = {}
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read once, then again and again."""
        await self.refresh()
        self._polling = asyncio.create_task(self._poll(), name="traffic")

    async def stop(self) -> None:
        """End reading."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)

    async def refresh(self) -> None:
        """Read now; what was read holds from then on."""
        self._snapshot = await asyncio.to_thread(read_snapshot, self._database)
        self._fleet.want(
            {
                assistant: {
                    version: path
                    for version in _wanted(lane, most=self._most_adapters[assistant])
                    if (path := self._snapshot.adapters.get(version)) is not None
                }
                for assistant, lane in self._snapshot.lanes.items()
                if assistant in self._most_adapters
            }
        )
        for assistant in self._most_adapters:
            if assistant in self._snapshot.lanes:
                self.champion(assistant)

    def pointed(self, assistant: str) -> str:
        """The version that the release pointer names, whether it can be served or not.

        Raises:
            NotFound: nothing is installed.
        """
        return self._lane(assistant).standing[0]

    def champion(self, assistant: str) -> str:
        """The version that serves the assistant's customers now.

        Raises:
            NotFound: nothing is installed.
        """
        lane = self._lane(assistant)
        found = routing.champion(
            lane,
            ready=self._fleet.ready,
            refused=self._fleet.refused,
            current=self._current.get(assistant),
        )
        if self._current.get(assistant) != found:
            _log.info("%s is answered by %s from now on", assistant, found)
            self._current[assistant] = found
        return found

    def choose(self, assistant: str, *, unit: str, pin: Pin | None) -> Choice:
        """The version for a turn of a customer (or conversation) `unit`."""
        return routing.choose(
            self._lane(assistant),
            champion=self.champion(assistant),
            unit=unit,
            ready=self._fleet.ready,
            pin=pin,
        )

    def _lane(self, assistant: str) -> Lane:
        lane = self._snapshot.lanes.get(assistant)
        if lane is None:
            raise NotFound(f"Assistant {assistant!r} serves no version yet.")
        return lane

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001 - the loop's edge: the last snapshot holds
                _log.warning("release pointer not read: %s", error)


def _wanted(lane: Lane, *, most: int) -> list[str]:
    """Versions to keep loaded, the most needed first."""
    arms = [arm.version for arm in lane.experiment.arms] if lane.experiment else []
    return list(dict.fromkeys([*lane.standing[:1], *arms, *lane.standing[1:]]))[:most]
