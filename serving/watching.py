"""What goes on beside the requests, for each engine: its health is watched, its adapters kept."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from serving.replica import Replica
from serving.upkeep import Upkeep, Wanted

_log = logging.getLogger("understudy.gateway")

_SHORTEST_PAUSE_SECONDS = 0.02
"""Failing requests must not turn into a storm of checks."""


async def watch(replica: Replica, *, every_seconds: float, on_change: Callable[[], None]) -> None:
    """Look at an engine again and again, at once where a request failed."""
    while True:
        was_healthy = replica.healthy
        try:
            if await replica.look():
                on_change()
        except Exception:  # noqa: BLE001 - the loop's edge: an engine is always watched
            _log.exception("watching %s failed; going on", replica.engine.url)
        if replica.healthy != was_healthy:
            level = logging.INFO if replica.healthy else logging.WARNING
            state = "up" if replica.healthy else "down"
            _log.log(level, "engine %s is %s", replica.engine.url, state)
        if await _set_within(replica.hurry, every_seconds):
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)


async def care(
    replica: Replica,
    upkeep: Upkeep,
    *,
    wanted: Callable[[], Mapping[str, Wanted]],
    every_seconds: float,
) -> None:
    """Bring an engine's adapters to what is wanted, again and again."""
    while True:
        try:
            await upkeep.work(wanted())
        except Exception:  # noqa: BLE001 - the loop's edge: adapters are always cared for
            _log.exception("loading on %s failed; going on", replica.engine.url)
        await _set_within(replica.news, every_seconds)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until an event is set, but no longer than `seconds`; it is cleared again."""
    try:
        async with asyncio.timeout(seconds):  # not `wait_for`, which may lose a cancellation
            await event.wait()
    except TimeoutError:
        return False
    event.clear()
    return True
