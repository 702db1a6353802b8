"""Who is let in: shares of keys and customers, and room in this process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from records.errors import Overloaded, RateLimited
from records.states import KeyScope
from serving.access import Caller
from serving.admission import Admission
from serving.limits import NO_LIMIT, Rate


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def caller(name: str = "shop", rate: Rate = NO_LIMIT) -> Caller:
    return Caller(name, KeyScope.CUSTOMER, f"key_{name}", rate)


def admission(
    *, customer: Rate = NO_LIMIT, most: int = 100, per_engine: int = 100, engines: int = 1
) -> tuple[Admission, Clock]:
    clock = Clock()
    return Admission(
        customer=customer, most=most, most_per_engine=per_engine, engines=lambda: engines,
        clock=clock,
    ), clock  # fmt: skip


@contextmanager
def running(gate: Admission, who: Caller, *customers: str | None) -> Iterator[None]:
    with ExitStack() as stack:
        for customer in customers:
            stack.enter_context(gate.admit(who, customer))
        yield


def test_a_customer_has_a_share_whatever_key_it_comes_with() -> None:
    gate, clock = admission(customer=Rate(per_minute=2))
    for shop in ("one", "two"):
        gate.admit(caller(shop), "ada").release()
    with pytest.raises(RateLimited, match="of this customer: 2 a minute") as refused:
        gate.admit(caller("three"), "ada")
    gate.admit(caller("three"), "bob").release()
    gate.admit(caller("three"), None).release()
    assert refused.value.retry_after_seconds == pytest.approx(30)
    assert refused.value.headers["x-ratelimit-remaining-requests"] == "0"
    clock.now += 30
    gate.admit(caller(), "ada").release()


def test_a_key_has_its_own_share() -> None:
    gate, _ = admission()
    who = caller(rate=Rate(per_minute=1))
    gate.admit(who, "ada").release()
    with pytest.raises(RateLimited, match="of this API key: 1 a minute"):
        gate.admit(who, "bob")
    gate.admit(caller("other", Rate(per_minute=1)), "bob").release()


def test_so_many_at_once_and_no_more() -> None:
    gate, _ = admission(customer=Rate(at_once=2))
    with running(gate, caller(), "ada", "ada", "bob"):
        with pytest.raises(RateLimited, match="at once: 2 are allowed") as refused:
            gate.admit(caller(), "ada")
        assert refused.value.headers == {}
    gate.admit(caller(), "ada").release()


def test_what_is_refused_takes_nothing_of_any_share() -> None:
    gate, _ = admission(customer=Rate(per_minute=1))
    who = caller(rate=Rate(per_minute=3, at_once=1))
    gate.admit(who, "ada").release()
    for _ in range(5):
        with pytest.raises(RateLimited):
            gate.admit(who, "ada")
    assert gate.running == 0
    gate.admit(who, "bob").release()
    gate.admit(who, "eve").release()


def test_beyond_the_room_of_this_process_nothing_is_begun() -> None:
    gate, _ = admission(most=2)
    with running(gate, caller(), "a", "b"):
        with pytest.raises(Overloaded):
            gate.admit(caller(), "c")
        assert gate.running == 2
    gate.admit(caller(), "c").release()


@pytest.mark.parametrize(("engines", "room"), [(0, 3), (1, 3), (2, 6), (4, 10)])
def test_room_grows_with_the_engines_that_are_healthy(engines: int, room: int) -> None:
    gate, _ = admission(most=10, per_engine=3, engines=engines)
    with running(gate, caller(), *map(str, range(room))), pytest.raises(Overloaded):
        gate.admit(caller(), "one more")


def test_a_pass_is_released_once_whatever_happens() -> None:
    gate, _ = admission(customer=Rate(at_once=1))
    entry = gate.admit(caller(), "ada")
    entry.release()
    entry.release()
    assert gate.running == 0
    with pytest.raises(ZeroDivisionError), gate.admit(caller(), "ada"):
        raise ZeroDivisionError
    assert gate.running == 0
    gate.admit(caller(), "ada").release()


def test_the_client_is_told_of_the_scarcer_share() -> None:
    gate, clock = admission(customer=Rate(per_minute=10))
    with gate.admit(caller(rate=Rate(per_minute=600)), "ada") as entry:
        assert entry.headers == {
            "x-ratelimit-limit-requests": "10",
            "x-ratelimit-remaining-requests": "9",
            "x-ratelimit-reset-requests": "6s",
        }
    with gate.admit(caller(rate=Rate(per_minute=2)), "eve") as entry:
        assert entry.headers["x-ratelimit-limit-requests"] == "2"
        clock.now += 90
        assert entry.headers["x-ratelimit-reset-requests"] == "0s"
    with gate.admit(caller(), None) as entry:
        assert entry.headers == {}


def test_a_key_that_gets_a_larger_share_refills_at_its_pace() -> None:
    gate, clock = admission()
    gate.admit(caller(rate=Rate(per_minute=1)), None).release()
    clock.now += 1
    gate.admit(caller(rate=Rate(per_minute=60)), None).release()
