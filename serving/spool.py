"""A journal for turns while the database fails: appended and synced here, written there later.

One file per process, locked while it lives. What a process left behind that died is taken over by
the next one that starts. While anything waits here, later turns wait behind it, so that a
conversation keeps its order. Used by the recorder's thread only.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from records.errors import StorageError, StorageFull, StorageUnavailable
from records.ids import new_id
from records.settings import make_folder
from serving import turn_log
from serving.turn_log import Entry

_log = logging.getLogger("understudy.gateway")

_AT_ONCE = 50
_SLICE_SECONDS = 0.05
_NO_SPACE = 28

Write = Callable[[Sequence[Entry]], None]
"""Writes entries to the database in one transaction."""


class Spool:
    """Entries that are durable on this machine's disk, but not in the database yet."""

    def __init__(
        self,
        folder: Path,
        *,
        retry_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the journal in `folder`, taking over what dead processes left there."""
        make_folder(folder)
        self._path, self._file = _own_file(folder)
        self._replayed = 0
        """Up to which byte the journal is in the database already."""
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._next_try = clock()
        self.size = 0
        """How many entries wait."""
        for path in sorted(folder.glob("*.jsonl")):
            if path != self._path:
                self._take_over(path)

    @property
    def pause(self) -> float | None:
        """How long the recorder may wait for work before it replays again; None: for ever."""
        if not self.size:
            return None
        return min(self._retry_seconds, max(0.0, self._next_try - self._clock()))

    def add(self, entries: Sequence[Entry]) -> None:
        """Append entries; they are on disk when this returns.

        Raises:
            StorageError: they are not.
        """
        if not entries:
            return
        if not self.size:
            _log.warning("turns go to the journal %s until the database works again", self._path)
            self._next_try = self._clock() + self._retry_seconds
        end = self._file.seek(0, os.SEEK_END)
        try:
            left = memoryview(b"".join(turn_log.dumped(entry) + b"\n" for entry in entries))
            while left:  # unbuffered: what failed must not be written by a later call
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._cut(end)
            kind = StorageFull if error.errno == _NO_SPACE else StorageUnavailable
            raise kind(f"The journal {self._path} cannot be written ({error}).") from error
        self.size += len(entries)

    def replay(self, write: Write) -> None:
        """Write what waits to the database, if it is time to try; nothing is lost if that fails."""
        if not self.size or self._clock() < self._next_try:
            return
        try:
            whole = self._write_some(write)
        except (StorageError, OSError) as error:
            _log.warning("%d turns wait in the journal: %s", self.size, error)
            self._next_try = self._clock() + self._retry_seconds
            return
        if whole:
            _log.warning("%d turns of the journal are in the database now", self.size)
            self._cut(0)
            self.size = self._replayed = 0

    def close(self) -> None:
        """Give the file back; an empty one is removed."""
        if not self.size:
            self._path.unlink(missing_ok=True)
        self._file.close()

    def _write_some(self, write: Write) -> bool:
        """Write what a slice of time allows, so that new turns need not wait; whether it is all."""
        until = self._clock() + _SLICE_SECONDS
        with self._path.open("rb") as file:
            file.seek(self._replayed)
            while group := list(islice(_entries(file), _AT_ONCE)):
                self._write(group, write)
                self._replayed = file.tell()
                if self._clock() >= until:
                    return False
        return True

    def _write(self, group: Sequence[Entry], write: Write) -> None:
        try:
            write(group)
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 - one entry must not keep all others out for ever
            for entry in group:
                self._write_one(entry, write)

    def _write_one(self, entry: Entry, write: Write) -> None:
        try:
            write([entry])
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 - as above
            rejected = self._path.with_suffix(".rejected")
            _log.exception("the database does not take an entry; it is kept in %s", rejected)
            with rejected.open("ab") as file:
                file.write(turn_log.dumped(entry) + b"\n")

    def _take_over(self, path: Path) -> None:
        with path.open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # its process lives
            self.add(list(_entries(file)))
            path.unlink()
        self._next_try = self._clock()

    def _cut(self, size: int) -> None:
        """Take back what was written beyond `size`, so that no half line stays."""
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)


def _own_file(folder: Path) -> tuple[Path, FileIO]:
    """A new file of this process's own, locked."""
    while True:
        path = folder / f"{new_id('spool')}.jsonl"
        file = path.open("a+b", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()  # another process took it for a dead one's before it was locked


def _entries(file: BinaryIO) -> Iterator[Entry]:
    """The entries of a journal; a line that a crash cut off was never confirmed to anybody."""
    for line in file:
        try:
            yield turn_log.loaded(line)
        except (ValueError, TypeError, KeyError):
            _log.warning("a broken line of the journal is left out")
