"""Keeps one engine's adapters as they are wanted: makes room, loads, proves, drains, unloads.

A version gets traffic on an engine only after its proof there. Nothing that was published is ever
deleted: an engine reads an adapter's files again long after it was told of them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from records.artifacts import Artifacts
from records.engine import Engine
from records.errors import EngineError, EngineRefused, UnderstudyError
from records.proof import Servable, load_and_prove
from serving.loading import Want, kept, may_displace, to_displace
from serving.replica import Replica

_log = logging.getLogger("understudy.gateway")

_RETRY_REFUSED_SECONDS = 60
_NOT_FOUND = 404

Refusal = Callable[[str, str, Exception], None]
"""Told of a version that an engine must not serve: version, engine's URL, why."""


@dataclass(frozen=True, slots=True)
class Base:
    """An assistant's base model as engines serve it, what fits it, and how many adapters it has."""

    version: str
    servable: Servable
    most_adapters: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an assistant's engines are to keep, and all of its adapters that there are."""

    wants: tuple[Want, ...] = ()
    adapters: frozenset[str] = frozenset()


class Upkeep:
    """Cares for one engine's adapters."""

    def __init__(
        self,
        replica: Replica,
        *,
        bases: Mapping[str, Base],
        artifacts: Artifacts,
        threads: Executor,
        on_change: Callable[[], None],
        on_refused: Refusal,
    ) -> None:
        """Load from `artifacts`; tell `on_change` when what the engine is ready for has changed."""
        self._replica = replica
        self._bases = bases
        self._artifacts = artifacts
        self._threads = threads
        self._on_change = on_change
        self._on_refused = on_refused
        self._told: set[str] = set()

    async def work(self, wanted: Mapping[str, Wanted]) -> None:
        """Bring the engine a step nearer to what is wanted; `replica.news` says when to go on."""
        replica = self._replica
        if not replica.healthy:
            return
        for assistant, theirs in wanted.items():
            base = self._bases[assistant]
            if base.version in replica.served:  # else this engine serves another base model
                await self._care(base, theirs)

    async def _care(self, base: Base, wanted: Wanted) -> None:
        now = self._replica.clock()
        refused = {v for v, until in self._replica.refused.items() if until > now}
        keep = kept(wanted.wants, refused=refused, most=base.most_adapters)
        self._undrain({want.version for want in keep})
        for want in keep:
            if self._replica.is_ready(want.version):
                continue
            if want.version not in self._replica.served and not await self._make_room(
                want, keep=keep, adapters=wanted.adapters, most=base.most_adapters
            ):
                continue
            await self._prove(want, base.servable)

    def _undrain(self, versions: set[str]) -> None:
        if self._replica.draining & versions:
            self._replica.draining -= versions
            self._on_change()

    async def _make_room(
        self, want: Want, *, keep: list[Want], adapters: frozenset[str], most: int
    ) -> bool:
        """Unload what is in the way; False while something in the way is in use."""
        replica = self._replica
        loaded = adapters & replica.served
        if len(loaded) < most:
            return True
        if not may_displace(want):
            return False
        leaving = to_displace(
            loaded,
            keep={other.version for other in keep},
            most=most,
            in_use={version for version in loaded if not replica.is_idle(version)},
            used_at=replica.used_at,
        )
        replica.draining.difference_update(loaded)
        replica.draining.update(leaving)
        self._on_change()
        for version in leaving:
            if replica.is_idle(version):
                await self._unload(version)
        return len(adapters & replica.served) < most

    async def _unload(self, version: str) -> None:
        url = self._replica.engine.url
        try:
            await self._replica.engine.unload(version)
        except EngineRefused as error:
            if error.status != _NOT_FOUND:  # else another process was first
                _log.warning("%s was not unloaded from %s: %s", version, url, error)
                return
        except EngineError as error:
            _log.warning("%s was not unloaded from %s: %s", version, url, error)
            return
        _log.info("%s is unloaded from %s", version, url)
        self._replica.forget(version)
        self._on_change()

    async def _prove(self, want: Want, servable: Servable) -> None:
        version, replica = want.version, self._replica
        url = replica.engine.url
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self._threads, _load_and_prove, url, self._artifacts, want.path, servable
            )
        except EngineError as error:
            _log.warning("%s was not loaded on %s: %s", version, url, error)
            return
        except UnderstudyError as error:
            replica.refused[version] = replica.clock() + _RETRY_REFUSED_SECONDS
            _log.error("%s is not served by %s: %s", version, url, error)
            self._on_change()
            if version not in self._told:
                self._told.add(version)
                self._on_refused(version, url, error)
            return
        _log.info("%s is loaded and proved on %s", version, url)
        replica.has_loaded(version)
        self._on_change()


def _load_and_prove(url: str, artifacts: Artifacts, path: str, servable: Servable) -> None:
    """Run on a thread: reading and hashing an adapter must not hold up answers."""
    folder = artifacts.fetch(path)

    async def prove() -> None:
        async with Engine(url) as engine:
            await load_and_prove(engine, Path(folder), servable)

    asyncio.run(prove())
