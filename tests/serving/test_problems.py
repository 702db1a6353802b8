"""Errors as clients see them: OpenAI's shape and status codes, and nothing of what is inside."""

import logging
from collections.abc import Iterator

import pytest

from records import errors
from serving import problems
from serving.problems import Problems, body_of
from serving.request_record import begin, current

INSIDE = "at postgres://10.0.0.5:5432 in /srv/models"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("error", "status", "type_", "code", "param"),
    [
        (errors.InvalidInput("x", field="n"), 400, "invalid_request_error", "invalid_value", "n"),
        (errors.EngineRefused("x"), 400, "invalid_request_error", "invalid_value", None),
        (errors.Unauthorized("x"), 401, "authentication_error", "invalid_api_key", None),
        (errors.Forbidden("x"), 403, "permission_error", "forbidden", None),
        (problems.OriginRefused("x"), 403, "permission_error", "origin_not_allowed", None),
        (errors.NotFound("x"), 404, "invalid_request_error", "not_found", None),
        (problems.ModelNotFound("x"), 404, "invalid_request_error", "model_not_found", "model"),
        (problems.BodyTooSlow("x"), 408, "invalid_request_error", "request_timeout", None),
        (errors.Conflict("x"), 409, "conflict_error", "conflict", None),
        (errors.AdapterTampered("x"), 409, "conflict_error", "adapter_refused", None),
        (problems.BodyTooLarge("x"), 413, "invalid_request_error", "request_too_large", None),
        (errors.RateLimited("x", retry_after_seconds=1), 429, "requests", "rate_limit_exceeded",
         None),
        (errors.Overloaded("x"), 503, "server_error", "overloaded", None),
        (errors.StorageFull("x"), 503, "server_error", "storage_unavailable", None),
        (errors.EngineUnavailable("x"), 503, "server_error", "engine_unavailable", None),
        (errors.ConfigurationError("x"), 500, "server_error", "internal_error", None),
    ],
)  # fmt: skip
def test_each_error_has_openais_shape(
    error: errors.UnderstudyError, status: int, type_: str, code: str, param: str | None
) -> None:
    answered, body = body_of(error)
    assert answered == status
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert (body["error"]["type"], body["error"]["code"]) == (type_, code)
    assert body["error"]["param"] == param
    assert body["error"]["message"]


def every_error() -> Iterator[type[errors.UnderstudyError]]:
    waiting = [errors.UnderstudyError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        yield kind


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_no_error_goes_unmapped_and_none_of_a_server_says_what_is_inside(
    kind: type[errors.UnderstudyError],
) -> None:
    options = {"retry_after_seconds": 1} if kind is errors.RateLimited else {}
    status, body = body_of(kind(f"broken {INSIDE}", **options))
    if status >= 500 or issubclass(kind, errors.EngineError):
        assert INSIDE not in body["error"]["message"]


def test_clients_are_told_when_to_come_again() -> None:
    told = Problems(retry_after_seconds=2)
    limited = errors.RateLimited("x", retry_after_seconds=0.2, headers={"x-ratelimit-a": "1"})
    assert told.answer(limited).headers == {"x-ratelimit-a": "1", "Retry-After": "1"}
    for error in (errors.Overloaded("x"), errors.StorageFull("x"), errors.EngineUnavailable("x")):
        assert told.answer(error).headers == {"Retry-After": "2"}
    assert told.answer(errors.InvalidInput("x")).headers == {}


def test_what_fails_again_and_again_is_logged_now_and_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    told = Problems(retry_after_seconds=2, clock=clock)
    for _ in range(100):
        told.answer(errors.StorageFull("no space is left"))
        told.answer(errors.InvalidInput("the customer's own words"))
    clock.now += 11
    told.answer(errors.StorageFull("no space is left"))
    lines = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert lines == ["answered 503: no space is left"] * 2


def test_the_requests_record_says_why_it_was_turned_away() -> None:
    begin({"type": "http", "method": "GET", "headers": []})
    Problems(retry_after_seconds=2).answer(errors.Overloaded("x"))
    record = current.get()
    assert record is not None
    assert record.refused == "overloaded"
