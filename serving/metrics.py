"""The gateway's metrics: counted by plain numbers, put into Prometheus' form when asked for.

One `Metrics` belongs to one gateway; nothing is global, so that two gateways in one process count
apart. Label values come from the assistant's files, the records and closed sets of words, never
from what a client sent; where a set grows all the same, it ends in "other".
"""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from serving.tallies import OTHER, SIZES, AnswerTally, Distribution, RouteTally, child, count

PREFIX = "understudy_"
NONE = "none"
"""The version or arm of an answer that has none (a fixed sentence; no experiment)."""

Labels = tuple[str, ...]
Readings = float | Iterable[tuple[Labels, float]]
"""What a watched callback returns: one value, or one for each combination of labels."""

_ARM = ("assistant", "version", "arm")


class Kind(StrEnum):
    """What a watched value is."""

    GAUGE = "gauge"
    COUNTER = "counter"
    """It only grows; its name is shown with `_total`."""


@dataclass(frozen=True, slots=True)
class _Watched:
    help: str
    callback: Callable[[], Readings]
    labels: Labels
    kind: Kind


class Metrics:
    """Counts what happens; shows it with what it reads from the parts of the gateway."""

    def __init__(self, *, build: str) -> None:
        """`build` is the program's version, shown by a metric of its own."""
        self.in_flight = 0
        """Requests being answered now; kept by who begins and ends them."""
        self._build = build
        self._answers: dict[tuple[str | None, str | None, str | None], AnswerTally] = {}
        self._routes: dict[str, RouteTally] = {}
        self._refusals: dict[str, int] = {}
        self._recording = Distribution()
        self._groups = Distribution(SIZES)
        self._watched: dict[str, _Watched] = {}
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is its method and the template of its path."""
        tally = self._routes.get(route) or child(self._routes, route, other=OTHER, make=RouteTally)
        statuses = tally.statuses
        statuses[status] = statuses.get(status, 0) + 1
        tally.duration.add(seconds)

    def answered(
        self,
        *,
        assistant: str,
        version: str | None,
        arm: str | None,
        status: str,
        first_token_ms: float | None,
        duration_ms: float,
        prompt_tokens: int | None,
        completion_tokens: int | None,
    ) -> None:
        """Count an answer, with its first token where it was streamed."""
        tally = self._answers.get((assistant, version, arm)) or self._arm(assistant, version, arm)
        statuses = tally.statuses
        statuses[status] = statuses.get(status, 0) + 1
        tally.duration.add(duration_ms / 1000)
        if first_token_ms is not None:
            tally.first_token.add(first_token_ms / 1000)
        tally.prompt_tokens += prompt_tokens or 0
        tally.completion_tokens += completion_tokens or 0

    def escalated(
        self, *, assistant: str, reason: str, version: str | None = None, arm: str | None = None
    ) -> None:
        """Count a conversation that goes to a person."""
        count(self._arm(assistant, version, arm).reasons, reason)

    def refused(self, cause: str) -> None:
        """Count a request that got an error; `cause` is the error's code."""
        count(self._refusals, cause)

    def recorded(self, waits: Sequence[float]) -> None:
        """Count a group of records that is durable now; `waits` are the seconds each has waited."""
        self._groups.add(len(waits))
        for seconds in waits:
            self._recording.add(seconds)

    def watch(
        self,
        name: str,
        help_: str,
        callback: Callable[[], Readings],
        *,
        labels: Labels = (),
        kind: Kind = Kind.GAUGE,
    ) -> None:
        """Show what `callback` returns, read each time the metrics are asked for.

        It is called in the event loop's thread, and returns a number or, with `labels`, pairs of
        label values and number.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._watched:
            raise ValueError(f"{name} is watched already")
        self._watched[name] = _Watched(help_, callback, labels, kind)

    def collect(self) -> Iterator[Metric]:
        """All metrics as prometheus_client wants them; it calls this."""
        yield InfoMetricFamily(
            f"{PREFIX}build",
            "The program that runs.",
            {"version": self._build, "python": platform.python_version()},
        )
        yield _gauge("requests_in_flight", "Requests being answered now.", self.in_flight)
        yield from self._of_requests()
        yield from self._of_answers()
        yield from self._of_records()
        for name, watched in self._watched.items():
            yield _read(name, watched)

    def _arm(self, assistant: str, version: str | None, arm: str | None) -> AnswerTally:
        key, other = (assistant, version, arm), (assistant, OTHER, OTHER)
        return child(self._answers, key, other=other, make=AnswerTally)

    def _of_requests(self) -> Iterator[Metric]:
        requests = _counter("requests", "Requests by route and status.", ("route", "status"))
        seconds = _histogram(
            "request_seconds", "Time until a response was sent whole, by route.", ("route",)
        )
        for route, tally in self._routes.items():
            for status, number in tally.statuses.items():
                requests.add_metric((route, str(status)), number)
            _fill(seconds, (route,), tally.duration)
        refusals = _counter("refusals", "Requests that got an error, by its code.", ("cause",))
        for cause, number in self._refusals.items():
            refusals.add_metric((cause,), number)
        yield from (requests, seconds, refusals)

    def _of_answers(self) -> Iterator[Metric]:
        answers = _counter("answers", "Answers by how they came about.", (*_ARM, "status"))
        escalations = _counter("escalations", "Hand-overs to a person.", (*_ARM, "reason"))
        first = _histogram("first_token_seconds", "Time to a streamed answer's first text.", _ARM)
        whole = _histogram("answer_seconds", "Time until an answer was complete.", _ARM)
        prompt = _counter("prompt_tokens", "Tokens that engines read.", _ARM)
        completion = _counter("completion_tokens", "Tokens that engines wrote.", _ARM)
        for key, tally in self._answers.items():
            labels = tuple(part or NONE for part in key)
            _spread(answers, labels, tally.statuses)
            _spread(escalations, labels, tally.reasons)
            _fill(first, labels, tally.first_token)
            _fill(whole, labels, tally.duration)
            prompt.add_metric(labels, tally.prompt_tokens)
            completion.add_metric(labels, tally.completion_tokens)
        yield from (answers, escalations, first, whole, prompt, completion)

    def _of_records(self) -> Iterator[Metric]:
        lag = _histogram("recording_seconds", "Time from submitting a record until it was durable.")
        _fill(lag, (), self._recording)
        groups = _histogram("recording_group_size", "Records made durable by one commit.")
        _fill(groups, (), self._groups)
        yield from (lag, groups)


class _Collected:
    """Metrics that were collected, to be written elsewhere than where they were read."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def exposition(metrics: Metrics, accept: str) -> tuple[Callable[[], bytes], str]:
    """What writes the metrics as a scraper accepts them, and the content type.

    They are read at once, in the event loop's thread where they are counted; the returned writer
    takes longer and may run on any thread.
    """
    encode, content_type = choose_encoder(accept)
    collected = _Collected(list(metrics.registry.collect()))
    return lambda: encode(collected), content_type


