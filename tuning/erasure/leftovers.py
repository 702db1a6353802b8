"""Files beside the records that may hold a customer's words: journals, and jobs' working files.

Journals are lists of JSON lines, one file a process, locked while it lives (`serving/spool.py`,
`bot/incoming/journal.py`). A line is the customer's where it names one of their ids.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from records.database import Database
from records.jobs import ACTIVE
from records.tables import Job

JOURNALS = {"spool": "the gateway", "slack-inbox": "the bot"}
"""Folders of the home, and whose they are."""
_SUFFIXES = (".jsonl", ".rejected")
_HOUR_SECONDS = 3600
_WORD = re.compile(rb"[\w.:-]+")


@dataclass(slots=True)
class Swept:
    """What was removed, and what is held by a process that runs."""

    lines: int = 0
    held: dict[str, int] = field(default_factory=dict)
    """By whose journal it is: how many lines."""


class Needles:
    """What a line that is the customer's holds."""

    def __init__(self, ids: Collection[str], customer: str | None) -> None:
        self._ids = {name.encode() for name in ids}
        forms = {json.dumps(customer, ensure_ascii=plain) for plain in (True, False)}
        self._customer = {form.encode() for form in forms} if customer else set()

    def add(self, name: str) -> None:
        """Look for this id as well."""
        self._ids.add(name.encode())

    def are_in(self, line: bytes) -> bool:
        """Whether a line holds one of them."""
        if any(form in line for form in self._customer):
            return True
        return not self._ids.isdisjoint(_WORD.findall(line))


def sweep_journals(home: Path, needles: Needles, *, only_look: bool = False) -> Swept:
    """Take the customer's lines out of journals that no process holds."""
    swept = Swept()
    for folder, owner in JOURNALS.items():
        files = _files(home / folder)
        for path in files:
            _learn(path, needles)
        for path in files:
            _sweep(path, needles, swept, owner=owner, only_look=only_look)
    return swept


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)


def _learn(path: Path, needles: Needles) -> None:
    """Conversations that only a journal knows yet are the customer's, too."""
    for line in _lines(path):
        if needles.are_in(line) and (name := _conversation(line)):
            needles.add(name)


def _conversation(line: bytes) -> str | None:
    try:
        content: Any = json.loads(line)
    except ValueError:
        return None
    found = content.get("conversation_id") if isinstance(content, dict) else None
    return found if isinstance(found, str) else None


def _sweep(path: Path, needles: Needles, swept: Swept, *, owner: str, only_look: bool) -> None:
    theirs = sum(needles.are_in(line) for line in _lines(path))
    if not theirs:
        return
    try:
        with path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not only_look:
                _rewrite(path, [line for line in file if not needles.are_in(line)])
            swept.lines += theirs
    except BlockingIOError:
        swept.held[owner] = swept.held.get(owner, 0) + theirs
    except FileNotFoundError:
        return  # it was taken over


def _rewrite(path: Path, kept: list[bytes]) -> None:
    """Put the lines in place of the file at once: what is somebody else's must not be lost."""
    if not kept:
        path.unlink()
        return
    arriving = path.with_suffix(".arriving")
    with arriving.open("wb") as file:
        file.writelines(kept)
        file.flush()
        os.fsync(file.fileno())
    arriving.replace(path)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except FileNotFoundError:
        return


def drop_job_folders(
    database: Database, jobs: Path, assistants: Collection[str], *, only_look: bool = False
) -> int:
    """Remove the working files of ended retrainings of these assistants; how many there were.

    They hold copies of lessons, wordings made of them and measured answers; all that is of use
    later was published.
    """
    with database.read() as session:
        rows = list(session.scalars(select(Job)))
    kept = {job.id for job in rows if job.assistant not in assistants or job.state in ACTIVE}
    found = [path for path in _folders(jobs) if path.name not in kept]
    for path in found:
        if not only_look:
            shutil.rmtree(path)
    return len(found)


def _folders(jobs: Path) -> list[Path]:
    return sorted(path for path in jobs.iterdir() if path.is_dir()) if jobs.is_dir() else []


def drop_unfinished(database: Database, store: Path, *, now: float) -> int:
    """Remove what killed processes left half-published or half-removed in the store's folder.

    What arrives now belongs to a job that runs; without one, or after an hour, nobody finishes it.
    `now` is in seconds since 1970.
    """
    with database.read() as session:
        is_busy = session.scalar(select(Job.id).where(Job.state.in_(ACTIVE)).limit(1)) is not None
    found = [path for path in store.glob("*/.*") if path.is_dir()]
    for path in found:
        is_leaving = path.name.startswith(".leaving")
        if is_leaving or not is_busy or now - path.stat().st_mtime > _HOUR_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
    return len(found)
