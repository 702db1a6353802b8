"""What the methods compute: their papers' formulas, from the model as it was before."""

import math
from typing import Any

import pytest

from tuning.training import lessons
from tuning.training.chat_tokens import Encoded
from tuning.training.lessons import Judged

pytestmark = pytest.mark.slow


def setting(count: int = 4) -> tuple[Any, list[Any], Any]:
    from tests.tuning.training.students import rows, student, tokenizer

    return student(), rows(count, wrong=True), tokenizer()


def moved(student: Any) -> None:
    """Change the adapter a little."""
    student.flat.set(student.flat.copy() * 1.2)


def mean_logprob(student: Any, example: Encoded) -> float:
    return float(student.answers([example]).logprobs.sum().item())


def test_answers_are_a_mean_over_tokens_weighed_by_lesson() -> None:
    from tuning.training.methods.answers import Answers
    from tuning.training.team import Team

    student, rows, tokenizer = setting(2)
    one, two = lessons.answers(rows, tokenizer)
    heavy = Encoded(one.token_ids, one.spans, weight=3.0)
    phase = Answers("answers", [heavy, two], [[0, 1]], 1e-3)
    items = phase.items(0, student, Team())
    loss = phase.loss(student, items).item() / sum(item.size for item in items)
    expected = -(3 * mean_logprob(student, one) + mean_logprob(student, two))
    assert loss == pytest.approx(expected / (3 * one.learned + two.learned), rel=1e-4)


def test_dpo_is_log_two_before_it_moves_and_equation_7_after() -> None:
    from tuning.training.methods.dpo import Preferences
    from tuning.training.team import Team

    student, rows, tokenizer = setting()
    pairs = list(lessons.pairs(rows, tokenizer))
    phase = Preferences(pairs, [[0, 1, 2, 3]], learning_rate=1e-4, beta=0.1, answer_weight=0.0)
    phase.begin(student)
    items = phase.items(0, student, Team())
    assert phase.loss(student, items).item() / 4 == pytest.approx(math.log(2), rel=1e-3)
    before = [mean_logprob(student, p.right) - mean_logprob(student, p.wrong) for p in pairs]
    moved(student)
    after = [mean_logprob(student, p.right) - mean_logprob(student, p.wrong) for p in pairs]
    gains = [b - a for a, b in zip(before, after, strict=True)]
    expected = sum(math.log1p(math.exp(-0.1 * gain)) for gain in gains)
    phase.figures()
    assert phase.loss(student, items).item() == pytest.approx(expected, rel=1e-3)
    assert phase.figures()["pairs_won"] == sum(gain > 0 for gain in gains) / 4
    assert phase.figures() == {}


def test_dpos_answer_weight_adds_the_right_answers_own_loss() -> None:
    from tuning.training.methods.dpo import Preferences
    from tuning.training.team import Team

    student, rows, tokenizer = setting(1)
    (pair,) = lessons.pairs(rows, tokenizer)
    phase = Preferences([pair], [[0]], learning_rate=1e-4, beta=0.1, answer_weight=0.5)
    phase.begin(student)
    loss = phase.loss(student, phase.items(0, student, Team())).item()
    own = -mean_logprob(student, pair.right) / pair.right.learned
    assert loss == pytest.approx(math.log(2) + 0.5 * own, rel=1e-3)


def test_kto_is_equation_8_with_both_kinds_weighing_the_same() -> None:
    from tuning.training.methods.kto import Opinions, stray, weights
    from tuning.training.team import Team

    student, rows, tokenizer = setting(3)
    judged = list(lessons.judged(rows, tokenizer))[:3]  # right, wrong, right
    assert weights(judged) == {True: 1.0, False: 2.0}
    phase = Opinions(judged, [[0, 1, 2]], learning_rate=1e-4, beta=0.1)
    phase.begin(student)
    items = phase.items(0, student, Team())
    assert phase.loss(student, items).item() == pytest.approx((1 + 2 + 1) / 2, rel=1e-3)
    strays = [stray(judged, at) for at in range(3)]
    own, others = ([mean_logprob(student, e) for e in part] for part in (answers(judged), strays))
    moved(student)
    z = max(0, sum(mean_logprob(student, e) - b for e, b in zip(strays, others, strict=True)) / 3)
    expected = 0.0
    for one, before in zip(judged, own, strict=True):
        r = mean_logprob(student, one.answer) - before
        sign = 1 if one.right else -1
        share = 1 / (1 + math.exp(-0.1 * sign * (r - z)))
        expected += weights(judged)[one.right] * (1 - share)
    assert phase.loss(student, items).item() == pytest.approx(expected, rel=1e-3)


def answers(judged: list[Judged]) -> list[Encoded]:
    return [one.answer for one in judged]


def test_a_stray_is_another_lessons_answer_after_ones_own_prompt() -> None:
    from tuning.training.methods.kto import stray

    _, rows, tokenizer = setting(2)
    judged = [Judged(one, right=True) for one in lessons.answers(rows, tokenizer)]
    found = stray(judged, 1)
    own, other = judged[1].answer, judged[0].answer
    assert found.token_ids[: found.start] == own.token_ids[: own.start]
    assert found.token_ids[found.start :] == other.token_ids[other.start :]


def test_grpo_prefers_what_is_worth_more_than_its_group() -> None:
    from tests.tuning.training.students import student
    from tuning.training.marking import Marking
    from tuning.training.methods.grpo import Attempts, advantages
    from tuning.training.recipe import Recipe
    from tuning.training.team import Team

    assert advantages([1.0, 0.0]) == pytest.approx([1.0, -1.0], abs=1e-3)
    _, rows, tokenizer = setting(4)
    one = student()
    prompts = list(lessons.prompts(rows, tokenizer))
    recipe = Recipe(grpo_prompts=3, grpo_group=4, grpo_divergence=0.0, method="grpo")

    class Longer(Marking):
        """The longer, the better."""

        def reward(self, row: Any, text: str) -> float:
            return min(1.0, len(text) / 100)

    phase = Attempts(prompts, Longer("[handoff]", 0.8), recipe, 6)
    phase.begin(one)
    items = phase.items(0, one, Team())
    assert len(items) == 12
    assert [i.said.token_ids for i in phase.items(0, one, Team())] == [
        i.said.token_ids for i in items
    ]
    assert phase.figures()["reward"] > 0
    phase.loss(one, items).backward()
    one.flat.set(one.flat.copy() - 1e-3 * one.flat.gradient)
    gained = sum(i.advantage * (mean_logprob(one, i.said) - i.before.sum().item()) for i in items)
    assert gained > 0


def test_grpo_learns_nothing_from_answers_that_are_all_worth_the_same() -> None:
    from tuning.training.marking import Marking
    from tuning.training.methods.grpo import Attempts
    from tuning.training.recipe import Recipe
    from tuning.training.team import Team

    student, rows, tokenizer = setting(2)
    prompts = list(lessons.prompts(rows, tokenizer))
    recipe = Recipe(grpo_prompts=2, grpo_group=2, method="grpo")
    phase = Attempts(prompts, Marking("[handoff]", 0.8), recipe, 3)
    phase.begin(student)
    assert phase.items(0, student, Team()) == []
