"""One engine as last seen: alive or not, what it has loaded and proved, who is using it."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from records.engine import Engine
from records.errors import EngineError

_CHECK_LIMIT_SECONDS = 10
_FAILED_CHECKS_UNTIL_DOWN = 2
_SUSPECT_SECONDS = 1.0
_LONGEST_SUSPECT_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class Replica:
    """One engine. Only the event loop's thread changes it."""

    engine: Engine
    clock: Callable[[], float] = time.monotonic
    name: bytes = b""
    healthy: bool = False
    served: frozenset[str] = frozenset()
    """Names that the engine knows: bases and adapters, proved or not."""
    proved: set[str] = field(default_factory=set)
    refused: dict[str, float] = field(default_factory=dict)
    """Versions that failed their proof, and when they may be tried again."""
    draining: set[str] = field(default_factory=set)
    """Versions that get no new requests, because they are to be unloaded."""
    busy: int = 0
    using: dict[str, int] = field(default_factory=dict)
    """Requests in flight of each version."""
    used_at: dict[str, float] = field(default_factory=dict)
    """When each version was used last, or first seen on the engine."""
    suspect_until: float = 0.0
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have the engine's health looked at now."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where its adapters may need work."""
    _failed_checks: int = 0
    _failures: int = 0
    _changes: int = 0

    def __post_init__(self) -> None:
        self.name = self.name or hashlib.sha256(self.engine.url.encode()).digest()

    def serves(self, version: str) -> bool:
        """Whether it may be asked for a version that needs no proof: a bare base."""
        return self.healthy and version in self.served

    def is_ready(self, version: str) -> bool:
        """Whether it may be asked for an adapter."""
        return self.serves(version) and version in self.proved and version not in self.draining

    def begin(self, version: str) -> None:
        """Count a request."""
        self.busy += 1
        self.using[version] = self.using.get(version, 0) + 1

    def end(self, version: str) -> None:
        """Count a request that is over."""
        self.busy -= 1
        self.using[version] -= 1
        self.used_at[version] = self.clock()
        if version in self.draining and not self.using[version]:
            self.news.set()

    def is_idle(self, version: str) -> bool:
        """Whether no request of ours is using a version."""
        return not self.using.get(version)

    def succeeded(self) -> None:
        """It has answered: whatever was wrong is over."""
        if self._failures:
            self._failures, self.suspect_until = 0, 0.0

    def failed(self) -> None:
        """A request failed: others are asked first for a while, each time for longer."""
        pause = min(_SUSPECT_SECONDS * 2**self._failures, _LONGEST_SUSPECT_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self.suspect_until = self.clock() + pause
        self.hurry.set()

    def has_loaded(self, version: str) -> None:
        """A version is loaded and proved."""
        self.served |= {version}
        self.used_at.setdefault(version, self.clock())
        self.proved.add(version)
        self.refused.pop(version, None)
        self._changes += 1

    def forget(self, version: str) -> None:
        """The engine no longer knows a version."""
        self.served -= {version}
        self.proved.discard(version)
        self.draining.discard(version)
        self.used_at.pop(version, None)
        self._changes += 1
        self.news.set()

    async def look(self) -> bool:
        """Ask the engine how it is and what it has loaded; whether that has changed."""
        before = (self.healthy, self.served)
        changes = self._changes
        try:
            async with asyncio.timeout(_CHECK_LIMIT_SECONDS):
                alive = await self.engine.healthy()
                served = frozenset(await self.engine.models()) if alive else frozenset()
        except (EngineError, TimeoutError):
            alive = False
        if not alive:
            self._missed()
        elif changes == self._changes:  # else the answer is older than what was loaded meanwhile
            self._seen(served)
        return before != (self.healthy, self.served)

    def _missed(self) -> None:
        self._failed_checks += 1
        if self.healthy and self._failed_checks >= _FAILED_CHECKS_UNTIL_DOWN:
            self.healthy, self.served = False, frozenset()
            self.proved.clear()  # the engine is gone, and with it what it had loaded
            self.draining.clear()

    def _seen(self, served: frozenset[str]) -> None:
        self._failed_checks = 0
        now = self.clock()
        for version in served - self.served:
            self.used_at[version] = now
        if not self.healthy or served != self.served:
            self.news.set()
        self.healthy, self.served = True, served
        self.proved &= served
        self.draining &= served
