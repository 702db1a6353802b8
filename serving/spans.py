"""Tracing by OpenTelemetry's SDK; imported only where a collector is named.

Spans leave in batches on a thread of the SDK's. If the collector is away, it keeps a bounded
number of them and drops the rest: answers never wait for it. Nothing global of OpenTelemetry's is
set, so that two gateways in one process trace apart.
"""

import threading
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from serving import tracing
from serving.tracing import NO_SPAN, Attribute

_KEY = "understudy.span"
_UNTRACED = ("/health", "/metrics")
"""Asked for every few seconds, and of no interest in a trace."""
_CLOSE_SECONDS = 2.0
_FIRST_SERVER_ERROR = 500
_NAMES = {
    "request": "understudy.request",
    "key": "understudy.key",
    "assistant": "understudy.assistant",
    "conversation": "understudy.conversation",
    "turn": "understudy.turn",
    "version": "understudy.version",
    "arm": "understudy.arm",
    "answer": "understudy.answer",
    "escalated": "understudy.escalated",
    "refused": "understudy.refused",
}
"""A request record's fields that its span takes over, by the attributes they become."""

_parent: ContextVar[Context | None] = ContextVar("span of the request", default=None)
_w3c = TraceContextTextMapPropagator()


class OpenTelemetry:
    """Makes spans and sends them to one collector."""

    def __init__(self, endpoint: str, *, build: str) -> None:
        """`endpoint` is the collector's base URL, as in OTEL_EXPORTER_OTLP_ENDPOINT."""
        resource = Resource.create({"service.version": build})
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "understudy-gateway"}))
        self._exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("understudy", build)

    def begin(self, scope: Any) -> None:
        """Begin a request's span, as part of the client's trace where it names one."""
        if scope["path"].startswith(_UNTRACED):
            return
        span = self._tracer.start_span(
            scope["method"], context=_clients(scope["headers"]), kind=SpanKind.SERVER
        )
        scope[_KEY] = span
        _parent.set(trace.set_span_in_context(span, Context()))

    def finish(self, scope: Any, *, name: str, status: int, fields: Mapping[str, Any]) -> None:
        """End a request's span: its name and status, and what its record says."""
        span: trace.Span | None = scope.get(_KEY)
        if span is None:
            return
        span.update_name(name)
        method, _, route = name.partition(" ")
        span.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                **{_NAMES[key]: value for key, value in fields.items() if key in _NAMES},
            }
        )
        if status >= _FIRST_SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
        span.end()

    def span(self, name: str, **attributes: Attribute) -> tracing.Span:
        """A part of the request that this task answers; nothing where that is not traced."""
        parent = _parent.get()
        if parent is None:
            return NO_SPAN
        kind = SpanKind.CLIENT if name == "engine" else SpanKind.INTERNAL
        return _Span(
            self._tracer.start_span(name, context=parent, kind=kind, attributes=_named(attributes))
        )

    def close(self) -> None:
        """Send what waits, within a few seconds; the SDK alone would try for half a minute."""
        closing = threading.Thread(target=self._provider.shutdown, name="tracing", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)
        if closing.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]


class _Span:
    """A span of a part, which has begun."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()

    def set(self, **attributes: Attribute) -> None:
        self._span.set_attributes(_named(attributes))

    def event(self, name: str) -> None:
        self._span.add_event(name)

    @property
    def header_lines(self) -> str:
        carrier: dict[str, str] = {}
        _w3c.inject(carrier, trace.set_span_in_context(self._span, Context()))
        return "".join(f"{name}: {value}\r\n" for name, value in carrier.items())


def _clients(headers: list[tuple[bytes, bytes]]) -> Context:
    """The client's span, from the headers of the W3C; an empty context where it sent none."""
    carrier = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in headers
        if name in (b"traceparent", b"tracestate")
    }
    return _w3c.extract(carrier, Context()) if carrier else Context()


def _named(attributes: Mapping[str, Attribute]) -> dict[str, str | int | float | bool]:
    return {
        name.replace("__", "."): value for name, value in attributes.items() if value is not None
    }
