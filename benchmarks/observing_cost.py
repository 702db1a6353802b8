"""What counting, logging and tracing add to one answer, in microseconds of one core.

python benchmarks/observing_cost.py
"""

import logging
import os
import time
from collections.abc import Callable

from serving.logs import AccessLog, as_json
from serving.metrics import Metrics, exposition
from serving.observing import Observing
from serving.tracing import OFF, tracing_to

ROUNDS, CALLS = 7, 20_000
HEADERS = [
    (b"host", b"127.0.0.1:8000"), (b"accept", b"*/*"), (b"authorization", b"Bearer k"),
    (b"content-type", b"application/json"), (b"content-length", b"120"),
    (b"user-agent", b"OpenAI/Python"), (b"x-stainless-lang", b"python"),
]  # fmt: skip


class Route:
    """What a router leaves in the scope."""

    path = "/v1/chat/completions"


def microseconds(call: Callable[[], object]) -> float:
    """The least of some rounds: what the call costs where nothing else disturbs it."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = min(best, (time.perf_counter() - begun) / CALLS)
    return best * 1e6


def main() -> None:
    metrics = Metrics(build="bench")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    log = AccessLog(lambda line: os.write(nowhere, line), as_json)
    waits = [0.004] * 16

    def answered() -> None:
        metrics.answered(
            assistant="support", version="support-3f9c2a71d0e4", arm="challenger",
            status="complete", first_token_ms=41.0, duration_ms=850.0, prompt_tokens=812,
            completion_tokens=96,
        )  # fmt: skip

    def request() -> None:
        metrics.request("POST /v1/chat/completions", 200, 0.85)

    def line() -> None:
        log.line(
            request="req_0123456789", method="POST", route="/v1/chat/completions", key="webshop",
            assistant="support", conversation="conv_01j9zk4m8w3v6t5r2q1p0n7x8y",
            turn="turn_01j9zk4m8w3v6t5r2q1p0n7x8y", version="support-3f9c2a71d0e4",
            arm="challenger", answer="complete", first_token_ms=41.0, status=200, ms=850.0,
        )  # fmt: skip

    def around(observing: Observing) -> Callable[[], None]:
        tracing = observing.tracing

        def call() -> None:
            scope = {"method": "POST", "path": Route.path, "headers": HEADERS, "route": Route}
            record = observing.begin(scope)
            with tracing.span("choose version"):
                pass
            with tracing.span("engine", gen_ai__request__model="support-base") as span:
                span.event("first token")
            with tracing.span("record"):
                pass
            record.conversation, record.turn = "conv_01j9zk4m8w", "turn_01j9zk4m8w"
            record.version, record.answer, record.key = "support-base", "complete", "webshop"
            observing.finish(scope, 200, 0.85)

        return call

    def span() -> None:
        with OFF.span("engine", version="support-base"):
            pass

    nobody = "http://127.0.0.1:1"
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    traced = Observing(metrics, log, tracing_to(nobody, build="bench"))
    os.environ |= {
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01",
    }  # fmt: skip
    sampled = Observing(metrics, log, tracing_to(nobody, build="bench"))
    counted = microseconds(answered) + microseconds(request)
    rows = [
        ("metrics: one request and one answer", counted),
        (
            "metrics: one record of a group of 16",
            microseconds(lambda: metrics.recorded(waits)) / 16,
        ),
        ("log: one line (to /dev/null)", microseconds(line)),
        ("tracing off: one span", microseconds(span)),
        ("a whole request, without log", microseconds(around(Observing(metrics)))),
        ("a whole request, with log", microseconds(around(Observing(metrics, log)))),
        ("a whole request, with log and traces", microseconds(around(traced))),
        ("a whole request, with log and 1 % of traces", microseconds(around(sampled))),
    ]
    for number in range(50):
        metrics.answered(
            assistant="support", version=f"support-{number}", arm=None, status="complete",
            first_token_ms=1.0, duration_ms=1.0, prompt_tokens=1, completion_tokens=1,
        )  # fmt: skip
    begun = time.perf_counter()
    write, _ = exposition(metrics, "")
    read = time.perf_counter()
    size = len(write())
    written = time.perf_counter()
    traced.tracing.close()
    sampled.tracing.close()
    print("what                                            µs")
    for name, cost in rows:
        print(f"{name:42} {cost:8.2f}")
    print(
        f"a scrape of 51 versions ({size / 1e3:.0f} kB): {(read - begun) * 1e3:.1f} ms in the "
        f"event loop, {(written - read) * 1e3:.1f} ms on a thread"
    )


if __name__ == "__main__":
    main()
