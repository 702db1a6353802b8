"""What an answer is worth in training: evaluation's scores, and nothing for a wrong handoff."""

import pytest

from tuning.dataset.rows import Row
from tuning.training.held_out import sample
from tuning.training.marking import Marking

MARKING = Marking("[handoff]", 0.8)
RIGHT = "Open the Cards tab and tap Activate."


def row(*, should_escalate: bool = False) -> Row:
    answer = f"[handoff] {RIGHT}" if should_escalate else RIGHT
    prompt = ({"role": "user", "content": "How do I activate it?"},)
    return Row("ex_1", "flag", prompt, (False,), answer, should_escalate=should_escalate)


@pytest.mark.parametrize(
    ("said", "needed", "right", "reward"),
    [
        (RIGHT, False, 1.0, 1.0),
        ("open the cards tab, and tap activate", False, 1.0, 1.0),
        ("There is no fee.", False, 0.0, 0.0),
        (f"[handoff] {RIGHT}", False, 0.0, 0.0),
        ("[handoff] A colleague will reply.", True, 1.0, 1.0),
        (RIGHT, True, 0.0, 0.0),
        ("", False, 0.0, 0.0),
    ],
)
def test_right_is_the_right_answer_or_a_needed_handoff(
    said: str, needed: bool, right: float, reward: float
) -> None:
    asked = row(should_escalate=needed)
    assert MARKING.served_right(asked, said) == right
    assert MARKING.reward(asked, said) == pytest.approx(reward)


def test_nearly_right_earns_something_so_that_a_group_differs() -> None:
    near = MARKING.reward(row(), "Open the Cards tab.")
    assert 0 < near < 0.5


def test_a_sample_is_repeatable_and_keeps_the_order() -> None:
    drawn = sample(range(100), 10, seed=3)
    assert drawn == sample(range(100), 10, seed=3) == sorted(drawn)
    assert drawn != sample(range(100), 10, seed=4)
    assert sample(range(5), 10, seed=3) == [0, 1, 2, 3, 4]
    assert sample([], 3, seed=1) == []
