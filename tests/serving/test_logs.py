"""What is logged, in which form, and what never is."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import orjson
import pytest

from records.errors import (
    AdapterTampered,
    EngineRefused,
    EngineUnavailable,
    InvalidInput,
    NotFound,
    StorageFull,
)
from serving import logs
from serving.logs import AccessLog, Gathered, LineHandler, LogFormat, as_json, as_text, told
from serving.request_record import begin
from tests.serving.running_gateway import until

MARK = "erika@example.org"


@pytest.fixture
def lines() -> list[bytes]:
    return []


@pytest.fixture
def log(lines: list[bytes]) -> Iterator[logging.Logger]:
    """A logger whose lines go to `lines` as JSON."""
    logger = logging.getLogger("understudy.test")
    handler = LineHandler(lines.append, as_json)
    logger.addHandler(handler)
    logger.propagate = False
    yield logger
    logger.propagate = True
    logger.removeHandler(handler)


def test_a_request_is_one_line_of_json(lines: list[bytes]) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
    AccessLog(lines.append, clock=lambda: at).line(route="/v1/models", status=200, ms=1.5)
    (line,) = lines
    assert line.endswith(b"\n")
    assert orjson.loads(line) == {
        "time": "2026-01-02T03:04:05.000600Z", "level": "info", "message": "request",
        "route": "/v1/models", "status": 200, "ms": 1.5,
    }  # fmt: skip


def test_text_is_for_people(lines: list[bytes]) -> None:
    AccessLog(lines.append, as_text).line(
        method="GET", route="/v1/models", status=200, key="webshop"
    )
    assert b"info    request GET /v1/models 200 key=webshop\n" in lines[0]


async def test_lines_inside_a_request_carry_its_ids(
    lines: list[bytes], log: logging.Logger
) -> None:
    async def answer() -> None:
        record = begin({"method": "POST", "headers": [(b"x-request-id", b"r-1")]})
        log.warning("before")
        record.conversation, record.key = "conv_1", "webshop"
        log.warning("after %d", 2)

    await asyncio.create_task(answer())
    log.warning("outside")
    before, after, outside = map(orjson.loads, lines)
    assert (before["request"], before["level"]) == ("r-1", "warning")
    assert "conversation" not in before
    assert (after["message"], after["request"], after["conversation"]) == (
        "after 2",
        "r-1",
        "conv_1",
    )
    assert "request" not in outside


def test_an_exceptions_words_are_not_logged_but_its_type_and_place_are(
    lines: list[bytes], log: logging.Logger
) -> None:
    def fails() -> None:
        try:
            raise KeyError(MARK)
        except KeyError as error:
            raise ValueError(f"bad value {MARK}") from error

    try:
        fails()
    except ValueError as error:
        log.exception("it failed: %s", error)
        log.error(error)
    first, second = map(orjson.loads, lines)
    assert MARK not in b"".join(lines).decode()
    assert first["message"] == "it failed: ValueError from KeyError"
    assert first["error"] == "ValueError from KeyError"
    assert first["trace"][-1].startswith("tests/serving/test_logs.py:")
    assert first["trace"][-1].endswith(" fails")
    assert second["message"] == "ValueError from KeyError"


def test_text_shows_where_an_exception_went_through(lines: list[bytes]) -> None:
    logger = logging.getLogger("understudy.test")
    handler = LineHandler(lines.append, as_text)
    logger.addHandler(handler)
    try:
        raise ValueError(MARK)
    except ValueError:
        logger.exception("no")
    finally:
        logger.removeHandler(handler)
    text = lines[0].decode()
    assert MARK not in text
    assert "\n    tests/serving/test_logs.py:" in text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StorageFull("The database has no space left."), "The database has no space left."),
        (AdapterTampered("support-1 was changed."), "support-1 was changed."),
        (
            EngineUnavailable(f"The engine failed (500): {MARK}"),
            "The engine failed (500) (EngineUnavailable)",
        ),
        (
            EngineUnavailable("No engine is ready for support-1."),
            "No engine is ready for support-1 (EngineUnavailable)",
        ),
        (EngineRefused(f"too long: {MARK}"), "EngineRefused"),
        (InvalidInput(f"{MARK} cannot be used"), "InvalidInput"),
        (NotFound(f"No conversation {MARK!r}."), "NotFound"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            "ConnectionRefusedError: Connection refused",
        ),
        (FileNotFoundError(2, "No such file", MARK), "FileNotFoundError: No such file"),
        (OSError(MARK), "OSError"),
        (RuntimeError(MARK), "RuntimeError"),
    ],
)
def test_only_our_own_words_are_told_of_an_error(error: Exception, text: str) -> None:
    assert told(error) == text
    assert MARK not in text


async def test_a_task_that_failed_unseen_is_logged_without_its_words(lines: list[bytes]) -> None:
    logger = logging.getLogger("asyncio")
    handler = LineHandler(lines.append, as_json)
    logger.addHandler(handler)
    try:
        loop = asyncio.get_running_loop()
        error = ValueError(MARK)
        loop.call_exception_handler(
            {"message": "Task exception was never retrieved", "exception": error, "future": MARK}
        )
    finally:
        logger.removeHandler(handler)
    assert orjson.loads(lines[0])["message"] == "Task exception was never retrieved"
    assert MARK not in lines[0].decode()


def test_what_cannot_be_logged_is_told_without_its_arguments(lines: list[bytes]) -> None:
    record = logging.LogRecord("x.y", logging.WARNING, "/a/b.py", 7, "%d answers", (MARK,), None)
    LineHandler(lines.append, as_json).handle(record)
    assert lines == [b"a line of x.y (b.py:7) could not be logged\n"]


@pytest.fixture
def whole_logging() -> Iterator[None]:
    """Puts the process's logging back as it was."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)


