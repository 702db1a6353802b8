"""Asking a model many things: a few at once, each only once, its answers kept on disk.

What was asked holds customers' words, so the file is nobody else's to read, `forget_all` empties
it where somebody's words are erased, and answers that are long unused go by themselves.
"""

import asyncio
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from records.engine import Engine
from records.errors import EngineRefused, EngineUnavailable
from tuning.augmentation.endpoint import Endpoint

_KEPT_SECONDS = 90 * 86_400
_PATIENCE_SECONDS = (0.5, 2.0)
"""Waits before an endpoint that fails or is busy is asked again."""
_LOOK_SECONDS = 1.0
_TOO_MANY, _NOT_OURS = 429, (401, 403, 404)


@dataclass(frozen=True, slots=True)
class Ask:
    """Something to ask: messages in OpenAI's form, how freely to answer, and at what length."""

    messages: tuple[tuple[str, str], ...]
    """Role and content of each."""
    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 256

    def key(self, model: str) -> str:
        """The same for the same question to the same model."""
        parts = [model, self.messages, self.temperature, self.seed, self.max_tokens]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Asker:
    """Asks one endpoint; use as `with Asker(...) as asker`."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        cache: Path,
        at_once: int,
        check: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Keep answers in the file `cache`; `check` is called while waiting, and may raise."""
        self.endpoint = endpoint
        self.asked = 0
        """Requests that were sent: what was not in the cache."""
        self._path, self._at_once, self._check, self._now = cache, at_once, check, now

    def __enter__(self) -> Self:
        self._cache = _open(self._path)
        used_before = self._now() - _KEPT_SECONDS
        with self._cache:
            self._cache.execute("DELETE FROM answers WHERE used < ?", (used_before,))
        self._runner = asyncio.Runner()
        self._engine = Engine(self.endpoint.url)
        self._is_prepared = False
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()
        self._runner.close()
        self._cache.close()

    def answers(self, asks: Sequence[Ask]) -> list[str | None]:
        """What the model says to each; None where it refuses that one (it is too long, say).

        Raises:
            EngineUnavailable: the endpoint is down; what it had answered is kept.
            EngineRefused: it wants nothing from us (a wrong key, an unknown model).
        """
        keys = [ask.key(self.endpoint.model) for ask in asks]
        known = self._known(keys)
        missing = {key: ask for key, ask in zip(keys, asks, strict=True) if key not in known}
        if missing:
            known |= self._runner.run(self._ask_all(missing))
        return [known.get(key) for key in keys]

    def _known(self, keys: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._cache:
            for key in set(keys):
                row = self._cache.execute(
                    "UPDATE answers SET used = ? WHERE key = ? RETURNING answer",
                    (self._now(), key),
                ).fetchone()
                if row is not None:
                    found[key] = row[0]
        return found

    async def _ask_all(self, asks: dict[str, Ask]) -> dict[str, str]:
        if not self._is_prepared:
            await self.endpoint.prepare(self._engine)
            self._is_prepared = True
        gate = asyncio.Semaphore(self._at_once)
        tasks = [asyncio.create_task(self._ask(key, ask, gate)) for key, ask in asks.items()]
        try:
            waiting = set(tasks)
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION
                )
                for task in done:
                    task.result()
                self._check()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        found = [task.result() for task in tasks]
        return {key: answer for key, answer in found if answer is not None}

    async def _ask(self, key: str, ask: Ask, gate: asyncio.Semaphore) -> tuple[str, str | None]:
        async with gate:
            try:
                answer = await self._patiently(ask)
            except EngineRefused as error:
                if error.status in (*_NOT_OURS, _TOO_MANY):
                    raise
                return key, None
        with self._cache:  # at once: a job that is killed here asks only for the rest
            self._cache.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, answer, self._now())
            )
        return key, answer

    async def _patiently(self, ask: Ask) -> str:
        for wait in (*_PATIENCE_SECONDS, None):
            self.asked += 1
            try:
                return await self.endpoint.ask(
                    self._engine,
                    [{"role": role, "content": content} for role, content in ask.messages],
                    temperature=ask.temperature,
                    seed=ask.seed,
                    max_tokens=ask.max_tokens,
                )
            except (EngineUnavailable, EngineRefused) as error:
                busy = isinstance(error, EngineUnavailable) or error.status == _TOO_MANY
                if wait is None or not busy:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")


def forget_all(cache: Path) -> None:
    """Take everything that was asked out of the cache; nothing happens where there is none."""
    for name in (cache, *(cache.with_name(cache.name + end) for end in ("-wal", "-shm"))):
        name.unlink(missing_ok=True)


def _open(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    database = sqlite3.connect(path, timeout=30)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    with database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT, used REAL)"
        )
    return database
