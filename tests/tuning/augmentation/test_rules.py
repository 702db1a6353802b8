"""Rules: seeded, different wordings that ask the same, and never touch codes and placeholders."""

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from records.text import normalise
from tuning.augmentation.checks import text_problem
from tuning.augmentation.rules import _turn, wordings

QUESTIONS = st.sampled_from(
    [
        "Where is my card?",
        "I don't know why my transfer of 25.50 EUR was declined",
        "After 2 weeks, where's my card <CARD_1>?",
        "Wo bleibt meine Rücksendung?",
        "¿Dónde está mi tarjeta?",
        "カードはどこですか",
        "PIN?",
        "x",
        "",
    ]
)


@given(QUESTIONS | st.text(max_size=80), st.integers(0, 8), st.text(max_size=4))
def test_wordings_are_new_each_once_and_the_same_for_the_same_seed(
    question: str, count: int, seed: str
) -> None:
    found = wordings(question, count, seed=seed)
    assert found == wordings(question, count, seed=seed)
    assert len(found) == len(set(found)) <= count
    assert all(normalise(text) != normalise(question) for text in found)


@given(QUESTIONS, st.integers(0, 10_000))
def test_numbers_and_placeholders_stay(question: str, seed: int) -> None:
    facts = re.compile(r"<[A-Z_]+\d+>|\d+(?:\.\d+)?")
    for text in wordings(question, 4, seed=str(seed)):
        assert sorted(facts.findall(text)) == sorted(facts.findall(question))


def test_another_seed_gives_other_wordings() -> None:
    question = "I don't know why my transfer was declined yesterday"
    assert len({tuple(wordings(question, 4, seed=str(n))) for n in range(10)}) == 10


def test_other_languages_get_no_english_courtesies() -> None:
    for text in wordings("Wo bleibt meine Rücksendung?", 8, seed="a"):
        assert not re.match(r"(?i)hi|hello|hey|good|quick", text)
        assert not re.search(r"(?i)thank|help|cheers", text)


def test_a_clause_moves_only_where_there_is_one_sentence() -> None:
    draw = random.Random(1)
    assert _turn("If I lose my card, what happens?", draw) == "What happens if I lose my card?"
    two = "After 2 weeks, my card hasn't come. What can I do?"
    assert _turn(two, draw) == two


def test_most_wordings_pass_the_checks_of_their_text() -> None:
    question = "I don't know why my transfer of 25.50 EUR was declined"
    found = wordings(question, 8, seed="1")
    assert len(found) == 8
    assert [text_problem(question, text, []) for text in found] == [None] * 8
