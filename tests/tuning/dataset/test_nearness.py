"""Nearly the same: what it means, and that bands find what comparing each with each finds."""

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.likeness import groups, likeness
from records.messages import Message, Role
from tuning.dataset.nearness import (
    Asked,
    Bands,
    _flat_groups,
    asked,
    band_hashes,
    bands_for,
    hashes_of,
    nearly_same,
    plausible,
    says_the_same,
    signatures,
)

DATA = Path(__file__).resolve().parents[3] / "deploy" / "demo" / "data" / "banking77.csv"


def question(text: str) -> Asked:
    return asked([Message(Role.CUSTOMER, text)])


texts = st.text(st.sampled_from("abc 1é👍."), max_size=30)


@given(texts, texts, st.floats(0.31, 1))
def test_it_does_not_matter_which_is_compared_with_which(
    one: str, other: str, least: float
) -> None:
    for same in (
        lambda a, b: nearly_same(question(a), question(b), least=least),
        lambda a, b: says_the_same(a, b, least=least),
    ):
        assert same(one, other) == same(other, one)


@given(texts, texts, st.floats(0.31, 1))
def test_what_is_nearly_the_same_is_as_alike_as_the_review_says(
    one: str, other: str, least: float
) -> None:
    if nearly_same(question(one), question(other), least=least):
        assert likeness(one, other) >= least


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Why was my card payment declined?", "why was my card payment declined", True),
        ("Why was my card payment declined?", "Why was my card payment not declined?", False),
        ("Why can I pay with the card abroad?", "Why can't I pay with the card abroad?", False),
        ("May I pay in within 10 days?", "May I pay in within 11 days?", False),
        ("May I pay in within 10 days?", "May I pay in within 10 days, please?", True),
        ("👍", "👎", False),
    ],
)
def test_numbers_and_negations_make_another_question(one: str, other: str, *, same: bool) -> None:
    assert nearly_same(question(one), question(other), least=0.7) is same


def test_answers_without_words_are_the_same_only_if_they_are_equal() -> None:
    assert says_the_same("👍", " 👍 ", least=0.8)
    assert not says_the_same("👍", "👎", least=0.8)
    assert not says_the_same("", "Here.", least=0.8)


def test_the_last_words_of_long_talks_must_be_alike_too() -> None:
    talk = [
        Message(Role.CUSTOMER, "I have lost my card in the underground on my way to work today"),
        Message(Role.ASSISTANT, "I am sorry. Shall I block it, or would you rather look for it?"),
    ]
    yes, no = ([*talk, Message(Role.CUSTOMER, word)] for word in ("Please do so", "Let me look"))
    assert not nearly_same(asked(yes), asked(no), least=0.6)
    assert nearly_same(asked(yes), asked(yes), least=0.6)


@pytest.mark.parametrize("least", [0.31, 0.5, 0.7, 0.8, 0.9, 0.99])
def test_bands_find_nearly_all_pairs_that_are_just_alike_enough(least: float) -> None:
    bands = bands_for(least)
    assert bands is not None
    assert 1 - (1 - least**bands.rows) ** bands.number >= 0.98
    assert bands.number * bands.rows <= 128


def test_where_only_equal_questions_count_there_are_no_bands() -> None:
    assert bands_for(1) is None


def test_equal_prompts_have_equal_hashes_whoever_is_beside_them() -> None:
    bands = Bands(12, 5)
    prompts = [question(f"Where is my card {n}?") for n in range(20)]
    together = band_hashes(prompts, bands)
    alone = [band_hashes([prompt], bands)[0] for prompt in prompts]
    assert (together == alone).all()
    assert len({tuple(row) for row in together.tolist()}) == 20
    assert band_hashes([], bands).shape == (0, 12)


def test_real_questions_that_are_alike_are_proposed() -> None:
    with DATA.open() as file:
        prompts = [question(row["text"]) for row in csv.DictReader(file)][:1600]
    bands = bands_for(0.8)
    assert bands is not None
    signed = signatures(prompts, bands)
    rows = [set(enumerate(row)) for row in hashes_of(signed, bands).tolist()]
    kept = signed.astype("uint8")
    by_size: Callable[[int], int] = lambda at: len(prompts[at].groups)  # noqa: E731
    order = sorted(range(len(prompts)), key=by_size)
    alike = found = 0
    for place, one in enumerate(order):
        for other in order[place + 1 :]:
            if len(prompts[one].groups) < 0.8 * len(prompts[other].groups):
                break
            if nearly_same(prompts[one], prompts[other], least=0.8):
                alike += 1
                pair = kept[[one]], kept[[other]]
                found += bool(rows[one] & rows[other]) and bool(plausible(*pair, least=0.8)[0])
    assert alike > 10
    assert found >= 0.95 * alike


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_the_numbers_of_groups_are_as_different_as_the_groups(texts: list[str]) -> None:
    values, offsets = _flat_groups(texts)
    numbers = [set(values[a:b].tolist()) for a, b in pairwise(offsets.tolist())]
    assert [len(found) for found in numbers] == [len(groups(text)) for text in texts]
    for one, its in zip(texts, numbers, strict=True):
        for other, others in zip(texts, numbers, strict=True):
            assert len(its & others) == len(groups(one) & groups(other))
