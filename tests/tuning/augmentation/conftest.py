"""A stub of an OpenAI-compatible endpoint in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.stub_engine import StubEngine
from tuning.augmentation import asking


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubEngine]:
    """The stub; nobody waits before asking it again."""
    monkeypatch.setattr(asking, "_PATIENCE_SECONDS", (0.0, 0.0))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stub = StubEngine("writer", "support-base")
    asyncio.run_coroutine_threadsafe(stub.start(), loop).result(10)
    yield stub
    asyncio.run_coroutine_threadsafe(stub.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
