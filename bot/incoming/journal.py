"""Events that Slack was told are safe: appended and synced here before they are acknowledged.

One file per process, locked while it lives. What a process left behind that died is taken over by
another one on this machine. A line takes an event in or says that one is done; the latter is not
synced, for doing an event again does nothing. Used by one thread at a time.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from bot import wording
from records.errors import StorageError, StorageFull, StorageUnavailable
from records.ids import new_id
from records.settings import make_folder

log = logging.getLogger(__name__)

Event = dict[str, Any]

_NO_SPACE = 28
_ROOMY_BYTES = 4 * 2**20
"""A file that grew beyond this is written anew with what still waits in it."""


class Journal:
    """Events that are durable on this machine's disk until they are done."""

    def __init__(self, folder: Path, *, roomy_bytes: int = _ROOMY_BYTES) -> None:
        """Keep a journal in `folder`.

        Raises:
            ConfigurationError: the folder cannot be made.
            StorageError: nothing can be written there.
        """
        make_folder(folder)
        self._folder = folder
        self._roomy_bytes = roomy_bytes
        try:
            self._path, self._file = _own_file(folder)
        except OSError as error:
            raise _failure(folder, error) from error
        self._waiting: dict[str, Event] = {}
        self._kept_bytes = 0
        """What waited when the file was last written anew: it is not rewritten for that alone."""

    def append(self, events: Sequence[Event], *, done: Sequence[str] = ()) -> None:
        """Note what is done, and take events in: they are on disk when this returns.

        Raises:
            StorageError: they are not.
        """
        lines = [_line({"done": key}) for key in done if self._waiting.pop(key, None)]
        lines += [_line({"event": event}) for event in events]
        if lines:
            self._write(b"".join(lines), sync=bool(events))
        self._waiting |= {event["event_id"]: event for event in events}
        if self._file.tell() > max(self._roomy_bytes, 2 * self._kept_bytes):
            self._begin_anew()

    def left_behind(self) -> list[Event]:
        """Take over what dead processes left undone; it is in this journal when this returns.

        What cannot be taken over now stays where it is.
        """
        found = []
        for path in sorted(self._folder.glob("*.jsonl")):
            try:
                found += self._take_over(path) if path != self._path else []
            except (StorageError, OSError) as error:
                log.warning("what another bot left behind cannot be taken over: %s", error)
        return found

    def close(self) -> None:
        """Give the file back; it stays where something waits in it."""
        if not self._waiting:
            self._path.unlink(missing_ok=True)
        self._file.close()

    def _write(self, lines: bytes, *, sync: bool) -> None:
        end = self._file.seek(0, os.SEEK_END)
        left = memoryview(lines)
        try:
            while left:  # unbuffered: what failed must not be written by a later call
                left = left[self._file.write(left) :]
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(end)
                self._file.seek(end)
            raise _failure(self._path, error) from error

    def _begin_anew(self) -> None:
        old_path, old_file = self._path, self._file
        try:
            self._path, self._file = _own_file(self._folder)
            self._write(
                b"".join(_line({"event": event}) for event in self._waiting.values()), sync=True
            )
        except (OSError, StorageFull, StorageUnavailable) as error:
            log.warning("the journal of events goes on in its old file: %s", error)
            if self._path != old_path:
                self._path.unlink(missing_ok=True)
                self._file.close()
            self._path, self._file = old_path, old_file
            return
        self._kept_bytes = self._file.tell()
        old_path.unlink(missing_ok=True)
        old_file.close()

    def _take_over(self, path: Path) -> list[Event]:
        try:
            with path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                undone = [e for k, e in _undone(file).items() if k not in self._waiting]
                self.append(undone)
                path.unlink()
        except (BlockingIOError, FileNotFoundError):
            return []  # its process lives, or another one took it over
        return undone


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _own_file(folder: Path) -> tuple[Path, FileIO]:
    """A new file of this process's own, locked, and its name on disk."""
    while True:
        path = folder / f"{new_id('inbox')}.jsonl"
        file = path.open("a+b", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            _sync_folder(folder)
            return path, file
        file.close()  # another process took it for a dead one's before it was locked


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _undone(file: BinaryIO) -> dict[str, Event]:
    """The events of a journal that are not done, in order."""
    undone: dict[str, Event] = {}
    for content in _contents(file):
        if "done" in content:
            undone.pop(content["done"], None)
        else:
            undone[content["event"]["event_id"]] = content["event"]
    return undone


def _contents(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The lines of a journal; one that a crash cut off was never confirmed to anybody."""
    for line in file:
        try:
            content = json.loads(line)
            known = "done" in content or "event_id" in content["event"]
        except (ValueError, KeyError, TypeError):
            known = False
        if known:
            yield content
        else:
            log.warning("a broken line of a journal of events is left out")


def _failure(path: Path, error: OSError) -> StorageFull | StorageUnavailable:
    kind = StorageFull if error.errno == _NO_SPACE else StorageUnavailable
    return kind(wording.machine.JOURNAL_FAILED.format(path=path, error=error.strerror))
