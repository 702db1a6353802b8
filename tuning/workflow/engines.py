"""Asking engines from a step: each in turn, and left at once when the job is to be left."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from records.engine import Engine
from records.errors import EngineUnavailable
from tuning.workflow.interruption import Interruption

_LOOK_SECONDS = 0.5
ResultT = TypeVar("ResultT")
EngineWork = Callable[[Engine], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines that serve, and what ends the asking."""

    urls: Sequence[str]
    interruption: Interruption

    def each(
        self, job_id: str, work: EngineWork, *, on_done: Callable[[int], None] = lambda _: None
    ) -> None:
        """Do something on every engine; `on_done` is told how many are done.

        Raises:
            EngineUnavailable: one doesn't answer; the step is tried again then.
            JobCancelled, WorkerStopping: the job is to be left.
        """

        async def everywhere() -> None:
            for done, url in enumerate(self.urls, start=1):
                async with Engine(url) as engine:
                    await _require(engine)
                    await work(engine)
                on_done(done)

        self.finish(job_id, everywhere())

    def finish(self, job_id: str, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine to its end, or leave it when the job is to be left.

        Raises:
            JobCancelled, WorkerStopping: it was left.
        """

        async def watch() -> ResultT:
            task = asyncio.create_task(work)
            try:
                while not task.done():
                    await asyncio.wait({task}, timeout=_LOOK_SECONDS)
                    await asyncio.to_thread(self.interruption.check, job_id)
                return task.result()
            finally:
                if not task.done():
                    task.cancel()
                    await asyncio.wait({task})

        return asyncio.run(watch())


async def _require(engine: Engine) -> None:
    if not await engine.healthy():
        raise EngineUnavailable(
            f"No engine answers at {engine.url}: start one with `understudy up` or "
            "`understudy engine`, or set UNDERSTUDY_ENGINE_URLS."
        )
