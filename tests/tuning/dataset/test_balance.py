"""Replay keeps to its share, topics to their cap; old corrections weigh less."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.errors import ConfigurationError, EmptyDataset
from records.states import ExampleSource
from tests.tuning.build import example
from tests.tuning.dataset.preparing import run
from tuning.dataset.balance import CAP
from tuning.dataset.examples import TrainingExample
from tuning.training.recipe import Recipe


def accepted(*numbers: int) -> list[TrainingExample]:
    return [example(n, source=ExampleSource.ACCEPTED) for n in numbers]


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 50), st.integers(0, 50), st.floats(0, 0.95), st.integers(0, 60))
def test_replay_keeps_to_share_and_limit(
    tmp_path: Path, corrections: int, replayed: int, share: float, limit: int
) -> None:
    outcome = run(
        tmp_path,
        [*map(example, range(corrections)), *accepted(*range(100, 100 + replayed))],
        recipe=Recipe(replay_share=share, replay_limit=limit),
    )
    kept = sum(name >= "ex_00100" for name in outcome.kept)
    assert len(outcome.kept) - kept == corrections
    assert kept <= min(limit, replayed)
    assert kept <= share * len(outcome.kept) + 1


def test_a_share_of_nothing_is_training_on_corrections_alone(tmp_path: Path) -> None:
    given = [example(1), *accepted(2)]
    assert run(tmp_path, given, recipe=Recipe(replay_share=0)).kept == ["ex_00001"]


def test_of_a_topic_those_that_count_most_are_kept(tmp_path: Path) -> None:
    def about(number: int, topic: str | None, source: ExampleSource) -> TrainingExample:
        return replace(example(number, source=source), slice={"topic": topic} if topic else {})

    outcome = run(
        tmp_path,
        [
            about(1, "cards", ExampleSource.FLAG),
            about(2, "cards", ExampleSource.IMPORT),
            about(3, "cards", ExampleSource.FLAG),
            about(4, "fees", ExampleSource.IMPORT),
            *(about(n, None, ExampleSource.IMPORT) for n in (5, 6, 7)),
        ],
        recipe=Recipe(topic_cap=2),
        topic="topic",
    )
    assert outcome.kept == [f"ex_0000{n}" for n in (1, 3, 4, 5, 6, 7)]
    assert outcome.whys(CAP) == ["cards"]


def test_a_cap_needs_to_know_what_a_topic_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"topic_cap needs .* data\.topic"):
        run(tmp_path, [example(1)], recipe=Recipe(topic_cap=1))


def test_a_correction_of_the_half_life_weighs_half_and_replay_does_not_age(tmp_path: Path) -> None:
    old = [
        replace(one, created_at=one.created_at - timedelta(days=30))
        for one in (example(1), *accepted(2))
    ]
    outcome = run(
        tmp_path,
        [*old, replace(example(3), created_at=example(1).created_at)],
        recipe=Recipe(recency_half_life_days=30),
    )
    assert outcome.weights == {"ex_00001": 0.5, "ex_00002": 1.0, "ex_00003": 1.0}


def test_without_a_half_life_all_weigh_the_same(tmp_path: Path) -> None:
    old = replace(example(1), created_at=example(1).created_at - timedelta(days=900))
    assert set(run(tmp_path, [old, example(2)]).weights.values()) == {1.0}


@pytest.mark.parametrize("only", [[], accepted(1)])
def test_nothing_approved_is_an_error_that_says_what_to_do(
    tmp_path: Path, only: list[TrainingExample]
) -> None:
    with pytest.raises(EmptyDataset, match=r"no approved correction.*understudy import"):
        run(tmp_path, only)


def test_too_few_are_refused_with_what_was_dropped(tmp_path: Path) -> None:
    given = [example(1), example(2, asked="Question 1?"), *accepted(3)]
    with pytest.raises(EmptyDataset, match=r"Only 1 corrections.*wants 2.*exact duplicates: 1"):
        run(tmp_path, given, minimum_examples=2)
