"""What protection adds to one answer, in microseconds of one core.

python benchmarks/protection_cost.py
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from records.states import KeyScope
from serving.access import Access, Caller
from serving.admission import Admission
from serving.front import Front
from serving.limits import Rate
from serving.parameters import check_parameters
from serving.patience import within
from serving.problems import Problems

ROUNDS, CALLS = 7, 20_000
HEADERS = [
    (b"host", b"127.0.0.1:8000"), (b"accept", b"*/*"), (b"authorization", b"Bearer us-x"),
    (b"content-type", b"application/json"), (b"content-length", b"120"),
    (b"user-agent", b"OpenAI/Python"), (b"x-stainless-lang", b"python"),
]  # fmt: skip
BODY = {"type": "http.request", "body": b"x" * 120, "more_body": False}
REQUEST = {
    "model": "support", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.3,
    "max_tokens": 200, "stream": True, "user": "ada",
}  # fmt: skip


async def microseconds(call: Callable[[], Awaitable[object]]) -> float:
    """The least of some rounds: what the call costs where nothing else disturbs it."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(CALLS):
            await call()
        best = min(best, (time.perf_counter() - begun) / CALLS)
    return best * 1e6


async def answer(_scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer, in two messages."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def receive() -> Any:
    """What the server gives."""
    return BODY


async def send(_message: Any) -> None:
    """What the server takes."""


def _scope() -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": HEADERS,
    }  # fmt: skip


def known_access() -> Access:
    """Access that needs no database, for a key that is this machine's own."""
    return Access(
        None,  # type: ignore[arg-type]
        admin_key="us-admin",
        customer_key="us-x",
        cache_seconds=5,
    )


async def measure() -> None:
    """Print a line for each part."""
    front = Front(
        answer,
        problems=Problems(retry_after_seconds=1),
        most_body_bytes=1_000_000,
        body_seconds=30,
        send_seconds=30,
        direct={("POST", "/v1/chat/completions"): answer},
    )
    access = known_access()
    caller: Caller = await access.require(b"Bearer us-x", KeyScope.CUSTOMER)
    limited = Caller("shop", KeyScope.CUSTOMER, "key_1", Rate(10**9, 1_000))
    admission = Admission(
        customer=Rate(10**9, 8), most=1_000, most_per_engine=512, engines=lambda: 1
    )

    async def bare() -> None:
        await answer(_scope(), receive, send)

    async def fronted() -> None:
        await front(_scope(), receive, send)

    async def known() -> None:
        access.known(b"Bearer us-x")

    async def admitted(who: Caller) -> None:
        with admission.admit(who, "ada"):
            pass

    async def told() -> None:
        with admission.admit(limited, "ada") as entry:
            _ = entry.headers

    async def nothing() -> None:
        pass

    base = await microseconds(nothing)
    rows = [
        (
            "front: id, body, headers, errors",
            await microseconds(fronted) - await microseconds(bare),
        ),
        ("access: key that is known", await microseconds(known) - base),
        ("admission: customer's share", await microseconds(lambda: admitted(caller)) - base),
        ("admission: both shares", await microseconds(lambda: admitted(limited)) - base),
        ("admission: both, with headers", await microseconds(told) - base),
        ("parameters", await microseconds(_checked) - base),
        ("send: one piece of a stream", await microseconds(_guarded) - await microseconds(_plain)),
    ]
    for name, cost in rows:
        print(f"{name:34} {cost:6.2f} µs")


async def _checked() -> None:
    check_parameters(REQUEST)


async def _plain() -> None:
    await send(BODY)


async def _guarded() -> None:
    await within(30, send(BODY))


if __name__ == "__main__":
    uvloop.run(measure())
