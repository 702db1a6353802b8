"""Splitting: nothing is on both sides, and the sides stay."""

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.states import ExampleSource
from tests.tuning.build import example
from tests.tuning.dataset.preparing import run
from tuning.dataset.components import components
from tuning.dataset.examples import TrainingExample
from tuning.training.recipe import Recipe

WORDS = [a + b for a in ("apple", "pear", "plum", "cherry") for b in ("tree", "pie", "juice")]


def connected() -> st.SearchStrategy[list[TrainingExample]]:
    some = st.one_of(st.none(), st.integers(0, 40))
    return st.lists(st.tuples(some, some), min_size=1, max_size=120).map(
        lambda given: [
            example(
                n,
                answer=f"Answer {n}.",
                conversation=None if conversation is None else f"conv {conversation}",
                customer=None if customer is None else f"c {customer}",
            )
            for n, (conversation, customer) in enumerate(given)
        ]
    )


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(connected(), st.floats(0, 0.5))
def test_no_conversation_or_customer_is_on_both_sides(
    tmp_path: Path, given: list[TrainingExample], share: float
) -> None:
    outcome = run(tmp_path, given, recipe=Recipe(held_out_share=share))
    assert outcome.kept == [one.id for one in given]
    for key in ("conversation_id", "customer"):
        train = {getattr(one, key) for one in given if one.id in outcome.train} - {None}
        held_out = {getattr(one, key) for one in given if one.id in outcome.held_out} - {None}
        assert train & held_out == set()


def test_nearly_the_same_questions_are_on_one_side(tmp_path: Path) -> None:
    given = [
        example(n * 10 + at, asked=asked, answer=f"{word} {at}.", source=ExampleSource.DECLINED)
        for n, word in enumerate(WORDS)
        for at, asked in enumerate(
            (
                f"How old is the {word} in that garden of my aunt?",
                f"How old is the {word} in that garden of an aunt?",
            )
        )
    ]
    declined = [
        TrainingExample(**{**vars_of(one), "answer": "", "rejected": one.answer}) for one in given
    ]
    outcome = run(tmp_path, declined, recipe=Recipe(held_out_share=0.5))
    assert outcome.held_out
    assert outcome.train
    sides = [{name[:-1] for name in side} for side in (outcome.train, outcome.held_out)]
    assert sides[0] & sides[1] == set()


def vars_of(one: TrainingExample) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_about_the_share_is_held_out_and_a_side_stays_when_examples_are_added(
    tmp_path: Path,
) -> None:
    before, after = (
        run(tmp_path, list(map(example, range(count))), recipe=Recipe(held_out_share=0.1))
        for count in (500, 900)
    )
    assert 60 < len(after.held_out) < 120
    assert set(before.held_out) <= set(after.held_out)


def test_a_customer_with_more_than_the_share_is_trained_on(tmp_path: Path) -> None:
    outcome = run(tmp_path, [example(n, customer="one") for n in range(30)])
    assert outcome.held_out == []


def test_a_few_corrections_among_much_replay_are_all_trained_on(tmp_path: Path) -> None:
    accepted = [example(n, source=ExampleSource.ACCEPTED) for n in range(10, 60)]
    for number in range(4):
        outcome = run(tmp_path, [example(number), *accepted], recipe=Recipe(replay_share=0.95))
        assert example(number).id in outcome.train


@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=60))
def test_components_are_what_walking_along_edges_finds(
    size: int, pairs: list[tuple[int, int]]
) -> None:
    edges = [(a % size, b % size) for a, b in pairs]
    ends = np.array(edges, np.int32).reshape(-1, 2).T
    found = components(size, ends[0], ends[1])
    label = list(range(size))
    for _ in range(size):
        for a, b in edges:
            label[a] = label[b] = min(label[a], label[b])
    assert found.tolist() == label


def test_a_long_chain_is_one_component() -> None:
    size = 20_000
    order = np.random.default_rng(3).permutation(size).astype(np.int32)
    assert set(components(size, order[:-1], order[1:]).tolist()) == {0}
