"""The load generator: a process of its own that asks one server and says how it answered.

It reads a plan as JSON from its input and prints a result as JSON. `measure` does both.
"""

import asyncio
import gc
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import uvloop

from benchmarks.serving.client import Answer, Connection, failures_of, request_bytes

_ROOT = Path(__file__).resolve().parent.parent.parent
_PATIENCE_SECONDS = 180


class Arrival(StrEnum):
    """When requests are sent."""

    LOOP = "loop"
    """Each connection asks again as soon as it has its answer."""
    SPREAD = "spread"
    """The same, but the connections begin one after another, over `spread_seconds`."""
    WAVES = "waves"
    """All connections ask at the same moment, and again when all have their answers."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask whom, how often."""

    url: str
    key: str
    bodies: Sequence[dict[str, Any]]
    """Sent in turn."""
    concurrency: int
    seconds: float
    warm_up_seconds: float
    text: str | None = None
    """What every answer must say."""
    arrival: Arrival = Arrival.LOOP
    spread_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What came back in the measured time. Latencies are of whole answers."""

    seconds: float
    answers: int
    per_second: float
    p50_ms: float
    p99_ms: float
    first_text_p50_ms: float
    first_text_p99_ms: float
    chunks_per_second: float
    chunks_per_answer: float
    tokens_per_second: float
    cpu_seconds: float
    """Of the load generator itself."""
    answers_in_all: int
    """Good answers, those of the warm-up and the end included: so many must be recorded."""
    failures: dict[str, int] = field(default_factory=dict)


def measure(plan: Plan) -> Result:
    """Run a plan in a process of its own.

    Raises:
        SystemExit: answers never end.
    """
    limit = plan.warm_up_seconds + plan.spread_seconds + plan.seconds + _PATIENCE_SECONDS
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.serving.load"],
            input=orjson.dumps(plan), stdout=subprocess.PIPE, check=True, timeout=limit, cwd=_ROOT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise SystemExit(f"The server at {plan.url} leaves requests without an answer.") from error
    return Result(**orjson.loads(done.stdout))


class Generator:
    """Runs one plan."""

    def __init__(self, plan: Plan) -> None:
        """Nothing is sent yet."""
        self._plan = plan
        self._requests: Iterator[bytes] = itertools.cycle(
            [request_bytes(plan.url, body, key=plan.key) for body in plan.bodies]
        )
        self._answers: list[Answer] = []
        self._end = 0.0

    async def run(self) -> Result:
        """Ask until the time is over and every answer is there."""
        plan = self._plan
        connections = [Connection(plan.url) for _ in range(plan.concurrency)]
        begin = time.perf_counter() + plan.warm_up_seconds + plan.spread_seconds
        self._end = begin + plan.seconds
        if plan.arrival is Arrival.WAVES:
            seconds, counted = await self._waves(connections, begin)
        else:
            pause = plan.spread_seconds / plan.concurrency
            await asyncio.gather(
                *(self._loop(c, wait=index * pause) for index, c in enumerate(connections))
            )
            seconds = plan.seconds
            counted = [a for a in self._answers if begin <= a.began + a.seconds < self._end]
        for connection in connections:
            connection.close()
        return _result(self._answers, counted, seconds=seconds)

    async def _ask(self, connection: Connection) -> None:
        answer = await connection.ask(next(self._requests), text=self._plan.text)
        self._answers.append(answer)
        if answer.failure:
            await asyncio.sleep(0.05)  # refusals must not become a storm

    async def _loop(self, connection: Connection, *, wait: float) -> None:
        await asyncio.sleep(wait)
        while time.perf_counter() < self._end:
            await self._ask(connection)

    async def _waves(
        self, connections: list[Connection], begin: float
    ) -> tuple[float, list[Answer]]:
        """Waves until the time is over; the first ones, at least one, warm up."""
        while True:
            await asyncio.gather(*map(self._ask, connections))
            if time.perf_counter() >= begin:
                break
        before, began = len(self._answers), time.perf_counter()
        while True:
            await asyncio.gather(*map(self._ask, connections))
            if time.perf_counter() - began >= self._plan.seconds:
                return time.perf_counter() - began, self._answers[before:]


def _result(everything: list[Answer], counted: list[Answer], *, seconds: float) -> Result:
    good = [answer for answer in counted if not answer.failure]
    whole = sorted(answer.seconds for answer in good)
    first = sorted(a.first_text_seconds for a in good if a.first_text_seconds is not None)
    chunks = sum(answer.chunks for answer in good)
    return Result(
        seconds=seconds,
        answers=len(good),
        per_second=len(good) / seconds,
        p50_ms=_quantile(whole, 0.5) * 1000,
        p99_ms=_quantile(whole, 0.99) * 1000,
        first_text_p50_ms=_quantile(first, 0.5) * 1000,
        first_text_p99_ms=_quantile(first, 0.99) * 1000,
        chunks_per_second=chunks / seconds,
        chunks_per_answer=chunks / max(1, len(good)),
        tokens_per_second=sum(answer.tokens for answer in good) / seconds,
        cpu_seconds=time.process_time(),
        answers_in_all=sum(not answer.failure for answer in everything),
        failures=failures_of(everything),
    )


def _quantile(ordered: list[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed; 0 where there are none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Run the plan that comes in."""
    content = orjson.loads(sys.stdin.buffer.read())
    plan = Plan(**{**content, "arrival": Arrival(content["arrival"])})
    gc.freeze()
    result = uvloop.run(Generator(plan).run())
    sys.stdout.buffer.write(orjson.dumps(result))


if __name__ == "__main__":
    main()
