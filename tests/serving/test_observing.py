"""What the log, the metrics and the records of requests are told."""

import asyncio
from typing import Any

import orjson
import pytest

from serving.logs import AccessLog
from serving.metrics import Metrics
from serving.observing import Observing
from serving.request_record import current
from tests.serving.scrape import Shown

MARK = "erika@example.org"


class Route:
    path = "/v1/conversations/{conversation_id}"


def scope(**more: Any) -> dict[str, Any]:
    return {"method": "GET", "path": f"/v1/conversations/{MARK}", "headers": [], **more}


@pytest.fixture
def lines() -> list[bytes]:
    return []


@pytest.fixture
def observing(lines: list[bytes]) -> Observing:
    return Observing(Metrics(build="1"), AccessLog(lines.append))


def request(observing: Observing, *calls: Any, status: int = 200, **more: Any) -> None:
    """One request from beginning to end, in a task of its own."""

    async def answer() -> None:
        asked = scope(**more)
        observing.begin(asked)
        for call in calls:
            call()
        observing.finish(asked, status, 0.25)

    asyncio.run(answer())


def test_what_is_known_of_a_request_is_told_in_its_line(
    observing: Observing, lines: list[bytes]
) -> None:
    def answered() -> None:
        record = current.get()
        assert record is not None
        record.conversation, record.version, record.arm = "conv_1", "support-base", None

    request(observing, answered, method="POST", path="/v1/chat/completions")
    line = orjson.loads(lines[0])
    assert (line["conversation"], line["version"], line["ms"]) == ("conv_1", "support-base", 250)
    assert (line["method"], line["route"]) == ("POST", "/v1/chat/completions")
    assert "arm" not in line  # nothing is told of what there isn't


def test_a_request_is_counted_by_its_template_and_its_path_is_told_nowhere(
    observing: Observing, lines: list[bytes]
) -> None:
    request(observing, route=Route)
    request(observing, status=404)
    shown = Shown(observing.metrics)
    known = "GET /v1/conversations/{conversation_id}"
    assert shown.value("requests_total", route=known, status="200") == 1
    assert shown.value("requests_total", route="other", status="404") == 1
    assert [orjson.loads(line)["route"] for line in lines] == [Route.path, "other"]
    assert MARK not in b"".join(lines).decode()


def test_a_request_that_is_refused_is_counted_by_cause(
    observing: Observing, lines: list[bytes]
) -> None:
    def refuse() -> None:
        record = current.get()
        assert record is not None
        record.refused = "overloaded"

    request(observing, refuse, status=503)
    assert Shown(observing.metrics).value("refusals_total", cause="overloaded") == 1
    assert orjson.loads(lines[0])["refused"] == "overloaded"


def test_requests_in_flight_go_up_and_down(observing: Observing) -> None:
    async def two() -> None:
        first, second = scope(), scope()
        observing.begin(first)
        observing.begin(second)
        assert Shown(observing.metrics).value("requests_in_flight") == 2
        observing.finish(first, 200, 0.1)
        observing.finish(second, 499, 0.1)
        assert Shown(observing.metrics).value("requests_in_flight") == 0

    asyncio.run(two())


@pytest.mark.parametrize(("status", "logged"), [(200, 0), (503, 1)])
def test_probes_are_logged_only_when_they_fail(
    observing: Observing, lines: list[bytes], status: int, logged: int
) -> None:
    class Ready:
        path = "/health/ready"

    request(observing, route=Ready, status=status)
    assert len(lines) == logged
    found = Shown(observing.metrics).value(
        "requests_total", route="GET /health/ready", status=str(status)
    )
    assert found == 1


def test_without_an_access_log_all_else_is_counted() -> None:
    observing = Observing(Metrics(build="1"))
    request(observing, route=Route)
    route = f"GET {Route.path}"
    assert Shown(observing.metrics).value("requests_total", route=route, status="200") == 1
