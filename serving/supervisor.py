"""Starts processes, waits until each is ready, restarts what dies, stops them all.

One thread starts and watches all children: the kernel ties a child to the thread that started it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from records.errors import Conflict, NotFound, UnderstudyError

_TICK_SECONDS = 0.2
_PROBE_SECONDS = 2
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STEADY_SECONDS = 60
"""A child that ran this long is restarted at once, as if it had never died."""

Ready = Callable[[int], bool]
"""Whether the child of that pid is ready."""


class StartFailed(UnderstudyError):
    """Something did not become ready in time."""


class State(StrEnum):
    """How a child is."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting to restart"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    ready: Ready
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """How a child is, for one line on screen."""

    name: str
    state: State
    pid: int | None
    restarts: int
    seconds: float
    """Since this state began."""
    log: Path


def http_ready(url: str) -> Ready:
    """Ready when a GET of `url` is answered with 200."""

    def ready(_pid: int) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=_PROBE_SECONDS) as answer:  # noqa: S310
                return int(answer.status) == 200
        except (OSError, urllib.error.URLError, ValueError):
            return False

    return ready


def file_ready(path: Path) -> Ready:
    """Ready when the child has written its pid into a file."""

    def ready(pid: int) -> bool:
        try:
            return path.read_text().split()[:1] == [str(pid)]
        except OSError:
            return False

    return ready


class _Child:
    """A program with its process, if it runs. Only the supervisor's thread changes it."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program, self.log = program, log
        self.process: subprocess.Popen[bytes] | None = None
        self.state = State.STARTING
        self.since = self.started_at = time.monotonic()
        self.restarts = 0
        self.pause = _FIRST_PAUSE_SECONDS

    def start(self) -> None:
        tie = [sys.executable, "-m", "serving.tied_process", str(os.getpid())]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*tie, *self.program.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.program.environment},
                start_new_session=True,
            )
        self.started_at = time.monotonic()
        self.become(State.STARTING)

    def become(self, state: State) -> None:
        self.state, self.since = state, time.monotonic()

    def look(self) -> None:
        """One look: has it died, is it ready, is it time to start it again?"""
        now = time.monotonic()
        if self.process is None:
            if self.state is State.WAITING and now - self.since >= self.pause:
                self.pause = min(self.pause * 2, _LONGEST_PAUSE_SECONDS)
                self.restarts += 1
                self.start()
        elif self.process.poll() is not None:
            self.signal(signal.SIGKILL)  # what it may have left of its group
            if now - self.started_at >= _STEADY_SECONDS:
                self.pause = _FIRST_PAUSE_SECONDS
            self.process = None
            self.become(State.WAITING)
        elif self.state is State.STARTING and self.program.ready(self.process.pid):
            self.become(State.READY)

    def end(self, *, deadline: float) -> None:
        """Wait for the end of a child that was told to end; make it end at the deadline."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.0, deadline - time.monotonic()))
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.process = None
        self.become(State.STOPPED)

    def signal(self, number: signal.Signals) -> None:
        """Reach the child and what it has started."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


class Supervisor:
    """Keeps programs running until it is stopped."""

    def __init__(
        self, programs: Sequence[Program], *, logs: Path, patience_seconds: float = 8
    ) -> None:
        """Write each program's output to `<logs>/<name>.log`."""
        self._patience_seconds = patience_seconds
        self._logs = logs
        self._children = {p.name: _Child(p, logs / f"{p.name}.log") for p in programs}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start all programs at once."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def wait_ready(
        self,
        timeout: float,
        on_progress: Callable[[list[Status]], None] | None = None,
    ) -> None:
        """Wait until all are ready, telling `on_progress` how each is, several times a second.

        Raises:
            StartFailed: one is not ready after `timeout` seconds, or everything was stopped.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = self.status()
            if on_progress is not None:
                on_progress(found)
            if all(status.state is State.READY for status in found):
                return
            if time.monotonic() > deadline or self._stopping.wait(_TICK_SECONDS):
                late = ", ".join(
                    f"{s.name} is {s.state} (see {s.log})"
                    for s in found
                    if s.state is not State.READY
                )
                raise StartFailed(f"Not everything is ready: {late}.")

    def status(self) -> list[Status]:
        """How each child is."""
        now = time.monotonic()
        return [
            Status(
                name=name,
                state=child.state,
                pid=process.pid if (process := child.process) else None,
                restarts=child.restarts,
                seconds=now - child.since,
                log=child.log,
            )
            for name, child in self._children.items()
        ]

    def kill(self, name: str) -> int:
        """Kill a child (SIGKILL), as a crash would; it is started again. Returns its pid.

        Raises:
            NotFound: no such program.
            Conflict: it does not run now.
        """
        return self._send(name, signal.SIGKILL)

    def restart(self, name: str) -> int:
        """End a child (SIGTERM), so that it is started again. Returns the old pid.

        Raises:
            NotFound: no such program.
            Conflict: it does not run now.
        """
        return self._send(name, signal.SIGTERM)

    def stop(self) -> None:
        """End all children: SIGTERM, and after some patience SIGKILL. May be called twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _send(self, name: str, number: signal.Signals) -> int:
        child = self._children.get(name)
        if child is None:
            raise NotFound(f"No program {name!r}; there are: {', '.join(self._children)}.")
        process = child.process
        if process is None:
            raise Conflict(f"{name} does not run now.")
        child.become(State.WAITING)  # from now on; it is ready again only after its next start
        child.signal(number)
        return process.pid

    def _run(self) -> None:
        for child in self._children.values():
            child.start()
        while not self._stopping.wait(_TICK_SECONDS):
            for child in self._children.values():
                if not self._stopping.is_set():
                    child.look()
        for child in self._children.values():
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._patience_seconds
        for child in self._children.values():
            child.end(deadline=deadline)
