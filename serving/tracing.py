"""Where a request's time went, as spans; off unless a collector is named, and then next to free.

Spans hang on the request they belong to, which is found by the task's context. They carry ids,
versions, numbers and types of errors, never what anybody wrote.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from records.errors import ConfigurationError

Attribute = str | int | float | bool | None
"""None is left out."""


class Span(Protocol):
    """A stretch of time, from entering the block to leaving it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def set(self, **attributes: Attribute) -> None:
        """Say something about it; `__` in a name stands for a dot."""

    def event(self, name: str) -> None:
        """Mark a moment in it."""

    @property
    def header_lines(self) -> str:
        """Whole lines of HTTP headers that make a callee's spans part of this one."""


class Tracing(Protocol):
    """Makes spans."""

    def begin(self, scope: Any) -> None:
        """Begin a request's span, as part of the client's trace where it names one."""

    def finish(self, scope: Any, *, name: str, status: int, fields: Mapping[str, Any]) -> None:
        """End a request's span: its name and status, and what its record says."""

    def span(self, name: str, **attributes: Attribute) -> Span:
        """A part of the request that this task answers."""

    def close(self) -> None:
        """Send what waits, within a few seconds."""


class _NoSpan:
    """Nothing is kept."""

    header_lines = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set(self, **attributes: Attribute) -> None:
        return None

    def event(self, name: str) -> None:
        return None


NO_SPAN: Span = _NoSpan()


class _NoTracing:
    """Tracing is off."""

    def begin(self, scope: Any) -> None:
        return None

    def finish(self, scope: Any, *, name: str, status: int, fields: Mapping[str, Any]) -> None:
        return None

    def span(self, name: str, **attributes: Attribute) -> Span:
        return NO_SPAN

    def close(self) -> None:
        return None


OFF: Tracing = _NoTracing()


def tracing_to(endpoint: str | None, *, build: str) -> Tracing:
    """Tracing that sends to the collector at `endpoint` by OTLP over HTTP; off where it is None.

    OpenTelemetry's own variables for headers, sampling and resource hold too.

    Raises:
        ConfigurationError: a collector is named, but OpenTelemetry is not installed.
    """
    if not endpoint:
        return OFF
    try:
        from serving.spans import OpenTelemetry
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed. "
            "Run: pip install 'understudy[tracing]', or unset it."
        ) from error
    return OpenTelemetry(endpoint, build=build)
