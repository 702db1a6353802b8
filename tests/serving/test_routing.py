"""Who is answered by what: balance, stickiness, and what holds a conversation to its version."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.states import ReleaseAction
from serving.routing import (
    Arm,
    Choice,
    Experiment,
    Lane,
    Pin,
    assign,
    champion,
    choose,
    standing,
)

INSTALL, PROMOTE, ROLLBACK = ReleaseAction.INSTALL, ReleaseAction.PROMOTE, ReleaseAction.ROLLBACK
CUSTOMERS = [f"customer-{i}" for i in range(20_000)]


def experiment(*shares: float, id: str = "exp_1") -> Experiment:  # noqa: A002
    return Experiment(id, tuple(Arm(f"arm{i}", f"v{i}", s) for i, s in enumerate(shares)))


def arms(running: Experiment) -> dict[str, str | None]:
    return {c: arm.name if (arm := assign(c, running)) else None for c in CUSTOMERS}


def always(_: str) -> bool:
    return True


@pytest.mark.parametrize("shares", [(0.01,), (0.5, 0.5), (0.1, 0.2), (0.2, 0.3, 0.1)])
def test_arms_get_their_share_within_three_sigma(shares: tuple[float, ...]) -> None:
    found = list(arms(experiment(*shares)).values())
    for index, share in enumerate(shares):
        sigma = math.sqrt(len(CUSTOMERS) * share * (1 - share))
        assert abs(found.count(f"arm{index}") - share * len(CUSTOMERS)) <= 3 * sigma


def test_a_ramp_moves_only_the_customers_it_must() -> None:
    before = arms(experiment(0.01))
    for share in (0.1, 0.5, 1.0):
        after = arms(experiment(share))
        assert all(after[c] == "arm0" for c in CUSTOMERS if before[c] == "arm0")
        before = after
    assert set(before.values()) == {"arm0"}


def test_of_two_arms_growing_one_leaves_the_others_customers_alone() -> None:
    before, after = arms(experiment(0.1, 0.2)), arms(experiment(0.1, 0.8))
    moved = {c: before[c] for c in CUSTOMERS if before[c] != after[c]}
    assert set(moved.values()) == {None}


def test_experiments_are_independent() -> None:
    one, two = arms(experiment(0.5)), arms(experiment(0.5, id="exp_2"))
    both = sum(one[c] == two[c] for c in CUSTOMERS)
    assert abs(both - 10_000) < 3 * math.sqrt(5_000)


def test_the_release_pointer_comes_first_and_what_was_rolled_back_is_out() -> None:
    history = [("base", None, INSTALL), ("a", "base", PROMOTE), ("b", "a", PROMOTE)]
    assert standing(history) == ("b", "a", "base")
    rolled = [*history, ("a", "b", ROLLBACK)]
    assert standing(rolled) == ("a", "base")
    assert standing([*rolled, ("b", "a", PROMOTE)]) == ("b", "a", "base")
    assert standing([*rolled, ("base", "a", ROLLBACK)]) == ("base",)
    assert standing([]) == ()


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
