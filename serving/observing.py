"""What is told of each request when it begins and ends: to the log, the metrics and the tracing."""

from dataclasses import dataclass
from typing import Any

from serving import request_record
from serving.logs import AccessLog
from serving.metrics import Metrics
from serving.request_record import RequestRecord, record_of
from serving.tallies import OTHER
from serving.tracing import OFF, Tracing

_QUIET = ("/health/live", "/health/ready", "/metrics")
"""Asked for every few seconds; their lines are left out of the log while all is well."""
_DIRECT = frozenset({"/v1/chat/completions"})
"""Paths that are their own template, and are answered past the router."""
_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class Observing:
    """Follows requests from outside everything that answers them."""

    metrics: Metrics
    access_log: AccessLog | None = None
    tracing: Tracing = OFF

    def begin(self, scope: Any) -> RequestRecord:
        """A request has come in; its record. To be called in the task that answers it."""
        record = request_record.begin(scope)
        self.metrics.in_flight += 1
        self.tracing.begin(scope)
        return record

    def finish(self, scope: Any, status: int, seconds: float) -> None:
        """A request is over; `status` is 499 where nobody was left to be answered."""
        record = record_of(scope)
        record.route = record.route or _template(scope)
        name = f"{record.method} {record.route}" if record.route != OTHER else OTHER
        self.metrics.in_flight -= 1
        self.metrics.request(name, status, seconds)
        if record.refused is not None:
            self.metrics.refused(record.refused)
        if self.tracing is not OFF:
            self.tracing.finish(scope, name=name, status=status, fields=record.fields)
        if self.access_log is not None and (status >= _FIRST_ERROR or record.route not in _QUIET):
            self.access_log.line(**record.fields, status=status, ms=round(seconds * 1000, 3))


def _template(scope: Any) -> str:
    """The template of a path that some route knows: a path itself may name a customer."""
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    return scope["path"] if scope["path"] in _DIRECT else OTHER
