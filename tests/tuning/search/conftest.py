"""Studies whose disk need not be waited for: no test cuts the power."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event


@pytest.fixture(autouse=True)
def _unsynced() -> Iterator[None]:
    def connected(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=MEMORY")

    event.listen(Engine, "connect", connected)
    yield
    event.remove(Engine, "connect", connected)
