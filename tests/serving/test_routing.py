"""Who is answered by what: balance, stickiness, and what holds a conversation to its version."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.places import Spans, divide, places_of
from serving.routing import (
    Arm,
    Choice,
    Experiment,
    Lane,
    Pin,
    Shadow,
    assign,
    champion,
    choose,
    sampled,
)

CUSTOMERS = [f"customer-{i}" for i in range(100_000)]
EXPERIMENTS = ("exp_1", "exp_2", "exp_3")


def experiment(*shares: float, id: str = "exp_1", after: Experiment | None = None) -> Experiment:  # noqa: A002
    """A running experiment, or the same after a ramp to other shares."""
    held: dict[str, Spans] = {arm.name: arm.spans for arm in after.arms} if after else {}
    wanted = {f"arm{i}": places_of(share) for i, share in enumerate(shares)}
    spans = divide(held, wanted)
    return Experiment(id, tuple(Arm(name, f"v{i}", spans[name]) for i, name in enumerate(wanted)))


def arms(running: Experiment) -> dict[str, str | None]:
    return {c: arm.name if (arm := assign(c, running)) else None for c in CUSTOMERS}


def assert_balanced(found: dict[str, str | None], *shares: float) -> None:
    """Each arm has its share of customers, within three sigma."""
    counts = Counter(found.values())
    for index, share in enumerate(shares):
        sigma = math.sqrt(len(CUSTOMERS) * share * (1 - share))
        assert abs(counts[f"arm{index}"] - share * len(CUSTOMERS)) <= 3 * sigma


def always(_: str) -> bool:
    return True


@pytest.mark.parametrize("id", EXPERIMENTS)
@pytest.mark.parametrize("shares", [(0.01,), (0.5, 0.5), (0.1, 0.2), (0.2, 0.3, 0.1)])
def test_arms_get_their_share_within_three_sigma(
    shares: tuple[float, ...],
    id: str,  # noqa: A002
) -> None:
    assert_balanced(arms(experiment(*shares, id=id)), *shares)


@pytest.mark.parametrize("id", EXPERIMENTS)
def test_a_ramp_from_one_to_a_hundred_per_cent_keeps_everyone_who_is_in(id: str) -> None:  # noqa: A002
    running = experiment(0.01, id=id)
    before = arms(running)
    assert_balanced(before, 0.01)
    for share in (0.1, 0.5, 1.0):
        running = experiment(share, id=id, after=running)
        found = arms(running)
        assert_balanced(found, share)
        stayed = sum(found[c] == "arm0" for c in CUSTOMERS if before[c] == "arm0")
        assert stayed == list(before.values()).count("arm0")
        before = found
    assert set(before.values()) == {"arm0"}


def test_of_three_arms_growing_one_takes_only_customers_who_had_none() -> None:
    running = experiment(0.1, 0.2, 0.3)
    before = arms(running)
    found = arms(experiment(0.4, 0.2, 0.3, after=running))
    assert_balanced(found, 0.4, 0.2, 0.3)
    moved = {(before[c], found[c]) for c in CUSTOMERS if before[c] != found[c]}
    assert moved == {(None, "arm0")}


def test_shrinking_an_arm_moves_only_its_own_customers_and_growing_brings_them_back() -> None:
    full = experiment(0.5, 0.3)
    small = experiment(0.1, 0.3, after=full)
    before, found = arms(full), arms(small)
    moved = {(before[c], found[c]) for c in CUSTOMERS if before[c] != found[c]}
    assert moved == {("arm0", None)}
    assert arms(experiment(0.5, 0.3, after=small)) == before


def test_experiments_are_independent() -> None:
    one, two = arms(experiment(0.5)), arms(experiment(0.5, id="exp_2"))
    both = sum(one[c] == two[c] for c in CUSTOMERS)
    assert abs(both - len(CUSTOMERS) / 2) < 3 * math.sqrt(len(CUSTOMERS) / 4)


def test_a_shadow_samples_its_share_of_turns() -> None:
    taken = sum(sampled(turn, Shadow("shd_1", "v0", 0.1)) for turn in CUSTOMERS)
    assert abs(taken - 10_000) < 3 * math.sqrt(9_000)
    assert all(sampled(turn, Shadow("shd_1", "v0", 1.0)) for turn in CUSTOMERS[:1000])


def test_the_old_champion_serves_until_the_new_one_is_ready() -> None:
    lane = Lane(("new", "old", "base"))
    serving = {"ready": lambda v: v != "new", "refused": ()}
    assert champion(lane, current="old", **serving) == "old"
    assert champion(lane, current="old", ready=always, refused=()) == "new"


def test_a_refused_version_is_passed_over() -> None:
    lane = Lane(("bad", "old"))
    assert champion(lane, current=None, ready=always, refused={"bad"}) == "old"


def test_an_engine_that_lost_its_adapter_does_not_move_customers_to_the_base() -> None:
    lane = Lane(("adapter", "base"))
    assert champion(lane, current="adapter", ready=lambda v: v == "base", refused=()) == "adapter"


def test_after_a_roll_back_nobody_gets_the_version_that_was_left() -> None:
    lane = Lane(("old",))
    assert champion(lane, current="bad", ready=lambda v: v == "bad", refused=()) == "old"


def test_a_conversation_stays_with_its_version_through_a_promotion() -> None:
    lane = Lane(("new", "old"))
    chosen = choose(lane, champion="new", unit="u", ready=always, pin=Pin("old", None))
    assert chosen == Choice("old")


def test_a_roll_back_moves_conversations_to_the_champion() -> None:
    lane = Lane(("old",))
    chosen = choose(lane, champion="old", unit="u", ready=always, pin=Pin("bad", None))
    assert chosen == Choice("old")


def test_a_stopped_experiment_gives_its_conversations_back() -> None:
    chosen = choose(
        Lane(("base",)), champion="base", unit="u", ready=always, pin=Pin("v0", "exp_1")
    )
    assert chosen == Choice("base")


def test_a_conversation_stays_in_an_arm_that_its_customer_has_left() -> None:
    running = experiment(1.0)
    lane = Lane(("base",), experiment(0, after=running))
    pinned = choose(lane, champion="base", unit="u", ready=always, pin=Pin("v0", "exp_1"))
    assert pinned == Choice("v0", "exp_1", "arm0")
    assert choose(lane, champion="base", unit="u", ready=always) == Choice("base")


def test_a_conversation_with_the_champion_stays_there_when_its_customer_joins_an_arm() -> None:
    lane = Lane(("base",), experiment(1.0))
    chosen = choose(lane, champion="base", unit="u", ready=always, pin=Pin("base", None))
    assert chosen == Choice("base")


def test_an_arm_gets_nobody_before_its_version_is_proved() -> None:
    lane = Lane(("base",), experiment(1.0))
    assert choose(lane, champion="base", unit="u", ready=always) == Choice("v0", "exp_1", "arm0")
    unready = choose(lane, champion="base", unit="u", ready=lambda v: v == "base")
    assert unready == Choice("base")


@given(st.text(min_size=1), st.floats(0.01, 1))
def test_a_conversation_in_an_arm_stays_there(unit: str, share: float) -> None:
    lane = Lane(("base",), experiment(share))
    first = choose(lane, champion="base", unit=unit, ready=always)
    pin = Pin(first.version, first.experiment)
    assert choose(lane, champion="base", unit=unit, ready=always, pin=pin) == first
