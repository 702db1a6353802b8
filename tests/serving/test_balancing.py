"""Which engine gets a request: the one that knows the conversation, unless it is too busy."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from serving.balancing import pick

CONVERSATIONS = [f"conv_{i}" for i in range(3_000)]


@dataclass(eq=False)
class Engine:
    name: bytes
    busy: int = 0


def engines(*busy: int) -> list[Engine]:
    return [Engine(f"http://10.0.0.{i}:8000".encode(), b) for i, b in enumerate(busy)]


busy = st.lists(st.integers(0, 50), min_size=1, max_size=6)


@given(busy)
def test_without_a_conversation_the_least_busy_engine_is_taken(found: list[int]) -> None:
    assert pick(engines(*found), "").busy == min(found)


@given(busy, st.text(min_size=1), st.integers(0, 10))
def test_an_engine_that_is_much_busier_than_another_is_never_taken(
    found: list[int], conversation: str, slack: int
) -> None:
    assert pick(engines(*found), conversation, slack=slack).busy <= min(found) + slack


@given(st.text(min_size=1), st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_a_conversation_stays_on_its_engine_while_that_is_a_little_busier(
    conversation: str, found: list[int]
) -> None:
    idle = engines(0, 0, 0)
    own = pick(idle, conversation)
    for engine, busy in zip(idle, found, strict=True):
        engine.busy = busy
    assert pick(idle, conversation) is own
    assert pick(idle[::-1], conversation) is own


def test_conversations_are_spread_evenly_over_engines() -> None:
    found = engines(0, 0, 0)
    taken = Counter(pick(found, c).name for c in CONVERSATIONS)
    assert all(abs(n - 1_000) < 3 * (3_000 * 2 / 9) ** 0.5 for n in taken.values())


def test_an_engine_that_is_lost_moves_only_its_own_conversations() -> None:
    found = engines(0, 0, 0)
    for conversation in CONVERSATIONS:
        own = pick(found, conversation)
        if own is not found[2]:
            assert pick(found[:2], conversation) is own
