"""How traffic is divided now: the records are followed, engines told what to load.

Requests read what was read last; the database is asked off the event loop, on a thread of its own,
so that nothing else that waits for a thread holds up a roll-back.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from records import versions
from records.database import Database
from records.errors import Conflict, EngineUnavailable, NotFound
from records.tables import Version
from serving import routing
from serving.fleet import Fleet
from serving.lanes import Adapters, Mark, lanes_of, read_adapters, read_mark, read_standing
from serving.loading import wants_of
from serving.routing import Choice, Lane, Pin, Shadow
from serving.upkeep import Wanted

_log = logging.getLogger("understudy.gateway")

_ADAPTERS_SECONDS = 5
"""How often it is read which versions there are: what the gate passed may wait that long."""
_TESTERS_VERSIONS = 2
"""Versions of an assistant that testers can have loaded at once."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read last. Never changed, so that a thread may make the next from it."""

    mark: Mark = field(default_factory=lambda: Mark({}, {}, {}))
    standing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adapters: Mapping[str, Adapters] = field(default_factory=dict)
    adapters_until: float = 0.0


class Traffic:
    """Follows the records, tells the fleet what to load, and chooses versions."""

    def __init__(
        self,
        database: Database,
        fleet: Fleet,
        *,
        assistants: tuple[str, ...],
        poll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow `assistants` by looking at the records every `poll_seconds`."""
        self._database = database
        self._fleet = fleet
        self._assistants = assistants
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._read = _Read()
        self._lanes: Mapping[str, Lane] = {}
        self._current: dict[str, str] = {}
        self._testers: dict[str, list[str]] = {name: [] for name in assistants}
        """Versions by assistant, the one that was asked for last first."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="traffic")
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read once, then again and again."""
        self._fleet.on_change(self._settle)
        await self.refresh()
        self._polling = asyncio.create_task(self._poll(), name="traffic")

    async def stop(self) -> None:
        """End reading."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def refresh(self) -> None:
        """Read all that may have changed; what was read holds from then on."""
        await self._follow(replace(self._read, adapters_until=0.0))

    async def _follow(self, last: _Read) -> None:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._thread, self._read_on, last)
        if found is not last:
            self._read = found
            self._lanes = lanes_of(found.mark, found.standing)
            self._tell_fleet()
            self._settle()

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
        found = self._current.get(assistant)
        if found is None:
            raise _not_installed(assistant)
        return found

    def shadow(self, assistant: str) -> Shadow | None:
        """The shadow that runs beside the assistant's champion."""
        lane = self._lanes.get(assistant)
        return lane.shadow if lane else None

    def choose(self, assistant: str, *, unit: str, pin: Pin | None) -> Choice:
        """The version for a turn of a customer (or conversation) `unit`."""
        return routing.choose(
            self._lane(assistant),
            champion=self._current[assistant],
            unit=unit,
            ready=self._fleet.ready,
            pin=pin,
        )

    async def override(self, assistant: str, version: str) -> Choice:
        """The version that a tester asks for, loaded where it is not.

        Only few versions are kept for testers; the one that was asked for longest ago goes first.

        Raises:
            NotFound: no such version.
            Conflict: it is another assistant's, or failed its proof.
            EngineUnavailable: it is still being loaded, or no engine answers.
        """
        if version not in self._paths(assistant) and await self._has_adapter(assistant, version):
            await self.refresh()  # it is newer than what was read last
        if version in self._paths(assistant):
            self._keep_for_tester(assistant, version)
        try:
            await self._fleet.until_ready(version)
        except EngineUnavailable:
            if version in self._fleet.refused:
                raise Conflict(
                    f"{version} is not served: the engines could not be proved to answer as it "
                    "does. The gateway's log and the audit say why."
                ) from None
            raise
        return Choice(version, for_tester=True)

    def _keep_for_tester(self, assistant: str, version: str) -> None:
        others = [other for other in self._testers[assistant] if other != version]
        self._testers[assistant] = [version, *others][:_TESTERS_VERSIONS]
        self._tell_fleet()

    def _paths(self, assistant: str) -> Mapping[str, str]:
        adapters = self._read.adapters.get(assistant)
        return adapters.paths if adapters else {}

    async def _has_adapter(self, assistant: str, version: str) -> bool:
        def read() -> Version:
            with self._database.read() as session:
                return versions.get(session, version)

        found = await asyncio.get_running_loop().run_in_executor(self._thread, read)
        if found.assistant != assistant:
            raise Conflict(
                f"{version} belongs to assistant {found.assistant!r}, not {assistant!r}."
            )
        return found.adapter_path is not None

    def _read_on(self, last: _Read) -> _Read:
        """Read what has moved; what was read last, where nothing has."""
        now = self._clock()
        with self._database.read() as session:
            mark = read_mark(session, self._assistants)
            if mark == last.mark and now < last.adapters_until:
                return last
            standing = {
                name: last.standing[name]
                if last.mark.releases.get(name) == newest
                else read_standing(session, name)
                for name, newest in mark.releases.items()
            }
            adapters = {
                name: read_adapters(session, name, champion=stack[0])
                for name, stack in standing.items()
            }
        return _Read(mark, standing, adapters, now + _ADAPTERS_SECONDS)

    def _tell_fleet(self) -> None:
        """Say what is to be loaded."""
        wanted = {}
        for name, lane in self._lanes.items():
            adapters = self._read.adapters[name]
            wants = wants_of(
                lane,
                paths=adapters.paths,
                serving=self._current.get(name),
                standby=adapters.standby,
                testers=self._testers[name],
            )
            wanted[name] = Wanted(wants, frozenset(adapters.paths))
        self._fleet.want(wanted)

    def _settle(self) -> None:
        """Say which version serves each assistant, now that records or engines have changed."""
        before = dict(self._current)
        for name, lane in self._lanes.items():
            self._current[name] = routing.champion(
                lane,
                ready=self._fleet.ready,
                refused=self._fleet.refused,
                current=before.get(name),
            )
            if self._current[name] != before.get(name):
                _log.info("%s is answered by %s from now on", name, self._current[name])
        if self._current != before:
            self._tell_fleet()

    def _lane(self, assistant: str) -> Lane:
        lane = self._lanes.get(assistant)
        if lane is None:
            raise _not_installed(assistant)
        return lane

    async def _poll(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self._follow(self._read)
                failing = False
            except Exception as error:  # noqa: BLE001 - the loop's edge: what was read last holds
                if not failing:
                    _log.warning("release pointer and experiments are not read: %s", error)
                failing = True


def _not_installed(assistant: str) -> NotFound:
    return NotFound(f"Assistant {assistant!r} serves no version yet.")
