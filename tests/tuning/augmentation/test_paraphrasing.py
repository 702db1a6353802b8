"""What is asked of a model, and what is taken from its answers."""

import numpy as np
import pytest

from tuning.augmentation.checks import nearest_answers, similarity_problem, text_problem
from tuning.augmentation.paraphrasing import paraphrase, says_yes, wording_of


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('"Where has my card got to?"', "Where has my card got to?"),
        ("Here's the reworded question:\n\nWhere has my card got to?", "Where has my card got to?"),
        ("Sure! Here you go: Where is it?", "Where is it?"),
        ("Reworded: “Where is it?”", "Where is it?"),
        ("Two lines.\n\n  Where is it? ", "Two lines.\nWhere is it?"),
        ("Question for you: where is it?", "where is it?"),
        ("I paid 12:30 and it's gone", "I paid 12:30 and it's gone"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_wording_is_taken_without_what_is_said_around_it(answer: str | None, found: str) -> None:
    assert wording_of(answer) == found


@pytest.mark.parametrize(
    ("answer", "agrees"),
    [("Yes.", True), (" **yes**", True), ("No", False), ("", False), (None, False), ("Ye", False)],
)
def test_only_yes_is_yes(answer: str | None, agrees: bool) -> None:
    assert says_yes(answer) is agrees


def test_each_number_asks_for_another_wording() -> None:
    asks = [paraphrase("Where is it?", number=n) for n in range(12)]
    assert len({ask.key("model") for ask in asks}) == 12


@pytest.mark.parametrize(
    ("wording", "problem"),
    [
        ("Can I pay 20 EUR from <IBAN_1>?", None),
        ("", "empty"),
        ("?!", "empty"),
        ("can i send 20 EUR from <IBAN_1>", "the same words"),
        ("May I send 30 EUR from <IBAN_1>?", "other numbers or placeholders"),
        ("May I send 20 EUR?", "other numbers or placeholders"),
        ("May I send 20 EUR from <IBAN_1> and <IBAN_1>?", "other numbers or placeholders"),
        ("well " * 60 + "20 <IBAN_1>", "much longer"),
        ("Is it possible to send 20 EUR from my <IBAN_1>?", "like another wording"),
    ],
)
def test_a_wording_is_judged_by_its_letters(wording: str, problem: str | None) -> None:
    others = ["is it possible to send 20 EUR from my <IBAN_1>"]
    assert text_problem("Can I send 20 EUR from <IBAN_1>?", wording, others) == problem


def test_similarity_has_a_lower_and_an_upper_bound() -> None:
    assert similarity_problem(0.5) == "means something else"
    assert similarity_problem(0.85) is None
    assert similarity_problem(0.995) == "hardly different"


def test_the_nearest_labelled_question_says_the_answer() -> None:
    labelled = np.eye(3, dtype=np.float32)
    ours = np.array([[0.1, 0.9, 0.2], [0.9, 0.1, 0.1]], np.float32)
    assert nearest_answers(ours, labelled, ["a", "b", "c"]) == ["b", "a"]
    assert nearest_answers(ours, labelled[:0], []) == ["", ""]
