"""Events that failed again and again: kept beside the journal until a bot starts anew.

Bots on one machine share the file, so each works with it alone.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bot.incoming.journal import Event


def put_aside(path: Path, event: Event) -> None:
    """Keep an event: it is on disk when this returns.

    Raises:
        OSError: it is not.
    """
    with _alone(path) as file:
        # A line of its own, whatever was cut off before it when the disk was full.
        file.write("\n" + json.dumps(event) + "\n")
        file.flush()
        os.fsync(file.fileno())


def take_back(path: Path, *, keep: Callable[[list[Event]], None]) -> list[Event]:
    """Give all events to `keep`, and forget them here when it returns."""
    if not path.exists():
        return []
    with _alone(path) as file:
        file.seek(0)
        events = list(_read(file))
        if events:
            keep(events)
        path.unlink()
    return events


def _read(file: IO[str]) -> Iterator[Event]:
    """A line each; one that was cut off is none."""
    for line in file:
        with suppress(ValueError):
            yield json.loads(line)


@contextmanager
def _alone(path: Path) -> Iterator[IO[str]]:
    while True:
        with path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                yield file
                return  # else somebody took it back before it was locked
