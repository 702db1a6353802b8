"""Two transactions of which the second begins before the first ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from sqlalchemy.orm import Session

from records.database import Database

Result = TypeVar("Result")
_HEAD_START_SECONDS = 0.3  # enough to read what the first has not committed, if it doesn't wait


def at_once(
    database: Database, first: Callable[[Session], object], second: Callable[[Session], Result]
) -> Result:
    """Do both, and return what came of the second, or raise what it raised."""

    def other() -> Result:
        with database.write() as session:
            return second(session)

    with ThreadPoolExecutor(max_workers=1) as pool:
        with database.write() as session:
            first(session)
            following = pool.submit(other)
            wait([following], timeout=_HEAD_START_SECONDS)
        return following.result()