@pytest.mark.usefixtures("whole_logging")
@pytest.mark.parametrize(
    ("form", "terminal", "json"),
    [
        (None, False, True),
        (None, True, False),
        (LogFormat.JSON, True, True),
        (LogFormat.TEXT, False, False),
    ],
)
async def test_a_terminal_gets_text_and_everything_else_json_unless_told(
    form: LogFormat | None,
    terminal: bool,
    json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    access_log = logs.set_up(form=form, level="info")
    assert access_log is not None
    access_log.line(status=200)
    logging.getLogger("uvicorn.error").info("Started %s", "server")
    shown = capfd.readouterr().err.splitlines()
    assert len(shown) == 2
    assert all(line.startswith("{") == json for line in shown)


@pytest.mark.usefixtures("whole_logging")
def test_requests_are_not_logged_below_the_level() -> None:
    assert logs.set_up(form=None, level="warning") is None


@pytest.mark.usefixtures("whole_logging")
def test_a_thread_that_dies_is_logged_without_its_words(capfd: pytest.CaptureFixture[str]) -> None:
    logs.set_up(form=LogFormat.JSON, level="info")

    def die() -> None:
        raise ValueError(MARK)

    thread = threading.Thread(target=die, name="worker 1")
    thread.start()
    thread.join()
    line = orjson.loads(capfd.readouterr().err)
    assert (line["message"], line["error"]) == ("the thread worker 1 has died", "ValueError")


async def test_lines_of_requests_are_written_together_and_in_order_with_others(
    lines: list[bytes],
) -> None:
    gathered = Gathered(lines.append, seconds=0.01)
    gathered.write(b"1\n")
    gathered.write(b"2\n")
    assert lines == []
    await until(lambda: lines)
    assert lines == [b"1\n2\n"]
    gathered.write(b"3\n")
    await asyncio.to_thread(gathered.write_now, b"a warning\n")
    assert lines[1:] == [b"3\na warning\n"]
    gathered.flush()
    assert len(lines) == 2


def test_a_log_that_nobody_reads_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_fd: int, _data: bytes) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("os.write", broken)
    write: Callable[[bytes], object] = logs._to_stderr
    write(b"line\n")
