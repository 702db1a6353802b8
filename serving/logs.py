"""The log: one line for each request and each thing worth knowing, as JSON or for a terminal.

What customers write must not come into it. So no exception's own words are logged, since they may
quote what was being worked on: its type and its place are, and the sentences of our own errors
where those never quote a client. A log that cannot be written must not keep an answer.
"""

import asyncio
import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePath
from traceback import extract_tb
from types import TracebackType
from typing import Any

import orjson

from records.errors import (
    AdapterError,
    ConfigurationError,
    Conflict,
    EngineError,
    EngineRefused,
    StorageError,
)
from serving.request_record import current

Shape = Callable[[Mapping[str, Any]], bytes]
Write = Callable[[bytes], object]

_OURS = (AdapterError, ConfigurationError, Conflict, StorageError)
"""Errors whose sentences are made of our own words and ids."""
_FIRST_LINE_ONLY = frozenset({"asyncio"})
"""Loggers that put an exception's words into the lines below the first."""
_FOLLOWED = ("request", "conversation")
"""What lines inside a request take over from its record."""
_QUIET = frozenset({"alembic", "aiohttp.access"})
_MOST_PLACES = 30
_SAID_FIRST = ("time", "level", "logger", "message", "method", "route", "status")
"""What a line for people says without its name, the first three apart."""


class LogFormat(StrEnum):
    """How lines are written."""

    JSON = "json"
    TEXT = "text"


def as_json(fields: Mapping[str, Any]) -> bytes:
    """One JSON object and a line feed."""
    return orjson.dumps(fields, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def as_text(fields: Mapping[str, Any]) -> bytes:
    """One line for people: time, level, what happened, then `name=value`."""
    rest = {name: value for name, value in fields.items() if name not in _SAID_FIRST}
    trace = rest.pop("trace", ())
    words = [
        fields["time"].astimezone().strftime("%H:%M:%S.%f")[:-3],
        f"{fields['level']:7}",
        *(str(fields[name]) for name in _SAID_FIRST[3:] if name in fields),
        *(f"{name}={value}" for name, value in rest.items()),
    ]
    return "\n    ".join([" ".join(words), *trace]).encode() + b"\n"


SHAPES: Mapping[LogFormat, Shape] = {LogFormat.JSON: as_json, LogFormat.TEXT: as_text}


class AccessLog:
    """Writes a line for each request, past `logging`: its machinery would cost more than we do."""

    __slots__ = ("_clock", "_shape", "_write")

    def __init__(
        self,
        write: Write,
        shape: Shape = as_json,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Give each line, shaped, to `write`."""
        self._write, self._shape, self._clock = write, shape, clock

    def line(self, **fields: Any) -> None:
        """Write one line with these fields."""
        self._write(
            self._shape({"time": self._clock(), "level": "info", "message": "request", **fields})
        )


class LineHandler(logging.Handler):
    """Takes what is logged through `logging`, our own words and those of libraries."""

    def __init__(self, write: Write, shape: Shape) -> None:
        """Give each line, shaped, to `write`."""
        super().__init__()
        self._write_line, self._shape = write, shape

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            self._write_line(self._shape(fields_of(record)))
        except Exception:  # noqa: BLE001 - the log's edge: a line is lost rather than an answer
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say which call cannot be logged, without its arguments."""
        place = f"{PurePath(record.pathname).name}:{record.lineno}"
        self._write_line(f"a line of {record.name} ({place}) could not be logged\n".encode())


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says of a record of `logging`."""
    fields: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _message(record),
    }
    request = current.get()
    if request is not None:
        known = request.fields
        fields |= {name: known[name] for name in _FOLLOWED if name in known}
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"] = _types(record.exc_info[1])
        fields["trace"] = places(record.exc_info[2])
    return fields


def told(error: BaseException) -> str:
    """What may be logged of an error."""
    if isinstance(error, EngineError) and not isinstance(error, EngineRefused):
        sentence = str(error).partition(": ")[0]  # what follows may be the engine's own words
        return f"{sentence.rstrip('.')} ({_types(error)})"
    if isinstance(error, _OURS):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return _types(error)


def places(trace: TracebackType | None) -> list[str]:
    """Where an exception went through, the outermost first."""
    frames = extract_tb(trace)[-_MOST_PLACES:]
    return [f"{'/'.join(PurePath(f.filename).parts[-3:])}:{f.lineno} {f.name}" for f in frames]


def set_up(*, form: LogFormat | None, level: str) -> AccessLog | None:
    """Send all of this process's logging to stderr; the access log, unless `level` is above it.

    Without a `form`, people at a terminal get text and everything else JSON.
    """
    chosen = SHAPES[form or (LogFormat.TEXT if sys.stderr.isatty() else LogFormat.JSON)]
    gathered = Gathered(_to_stderr)
    atexit.register(gathered.flush)
    write = gathered.write_now
    root = logging.getLogger()
    root.handlers[:] = [LineHandler(write, chosen)]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    threading.excepthook = _thread_died
    return AccessLog(gathered.write, chosen) if root.isEnabledFor(logging.INFO) else None


class Gathered:
    """Gathers lines of requests for a moment, so that a system call writes many of them.

    Lines of less than that moment are lost if the process is killed; every other line is written
    at once, after those that were gathered.
    """

    def __init__(self, write: Write, *, seconds: float = 0.05) -> None:
        """Give all that was gathered in `seconds` to `write`."""
        self._write, self._seconds = write, seconds
        self._lines: list[bytes] = []
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Gather a line. To be called in an event loop's thread."""
        with self._lock:
            self._lines.append(line)
            first = len(self._lines) == 1
        if first:
            asyncio.get_running_loop().call_later(self._seconds, self.flush)

    def write_now(self, line: bytes) -> None:
        """Write a line at once. From any thread."""
        with self._lock:
            self._lines.append(line)
        self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        with self._lock:
            lines, self._lines = self._lines, []
            if lines:
                self._write(b"".join(lines))


def _to_stderr(line: bytes) -> None:
    """One system call for a line, so that lines of several processes do not mix."""
    try:
        written = os.write(2, line)
        while written < len(line):
            line = line[written:]
            written = os.write(2, line)
    except OSError:  # nobody reads it, or no space is left
        return


def _thread_died(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    name = arguments.thread.name if arguments.thread else "a thread"
    info = (type(error), error, arguments.exc_traceback) if error else None
    logging.getLogger("understudy").error("the thread %s has died", name, exc_info=info)


def _message(record: logging.LogRecord) -> str:
    if isinstance(record.msg, BaseException):
        return told(record.msg)
    message = str(record.msg)
    if isinstance(record.args, tuple):
        message %= tuple(_safe(argument) for argument in record.args)
    elif record.args:
        message %= record.args
    message = message.strip()
    return message.partition("\n")[0] if record.name in _FIRST_LINE_ONLY else message


def _safe(argument: Any) -> Any:
    return told(argument) if isinstance(argument, BaseException) else argument


def _types(error: BaseException | None) -> str:
    """The types of an error and of what caused it."""
    names: list[str] = []
    while error is not None and len(names) < 5:
        names.append(type(error).__name__)
        error = error.__cause__
    return " from ".join(dict.fromkeys(names))
