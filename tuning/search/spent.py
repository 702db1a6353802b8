"""How much of its budget a search has spent, on disk: one that was killed goes on with the rest."""

import json
from collections.abc import Callable
from pathlib import Path

_SAVED_EVERY_SECONDS = 2.0
"""So much a kill may give back."""


class Spent:
    """A clock that runs while a search is at work, over all of its processes."""

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        """Go on from what the file says; without one, from nothing."""
        self._path, self._clock = path, clock
        self._seconds = _read(path)
        self._at = self._saved_at = clock()

    @property
    def seconds(self) -> float:
        """Spent until the last `tick`."""
        return self._seconds

    def tick(self, *, counts: bool = True) -> float:
        """Let the time since the last one count, or not; returns what is spent.

        Waiting for another job's accelerator does not count.
        """
        now = self._clock()
        if counts:
            self._seconds += now - self._at
        self._at = now
        if now - self._saved_at >= _SAVED_EVERY_SECONDS:
            self.save()
        return self._seconds

    def save(self) -> None:
        """Write what is spent; the file is whole or as it was."""
        self._saved_at = self._clock()
        arriving = self._path.with_suffix(".arriving")
        arriving.write_text(json.dumps({"spent_seconds": round(self._seconds, 2)}))
        arriving.rename(self._path)


def _read(path: Path) -> float:
    try:
        return float(json.loads(path.read_text())["spent_seconds"])
    except FileNotFoundError:
        return 0.0
