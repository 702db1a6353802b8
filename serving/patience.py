"""Waiting with a limit that costs nothing where there is nothing to wait for.

A timeout of asyncio's costs microseconds to set up, which a stream would pay for every piece.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar, cast

Result = TypeVar("Result")


async def within(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """Await `work`; a limit is set only once it has really begun to wait.

    Raises:
        TimeoutError: it took longer; it was cancelled.
    """
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        return cast("Result", done.value)
    async with asyncio.timeout(seconds):
        return cast("Result", await _Rest(work, waits_for))


class _Rest:
    """A coroutine from its first wait on: passes to the event loop what it waits for."""

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._work, self._waits_for = work, waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    sent = yield waits_for
                except GeneratorExit:
                    self._work.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the work's own, a cancellation
                    waits_for = self._work.throw(error)
                else:
                    waits_for = self._work.send(sent)
            except StopIteration as done:
                return done.value
