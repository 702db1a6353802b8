"""Stub engines that end with the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.evaluation.engine import DisturbedEngine

StartEngine = Callable[..., Awaitable[DisturbedEngine]]


@pytest.fixture
async def start_engine() -> AsyncIterator[StartEngine]:
    """Start stub engines on loopback."""
    async with AsyncExitStack() as engines:

        async def start(*bases: str, answer: Any = None, **options: Any) -> DisturbedEngine:
            engine = await engines.enter_async_context(DisturbedEngine(*bases, **options))
            engine.answer = answer or engine.answer
            return engine

        yield start
