"""The engines: which are healthy, and which versions are loaded and proved on each.

A version gets traffic on an engine only after its proof there. An engine that restarted has lost
its adapters: they are loaded and proved again before it gets their traffic.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from records.artifacts import Artifacts
from records.engine import Engine, new_session
from records.errors import (
    EngineError,
    EngineInterrupted,
    EngineRefused,
    EngineUnavailable,
    UnderstudyError,
)
from records.proof import Servable, load_and_prove

_log = logging.getLogger("understudy.gateway")

_CHECK_LIMIT_SECONDS = 10
_FAILED_CHECKS_UNTIL_DOWN = 2
_RETRY_REFUSED_SECONDS = 60
_CLIENTS_FAULT = (400, 413, 422)

Refusal = Callable[[str, str, Exception], None]
"""Told of a version that an engine must not serve: version, engine's URL, why."""


@dataclass(frozen=True, slots=True)
class Base:
    """An assistant's base model: the name that engines serve it by, and what fits it."""

    version: str
    servable: Servable


@dataclass(slots=True, eq=False)
class Replica:
    """One engine as last seen."""

    engine: Engine
    healthy: bool = False
    served: frozenset[str] = frozenset()
    proved: set[str] = field(default_factory=set)
    refused: dict[str, float] = field(default_factory=dict)
    """When a version that failed may be tried again, on the monotonic clock."""
    failed_checks: int = 0
    busy: int = 0

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count a request, for the least-busy choice."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    def lose(self) -> None:
        """Forget everything: the engine is gone, and with it what it had loaded."""
        self.healthy, self.served = False, frozenset()
        self.proved.clear()

    def forget(self, version: str) -> None:
        """The engine no longer knows a version."""
        self.served -= {version}
        self.proved.discard(version)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for what, in seconds."""

    check: float
    ready_wait: float
    silence: float
    answer: float


class Fleet:
    """Sends requests to engines that are ready for their version."""

    def __init__(
        self,
        urls: Collection[str],
        *,
        bases: Mapping[str, Base],
        artifacts: Artifacts,
        limits: Limits,
        on_refused: Refusal,
    ) -> None:
        """Use the engines at `urls` for the assistants in `bases`; `start` opens connections."""
        self._urls = tuple(urls)
        self._bases = bases
        self._base_versions = frozenset(base.version for base in bases.values())
        self._artifacts = artifacts
        self._limits = limits
        self._on_refused = on_refused
        self._wanted: Mapping[str, Mapping[str, str]] = {}
        self._replicas: list[Replica] = []
        self._told: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._watching: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Look at every engine once, then keep watching them."""
        self._session = new_session()
        self._replicas = [Replica(Engine(url, self._session)) for url in self._urls]
        await asyncio.gather(*(self._see(replica) for replica in self._replicas))
        self._watching = [
            asyncio.create_task(self._watch(replica), name=f"watch {replica.engine.url}")
            for replica in self._replicas
        ]

    async def stop(self) -> None:
        """Stop watching and close connections."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def want(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """Say which adapters to keep loaded: by assistant, version → path in the artifact store."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._hurry.set()

    @property
    def healthy(self) -> bool:
        """Whether some engine answers."""
        return any(replica.healthy for replica in self._replicas)

    def ready(self, version: str) -> bool:
        """Whether some engine may answer as this version now."""
        return any(self._is_ready(replica, version) for replica in self._replicas)

    @property
    def refused(self) -> frozenset[str]:
        """Versions that failed their proof and are ready nowhere."""
        failed = {version for replica in self._replicas for version in replica.refused}
        return frozenset(version for version in failed if not self.ready(version))

    def state(self) -> list[dict[str, Any]]:
        """What is known of each engine, for the admin API."""
        return [
            {
                "url": replica.engine.url,
                "healthy": replica.healthy,
                "ready": sorted(v for v in replica.served if self._is_ready(replica, v)),
                "refused": sorted(replica.refused),
                "busy": replica.busy,
            }
            for replica in self._replicas
        ]

    async def chat(self, version: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A whole answer of a version.

        Raises:
            EngineRefused: the request can't be served as it is.
            EngineUnavailable: no engine could answer.
        """
        tried: list[Replica] = []
        while True:
            replica = await self._pick(version, but=tried)
            tried.append(replica)
            try:
                with replica.work():
                    return await replica.engine.chat(
                        {**body, "model": version}, seconds=self._limits.answer
                    )
            except EngineError as error:
                self._retry_elsewhere(error, replica, version, tried)

    async def events(
        self, version: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """A version's answer piece by piece, complete when this ends without an error.

        Raises:
            EngineRefused: the request can't be served as it is.
            EngineUnavailable: no engine could answer; what came before is all there is.
            EngineInterrupted: it stopped without saying that it was done.
        """
        tried: list[Replica] = []
        while True:
            replica = await self._pick(version, but=tried)
            tried.append(replica)
            begun = False
            try:
                async with aclosing(self._stream(replica, version, body)) as pieces:
                    async for event in pieces:
                        begun = begun or _says_something(event)
                        yield event
                    return
            except EngineError as error:
                if begun:
                    self._hurry.set()
                    raise
                self._retry_elsewhere(error, replica, version, tried)

    async def _stream(
        self, replica: Replica, version: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        finished = False
        with replica.work():
            async with replica.engine.stream(
                {**body, "model": version, "stream_options": {"include_usage": True}},
                seconds=self._limits.answer,
                silence_seconds=self._limits.silence,
            ) as events:
                async for event in events:
                    finished = finished or any(c.get("finish_reason") for c in event["choices"])
                    yield event
        if not finished:
            raise EngineInterrupted(f"The engine at {replica.engine.url} stopped in mid-answer.")

    def _retry_elsewhere(
        self, error: EngineError, replica: Replica, version: str, tried: list[Replica]
    ) -> None:
        """Return where another engine can be tried; raise where that would not help."""
        if isinstance(error, EngineRefused):
            if error.status in _CLIENTS_FAULT:
                raise error
            replica.forget(version)
        self._hurry.set()
        if not any(self._is_ready(r, version) for r in self._replicas if r not in tried):
            raise EngineUnavailable(str(error)) from error

    async def _pick(self, version: str, *, but: Collection[Replica] = ()) -> Replica:
        deadline = time.monotonic() + self._limits.ready_wait
        while True:
            others = [r for r in self._replicas if r not in but]
            able = [r for r in others if self._is_ready(r, version)]
            if able:
                return min(able, key=lambda replica: replica.busy)
            seconds_left = deadline - time.monotonic()
            if seconds_left <= 0 or not any(r.healthy for r in others):
                raise EngineUnavailable(f"No engine is ready for {version}.")
            try:
                await asyncio.wait_for(self._changed.wait(), seconds_left)
            except TimeoutError:
                continue

    def _is_ready(self, replica: Replica, version: str) -> bool:
        if not replica.healthy or version not in replica.served:
            return False
        return version in replica.proved or version in self._base_versions

    async def _watch(self, replica: Replica) -> None:
        while True:
            try:
                await self._see(replica)
                await self._load_wanted(replica)
            except Exception:  # noqa: BLE001 - the loop's edge: an engine is always watched
                _log.exception("watching %s failed; going on", replica.engine.url)
            try:
                await asyncio.wait_for(self._hurry.wait(), self._limits.check)
            except TimeoutError:
                continue
            self._hurry.clear()
            await asyncio.sleep(0.02)  # failing requests must not turn into a storm of checks

    async def _see(self, replica: Replica) -> None:
        """Ask an engine how it is and what it has loaded."""
        try:
            async with asyncio.timeout(_CHECK_LIMIT_SECONDS):
                alive = await replica.engine.healthy()
                served = frozenset(await replica.engine.models()) if alive else frozenset()
        except (EngineError, TimeoutError):
            alive = False
        if not alive:
            replica.failed_checks += 1
            if replica.healthy and replica.failed_checks >= _FAILED_CHECKS_UNTIL_DOWN:
                _log.warning("engine %s is down", replica.engine.url)
                replica.lose()
                self._tell_change()
            return
        if not replica.healthy:
            _log.info("engine %s is up", replica.engine.url)
        changed = (replica.healthy, replica.served) != (True, served)
        replica.healthy, replica.served, replica.failed_checks = True, served, 0
        replica.proved &= served
        if changed:
            self._tell_change()

    async def _load_wanted(self, replica: Replica) -> None:
        if not replica.healthy:
            return
        for assistant, versions in self._wanted.items():
            base = self._bases[assistant]
            if base.version not in replica.served:
                continue  # this engine serves another base model
            for version, path in versions.items():
                if version in replica.proved and version in replica.served:
                    continue
                if replica.refused.get(version, 0) <= time.monotonic():
                    await self._prove(replica, version, path, base.servable)

    async def _prove(self, replica: Replica, version: str, path: str, servable: Servable) -> None:
        url = replica.engine.url
        try:
            await asyncio.to_thread(_load_and_prove, url, self._artifacts, path, servable)
        except EngineError as error:
            _log.warning("%s was not loaded on %s: %s", version, url, error)
            return
        except UnderstudyError as error:
            replica.refused[version] = time.monotonic() + _RETRY_REFUSED_SECONDS
            _log.error("%s is not served by %s: %s", version, url, error)
            if (version, url) not in self._told:
                self._told.add((version, url))
                self._on_refused(version, url, error)
            return
        _log.info("%s is loaded and proved on %s", version, url)
        replica.refused.pop(version, None)
        replica.served |= {version}
        replica.proved.add(version)
        self._tell_change()

    def _tell_change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _load_and_prove(url: str, artifacts: Artifacts, path: str, servable: Servable) -> None:
    """Run on a thread: reading and hashing an adapter must not hold up answers."""
    folder = artifacts.fetch(path)

    async def prove() -> None:
        async with Engine(url) as engine:
            await load_and_prove(engine, Path(folder), servable)

    asyncio.run(prove())


def _says_something(event: Mapping[str, Any]) -> bool:
    return any(
        choice["delta"].get("content") or choice["delta"].get("tool_calls")
        for choice in event["choices"]
    )
