"""The engines together: a request goes to one that is ready for its version, or to the next.

An engine that restarted has lost its adapters: they are loaded and proved again before it gets
their traffic. What is asked for every request is kept ready here, and made anew only when an
engine changes.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from records.artifacts import Artifacts
from records.engine import Engine
from records.errors import EngineError, EngineInterrupted, EngineUnavailable
from serving.attempt import Attempt
from serving.balancing import pick
from serving.replica import Replica
from serving.upkeep import Base, Refusal, Upkeep, Wanted
from serving.watching import care, watch

_LOADING_THREADS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for what, in seconds, and how much one engine takes."""

    check: float
    ready_wait: float
    silence: float
    answer: float
    most_per_engine: int
    """Requests at once, those included that wait in the engine's queue."""


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use the engines at `urls` for the assistants in `bases`; `start` looks at them."""
        self._urls = tuple(urls)
        self._bases = bases
        self._base_versions = frozenset(base.version for base in bases.values())
        self._artifacts = artifacts
        self._limits = limits
        self._on_refused = on_refused
        self._clock = clock
        self._wanted: Mapping[str, Wanted] = {}
        self._replicas: tuple[Replica, ...] = ()
        self._ready: dict[str, tuple[Replica, ...]] = {}
        self._refused: frozenset[str] = frozenset()
        self._suspects = False
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self._watching: list[asyncio.Task[None]] = []
        self._threads = ThreadPoolExecutor(_LOADING_THREADS, thread_name_prefix="adapters")

    async def start(self) -> None:
        """Look at every engine once, then keep watching them."""
        self._replicas = tuple(Replica(Engine(url), self._clock) for url in self._urls)
        await asyncio.gather(*(replica.look() for replica in self._replicas))
        self._update()
        for replica in self._replicas:
            self._watch(replica)

    def _watch(self, replica: Replica) -> None:
        every = self._limits.check
        upkeep = Upkeep(
            replica,
            bases=self._bases,
            artifacts=self._artifacts,
            threads=self._threads,
            on_change=self._update,
            on_refused=self._on_refused,
        )
        looking = watch(replica, every_seconds=every, on_change=self._update)
        caring = care(replica, upkeep, wanted=lambda: self._wanted, every_seconds=every)
        self._watching += [asyncio.create_task(work) for work in (looking, caring)]

    async def stop(self) -> None:
        """Stop watching and close connections."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for replica in self._replicas:
            replica.engine.close()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever what is ready, refused or alive may have changed."""
        self._listeners.append(listener)

    def want(self, wanted: Mapping[str, Wanted]) -> None:
        """Say which adapters to keep loaded, by assistant."""
        if wanted != self._wanted:
            self._wanted = wanted
            for replica in self._replicas:
                replica.news.set()

    @property
    def healthy(self) -> bool:
        """Whether some engine answers."""
        return any(replica.healthy for replica in self._replicas)

    @property
    def healthy_engines(self) -> int:
        """How many engines answer."""
        return sum(replica.healthy for replica in self._replicas)

    @property
    def busy(self) -> int:
        """Requests that engines work on for this gateway."""
        return sum(replica.busy for replica in self._replicas)

    @property
    def capacity(self) -> int:
        """Requests that the engines which answer can take at once."""
        return self.healthy_engines * self._limits.most_per_engine

    def ready(self, version: str) -> bool:
        """Whether some engine may answer as this version now."""
        return version in self._ready

    @property
    def refused(self) -> frozenset[str]:
        """Versions that failed their proof and are ready nowhere."""
        return self._refused

    def state(self) -> list[dict[str, Any]]:
        """What is known of each engine, for the admin API."""
        return [
            {
                "url": replica.engine.url,
                "healthy": replica.healthy,
                "ready": sorted(v for v, able in self._ready.items() if replica in able),
                "refused": sorted(replica.refused),
                "draining": sorted(replica.draining),
                "busy": replica.busy,
            }
            for replica in self._replicas
        ]

    async def until_ready(self, version: str) -> None:
        """Wait until some engine may answer as this version.

        Raises:
            EngineUnavailable: none may, after the longest wait.
        """
        if version not in self._ready:
            await self._wait_for(Attempt(version, "", deadline=0))

    async def chat(
        self, version: str, body: Mapping[str, Any], *, affinity: str = "", headers: str = ""
    ) -> dict[str, Any]:
        """A whole answer of a version; requests of one `affinity` go to one engine if they can.

        Raises:
            EngineRefused: the request can't be served as it is.
            EngineUnavailable: no engine could answer.
        """
        attempt = Attempt(version, affinity, self._clock() + self._limits.answer)
        request = {**body, "model": version}
        while True:
            replica = await self._replica_for(attempt)
            seconds = attempt.seconds_left(self._clock())
            replica.begin(version)
            try:
                answer = await replica.engine.chat(request, seconds=seconds, headers=headers)
            except EngineError as error:
                self._retry_elsewhere(error, replica, attempt)
            else:
                replica.succeeded()
                return answer
            finally:
                replica.end(version)

    async def events(
        self, version: str, body: Mapping[str, Any], *, affinity: str = "", headers: str = ""
    ) -> AsyncGenerator[list[dict[str, Any]], None]:
        """A version's answer piece by piece, complete when this ends without an error.

        Each list holds what came at once.

        Raises:
            EngineRefused: the request can't be served as it is.
            EngineUnavailable: no engine could answer; what came before is all there is.
            EngineInterrupted: it stopped without saying that it was done.
        """
        attempt = Attempt(version, affinity, self._clock() + self._limits.answer)
        request = {**body, "model": version, "stream_options": {"include_usage": True}}
        while True:
            replica = await self._replica_for(attempt)
            begun = finished = False
            seconds = attempt.seconds_left(self._clock())
            replica.begin(version)
            try:
                async with replica.engine.stream(
                    request,
                    seconds=seconds,
                    silence_seconds=min(seconds, self._limits.silence),
                    headers=headers,
                ) as pieces:
                    async for events in pieces:
                        begun = begun or any(map(_says_something, events))
                        finished = finished or any(map(_is_last, events))
                        yield events
                if not finished:
                    raise EngineInterrupted(
                        f"The engine at {replica.engine.url} stopped in mid-answer."
                    )
            except EngineError as error:
                if begun:
                    replica.failed()
                    self._suspects = True
                    raise
                self._retry_elsewhere(error, replica, attempt)
            else:
                replica.succeeded()
                return
            finally:
                replica.end(version)

    async def _replica_for(self, attempt: Attempt) -> Replica:
        """The engine to be asked next; waits where none is ready but one may become so."""
        able = attempt.able(self._ready.get(attempt.version, ()))
        if not able:
            able = await self._wait_for(attempt)
        if self._suspects:
            able = self._unsuspected(able)
        return pick(able, attempt.affinity)

    def _unsuspected(self, able: Sequence[Replica]) -> Sequence[Replica]:
        """Those that have not failed a moment ago, or all where there are none."""
        now = self._clock()
        self._suspects = any(replica.suspect_until > now for replica in self._replicas)
        return [replica for replica in able if replica.suspect_until <= now] or able

    async def _wait_for(self, attempt: Attempt) -> Sequence[Replica]:
        deadline = self._clock() + self._limits.ready_wait
        while not (able := attempt.able(self._ready.get(attempt.version, ()))):
            seconds_left = deadline - self._clock()
            others = attempt.able(self._replicas)
            hopeless = attempt.version in self._refused or not any(r.healthy for r in others)
            if seconds_left <= 0 or hopeless:
                raise EngineUnavailable(f"No engine is ready for {attempt.version}.")
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds_left):
                    await self._changed.wait()
        return able

    def _retry_elsewhere(self, error: EngineError, replica: Replica, attempt: Attempt) -> None:
        """Return where the request can be tried again; raise where that would not help."""
        attempt.failed(error, replica)
        self._suspects = True
        if replica not in attempt.tried:
            self._update()  # it has lost the version
        elif not attempt.able(self._ready.get(attempt.version, ())):
            raise EngineUnavailable(str(error)) from error

    def _update(self) -> None:
        """Bring up to date what requests go by, and tell all who wait for it."""
        ready: dict[str, list[Replica]] = {}
        for replica in self._replicas:
            bases = (v for v in self._base_versions if replica.serves(v))
            adapters = (v for v in replica.proved if replica.is_ready(v))
            for version in (*bases, *adapters):
                ready.setdefault(version, []).append(replica)
        self._ready = {version: tuple(able) for version, able in ready.items()}
        failed = {version for replica in self._replicas for version in replica.refused}
        self._refused = frozenset(failed - self._ready.keys())
        self._changed.set()
        self._changed = asyncio.Event()
        for listener in self._listeners:
            listener()


def _is_last(event: Mapping[str, Any]) -> bool:
    for choice in event["choices"]:  # noqa: SIM110 - for every piece: `any` takes twice as long
        if choice.get("finish_reason"):
            return True
    return False


def _says_something(event: Mapping[str, Any]) -> bool:
    return any(
        choice["delta"].get("content") or choice["delta"].get("tool_calls")
        for choice in event["choices"]
    )