def _read(name: str, watched: _Watched) -> Metric:
    family = (
        _counter(name, watched.help, watched.labels)
        if watched.kind is Kind.COUNTER
        else _gauge(name, watched.help, labels=watched.labels)
    )
    found = watched.callback()
    readings = [((), found)] if isinstance(found, int | float) else found
    for labels, value in readings:
        family.add_metric(labels, value)
    return family


def _counter(name: str, help_: str, labels: Labels = ()) -> CounterMetricFamily:
    return CounterMetricFamily(PREFIX + name, help_, labels=labels)


def _gauge(
    name: str, help_: str, value: float | None = None, *, labels: Labels | None = None
) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, help_, value, labels=labels)


def _histogram(name: str, help_: str, labels: Labels = ()) -> HistogramMetricFamily:
    return HistogramMetricFamily(PREFIX + name, help_, labels=labels)


def _fill(family: HistogramMetricFamily, labels: Labels, seen: Distribution) -> None:
    buckets = [(_bound(bound), float(number)) for bound, number in seen.cumulative()]
    family.add_metric(labels, buckets, seen.total)


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(float(bound))


def _spread(family: CounterMetricFamily, labels: Labels, counts: Mapping[str, int]) -> None:
    for word, number in counts.items():
        family.add_metric((*labels, word), number)
