"""Plots of a dataset are drawn whatever is in it, and said in words."""

from pathlib import Path

import pytest

from evaluation.dataset_plots import draw_lengths, draw_topics

EDGES = [0, 20, 40, 80]


def test_lengths_say_where_the_middle_half_lies(tmp_path: Path) -> None:
    figures = {"from_characters": EDGES, "question": [1, 8, 8, 1], "answer": [0, 0, 0, 9]}
    said = draw_lengths(figures, tmp_path / "lengths.png")
    assert "questions mostly have 20 to 80" in said
    assert "answers mostly have 80 or more" in said
    assert (tmp_path / "lengths.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_drawn_as_nothing(tmp_path: Path) -> None:
    figures = {"from_characters": EDGES, "question": [0] * 4, "answer": [0] * 4}
    assert "questions mostly have none" in draw_lengths(figures, tmp_path / "lengths.png")


@pytest.mark.parametrize("name", ["cards", "fees in $ and $", "x" * 200, "карты", "a_{b}^c"])
def test_topics_are_named_with_their_numbers(tmp_path: Path, name: str) -> None:
    by_topic = {"train": {name: 30, "other": 2}, "held_out": {name: 4}}
    said = draw_topics(by_topic, tmp_path / "topics.png")
    assert f"2 of 2 topics: from {name!r} with 34, to 'other' with 2" in said
    assert (tmp_path / "topics.png").read_bytes().startswith(b"\x89PNG")


def test_of_many_topics_the_most_frequent_are_drawn(tmp_path: Path) -> None:
    by_topic = {"train": {f"topic {n:02d}": n for n in range(1, 60)}, "held_out": {}}
    said = draw_topics(by_topic, tmp_path / "topics.png")
    assert "30 of 59 topics: from 'topic 59' with 59, to 'topic 30' with 30" in said
