"""Finds the engine that answers as a version, as customers get it: loaded there, and proved.

Gateways keep on the engines what serves. A version that only a colleague wants to try is loaded
where there is room, or in place of one that neither serves nor is likely to.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from records import experiments, shadows, versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.engine import Engine
from records.errors import Conflict, EngineError, EngineRefused, EngineUnavailable
from records.proof import load_and_prove, servable_of
from records.tables import Version

log = logging.getLogger(__name__)

_PROVED_SECONDS = 120.0
"""How long a proof is trusted while the engine still lists the version."""
_STANDBY = 2
_NOT_FOUND = 404


class TrialEngines:
    """Knows the engines' addresses, and what was proved on each a moment ago."""

    def __init__(
        self,
        urls: Sequence[str],
        desk: Desk,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use the engines at `urls`; no connection is kept between answers."""
        self._urls = urls
        self._desk = desk
        self._clock = clock
        self._proved: dict[tuple[str, str], float] = {}
        self._used: Counter[str] = Counter()
        self._used_at: dict[str, float] = {}
        self._loading = asyncio.Lock()

    @asynccontextmanager
    async def ready(self, assistant: Assistant, version: Version) -> AsyncIterator[Engine]:
        """An engine that answers as `version`, which is not unloaded by us while it does.

        Raises:
            EngineError: none answers, or none serves the assistant's base model.
            AdapterError: the version must not be served.
            Conflict: there is no room for it.
        """
        self._used[version.id] += 1
        try:
            async with await self._find(assistant, version) as engine:
                if version.adapter_path is not None:
                    await self._make_ready(engine, assistant, version)
                yield engine
        finally:
            self._used[version.id] -= 1
            self._used_at[version.id] = self._clock()

    def forget(self, version: str) -> None:
        """An engine has lost a version: it is to be loaded and proved again."""
        self._proved = {key: at for key, at in self._proved.items() if key[1] != version}

    async def _find(self, assistant: Assistant, version: Version) -> Engine:
        """The engine that has the version already, or else one that could have it."""
        found: list[tuple[str, list[str]]] = []
        for url in self._urls:
            async with Engine(url) as engine:
                try:
                    found.append((url, await engine.models()))
                except EngineError as error:
                    log.warning("an engine was not asked: %s", error)
        if not found:
            raise EngineUnavailable(wording.asking.ENGINE_DOWN)
        able = [(url, models) for url, models in found if assistant.base_version in models]
        if not able:
            raise EngineUnavailable(wording.asking.NO_SUCH_BASE.format(assistant=assistant.name))
        has_it = [url for url, models in able if version.id in models]
        return Engine((has_it or [able[0][0]])[0])

    async def _make_ready(self, engine: Engine, assistant: Assistant, version: Version) -> None:
        async with self._loading:
            models = await engine.models()
            proved_at = self._proved.get((engine.url, version.id), float("-inf"))
            if version.id in models and self._clock() - proved_at < _PROVED_SECONDS:
                return
            if version.id not in models:
                await self._make_room(engine, assistant, version.id, models=models)
            await asyncio.to_thread(
                _load_and_prove, engine.url, self._desk.artifacts, version, assistant
            )
            self._proved[engine.url, version.id] = self._clock()

    async def _make_room(
        self, engine: Engine, assistant: Assistant, version: str, *, models: Sequence[str]
    ) -> None:
        """Unload what is needed least, where the engine holds as many adapters as it may."""
        known = await self._desk.read(lambda session: _adapters(session, assistant.name))
        loaded = [name for name in models if name in known.all]
        if len(loaded) < assistant.engine.max_cpu_loras:
            return
        idle = [name for name in loaded if name not in known.needed and not self._used[name]]
        if not idle:
            raise Conflict(wording.asking.NO_ROOM.format(version=version, number=len(loaded)))
        leaving = min(idle, key=lambda n: (n in known.earlier, self._used_at.get(n, 0.0), n))
        log.info("%s is unloaded from %s: %s is to be tried", leaving, engine.url, version)
        self.forget(leaving)
        try:
            await engine.unload(leaving)
        except EngineRefused as error:
            if error.status != _NOT_FOUND:  # else a gateway was first
                raise


@dataclass(frozen=True, slots=True)
class _Adapters:
    """What an assistant has."""

    all: set[str]
    needed: set[str]
    """Those that serve, or may from one moment to the next."""
    earlier: Sequence[str]
    """Those that served once: conversations may still be with them, so they go last."""


def _adapters(session: Session, assistant: str) -> _Adapters:
    adapters = {v.id for v in versions.listed(session, assistant) if v.adapter_path is not None}
    standing = versions.standing(versions.releases(session, assistant))
    needed = set(standing[:2])
    if standing:
        needed |= set(versions.passed(session, assistant, champion=standing[0], most=_STANDBY))
    experiment, shadow = (
        experiments.running(session, assistant),
        shadows.running(session, assistant),
    )
    needed |= {arm.version for arm in experiment.arms} if experiment else set()
    needed |= {shadow.version} if shadow else set()
    return _Adapters(adapters, needed, standing)


def _load_and_prove(url: str, artifacts: Artifacts, version: Version, assistant: Assistant) -> None:
    """Run on a thread: reading and hashing an adapter must not hold up anything else."""
    folder = artifacts.fetch(str(version.adapter_path))

    async def prove() -> None:
        async with Engine(url) as engine:
            await load_and_prove(engine, Path(folder), servable_of(assistant))

    asyncio.run(prove())
