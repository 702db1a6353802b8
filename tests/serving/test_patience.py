"""Waiting with a limit that is set only where there is something to wait for."""

import asyncio
import contextlib
from typing import Any

import pytest

from serving.patience import within


async def ready(value: Any) -> Any:
    return value


async def after_turns(turns: int, value: Any) -> Any:
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


async def failing(turns: int) -> None:
    await after_turns(turns, None)
    raise ZeroDivisionError


async def test_what_need_not_wait_sets_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.timeout", None)
    assert await within(5, ready("done")) == "done"
    with pytest.raises(ZeroDivisionError):
        await within(5, failing(0))


async def test_what_waits_gives_its_result_or_error() -> None:
    assert await within(5, after_turns(3, "done")) == "done"
    assert await within(5, asyncio.wait_for(after_turns(3, "done"), 5)) == "done"
    with pytest.raises(ZeroDivisionError):
        await within(5, failing(3))


async def test_what_waits_too_long_is_cancelled() -> None:
    seen = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        await within(0.01, for_ever())
    assert seen == ["cancelled"]


async def test_work_may_end_well_though_it_was_cancelled() -> None:
    async def last_words() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "the end"

    assert await within(0.01, last_words()) == "the end"


async def test_who_waits_can_be_cancelled() -> None:
    waiting = asyncio.create_task(within(60, asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_limits_can_be_nested() -> None:
    with pytest.raises(TimeoutError):
        await within(60, within(0.01, asyncio.Event().wait()))
    async with asyncio.timeout(5):
        assert await within(60, within(60, after_turns(2, 7))) == 7
